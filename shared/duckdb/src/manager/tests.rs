use std::sync::Arc;

use precip_io::{
    FromAsset, IntoAsset, Value,
    checks::{DataCheck, Found, Measured, accepted_values, fresh, not_null, row_count, unique},
    conformance::{
        Case,
        Limit::{self, Otherwise, Refused},
        big_partition, check_all, killed_writer,
    },
};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::*;

/// What a table that is replaced cannot give, and types that DuckDB has not.
const LIMITS: &[Limit] = &[
    Otherwise(Case::Attempts),
    Refused(Case::ListAndRemove),
    Refused(Case::ExactTypes),
];

#[tokio::test(flavor = "multi_thread")]
async fn duckdb_conforms() {
    let folder = TempDir::new().unwrap();
    let next = std::cell::Cell::new(0);
    let make = || {
        let n = next.replace(next.get() + 1);
        DuckDbIoManager::open(folder.path().join(format!("{n}.duckdb"))).unwrap()
    };
    check_all(make, LIMITS).await;
}

#[test]
fn a_killed_writer_leaves_whole_partitions() {
    let test = "manager::tests::a_killed_writer_leaves_whole_partitions";
    let folder = TempDir::new().unwrap();
    killed_writer(test, folder.path(), |folder| {
        DuckDbIoManager::open(folder.join("warehouse.duckdb")).unwrap()
    });
}

#[test]
fn a_big_partition_takes_little_memory() {
    let test = "manager::tests::a_big_partition_takes_little_memory";
    let folder = TempDir::new().unwrap();
    big_partition(test, || {
        let manager = DuckDbIoManager::open(folder.path().join("warehouse.duckdb")).unwrap();
        manager.with_memory("200MB")
    });
}

fn address(partition: Option<&str>, attempt: u32) -> Address {
    Address {
        asset: "raw/flights".parse().unwrap(),
        partition: partition.map(Into::into),
        run: "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().unwrap(),
        attempt,
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flight {
    carrier: String,
    delay: Option<i32>,
}

fn flight(carrier: &str) -> Flight {
    Flight {
        carrier: carrier.to_owned(),
        delay: None,
    }
}

async fn store(
    manager: &DuckDbIoManager,
    partition: Option<&str>,
    value: impl IntoAsset,
) -> Result<String, String> {
    let value = value.into_asset().unwrap();
    let stored = manager.store(&address(partition, 1), value).await;
    stored
        .map(|stored| stored.pointer)
        .map_err(|error| error.to_string())
}

async fn load<T: FromAsset>(manager: &DuckDbIoManager, pointer: &str) -> T {
    let address = address(None, 1);
    let loaded = manager.load(&address, pointer, &T::needs().request).await;
    T::from_asset(precip_engine::asset::LoadedInput {
        asset: address.asset,
        parts: vec![precip_engine::asset::LoadedPart {
            partition: None,
            value: loaded.unwrap(),
        }],
    })
    .unwrap()
}

fn in_folder() -> (TempDir, DuckDbIoManager) {
    let folder = TempDir::new().unwrap();
    let manager = DuckDbIoManager::open(folder.path().join("w.duckdb")).unwrap();
    (folder, manager)
}

#[tokio::test(flavor = "multi_thread")]
async fn people_query_a_table_named_as_the_asset() {
    let (_folder, manager) = in_folder();
    for day in ["2013-01-01", "2013-01-02"] {
        let rows = vec![flight("UA"), flight("DL")];
        store(&manager, Some(day), rows).await.unwrap();
    }
    let again = vec![flight("AA")];
    store(&manager, Some("2013-01-01"), again).await.unwrap();
    let found = manager
        .run(|database| {
            database.read(|sql| {
                let mut statement = sql.prepare(
                    "SELECT _partition || ' ' || string_agg(carrier, ',' ORDER BY carrier)
                     FROM raw.flights GROUP BY _partition ORDER BY 1",
                )?;
                let rows = statement.query_map([], |row| row.get(0))?;
                Ok(rows.collect::<Result<Vec<String>, _>>()?)
            })
        })
        .await
        .unwrap();
    assert_eq!(found, ["2013-01-01 AA", "2013-01-02 DL,UA"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_optional_column_may_come_and_every_other_change_is_refused_and_shown() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct WithGate {
        carrier: String,
        delay: Option<i32>,
        gate: Option<String>,
    }
    #[derive(Serialize, Deserialize)]
    struct Other {
        carrier: i64,
        seats: i32,
    }
    let (_folder, manager) = in_folder();
    let first = store(&manager, Some("1"), vec![flight("UA")]).await;
    let row = WithGate {
        carrier: "DL".to_owned(),
        delay: Some(3),
        gate: Some("B7".to_owned()),
    };
    store(&manager, Some("2"), vec![row]).await.unwrap();
    let before: Vec<Flight> = load(&manager, &first.unwrap()).await;
    assert_eq!(before, [flight("UA")]);

    let other = || {
        vec![Other {
            carrier: 1,
            seats: 2,
        }]
    };
    let refused = store(&manager, Some("3"), other()).await.unwrap_err();
    assert_eq!(
        refused,
        "asset `raw/flights`, partition `3`: its columns are not those of table \"raw\".\"flights\", which has \
         other partitions: `carrier` was Utf8 and is Int64; `seats` is new, and its rows must have one; make \
         what is new optional, or drop the table and make every partition again"
    );
    // Nothing of it is there, and what was there still is.
    let kept: Vec<WithGate> = load(&manager, "raw/flights?2").await;
    assert_eq!(kept.len(), 1);

    // An asset of which nothing else is there may change as it likes.
    let (_folder, manager) = in_folder();
    store(&manager, None, vec![flight("UA")]).await.unwrap();
    store(&manager, None, other()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_taken_as_names() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Odd {
        #[serde(rename = "a\"; DROP TABLE x; --")]
        odd: i32,
    }
    let (_folder, manager) = in_folder();
    let key = "'; DROP TABLE raw.flights; --";
    let pointer = store(&manager, Some(key), vec![Odd { odd: 1 }])
        .await
        .unwrap();
    assert_eq!(load::<Vec<Odd>>(&manager, &pointer).await, [Odd { odd: 1 }]);

    #[derive(Serialize, Deserialize)]
    struct Taken {
        #[serde(rename = "_PARTITION")]
        partition: i32,
    }
    let (_folder, manager) = in_folder();
    let taken = vec![Taken { partition: 1 }];
    let refused = store(&manager, Some("x"), taken).await.unwrap_err();
    assert!(refused.contains("give it another name"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_somebody_else_is_left_alone() {
    let (_folder, manager) = in_folder();
    let made = manager.run(|database| {
        database.write(|sql| {
            sql.execute_batch("CREATE SCHEMA raw; CREATE TABLE raw.FLIGHTS AS SELECT 1 AS one")?;
            Ok(())
        })
    });
    made.await.unwrap();
    let refused = store(&manager, None, vec![flight("UA")]).await.unwrap_err();
    assert!(refused.contains("did not make"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_managers_of_one_file_are_one_database() {
    let (folder, manager) = in_folder();
    let other = DuckDbIoManager::open(folder.path().join("./w.duckdb")).unwrap();
    assert!(Arc::ptr_eq(&manager.database, &other.database));
}

/// Where two processes store, and which of them this is.
const OTHER: &str = "PRECIP_DUCKDB_OTHER";

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_store_at_the_same_time() {
    let (folder, manager) = in_folder();
    let store_some = |manager: DuckDbIoManager, who: &'static str| async move {
        for n in 0..8 {
            let key = format!("{who}-{n}");
            store(&manager, Some(&key), vec![flight(&key)])
                .await
                .unwrap();
        }
    };
    if let Ok(file) = std::env::var(OTHER) {
        store_some(DuckDbIoManager::open(file).unwrap(), "other").await;
        return;
    }
    let mut other = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "manager::tests::two_processes_store_at_the_same_time",
        ])
        .env(OTHER, folder.path().join("w.duckdb"))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // From several tasks, as the executor does.
    let ours = ["a", "b", "c"].map(|who| tokio::spawn(store_some(manager.clone(), who)));
    for stored in ours {
        stored.await.unwrap();
    }
    assert!(other.wait().unwrap().success());
    for who in ["a", "b", "c", "other"] {
        for n in 0..8 {
            let key = format!("{who}-{n}");
            let back: Vec<Flight> = load(&manager, &format!("raw/flights?{key}")).await;
            assert_eq!(back, [flight(&key)]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_asked_and_no_rows_are_loaded() {
    #[derive(Serialize, Deserialize)]
    struct Landing {
        gate: Option<String>,
        delay: f64,
        at: chrono::NaiveDateTime,
    }
    let landing = |gate: Option<&str>| Landing {
        gate: gate.map(str::to_owned),
        delay: 0.5,
        at: chrono::DateTime::UNIX_EPOCH.naive_utc(),
    };
    let (_folder, manager) = in_folder();
    let rows = vec![landing(None), landing(Some("B7")), landing(Some("B7"))];
    let pointer = store(&manager, Some("1"), rows).await.unwrap();
    let others = vec![landing(Some("A1"))];
    store(&manager, Some("2"), others).await.unwrap();
    let ask = async |check: DataCheck| {
        let address = address(Some("1"), 1);
        let answer = manager.load(&address, &pointer, &check.request(None)).await;
        answer.unwrap().downcast::<Measured>()
    };
    let told = |found| Measured { rows: 3, found };
    for (check, found) in [
        (row_count(1..), Found::Nothing),
        (not_null("gate"), Found::Rows(1, Vec::new())),
        (unique(["gate", "at"]), Found::Rows(1, Vec::new())),
        (
            accepted_values("gate", ["C3"]),
            Found::Rows(2, vec!["B7".to_owned()]),
        ),
        (
            fresh("at", std::time::Duration::from_secs(1)),
            Found::Latest(Some(chrono::DateTime::UNIX_EPOCH)),
        ),
    ] {
        assert_eq!(ask(check).await.unwrap(), told(found));
    }
    // What DuckDB may compare otherwise comes as rows.
    let rows = ask(unique(["delay"])).await.unwrap_err();
    let Ok(Value::Table(rows)) = rows.downcast() else {
        panic!("neither an answer nor rows");
    };
    assert_eq!(rows.num_rows(), 3);
}
