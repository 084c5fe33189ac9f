use std::sync::Arc;

use precip_io::{
    Value,
    checks::{
        DataCheck, Measurement, MetricValue, accepted_values, fresh, not_null, row_count, unique,
    },
    conformance::{
        Case,
        Limit::{self, Otherwise, Refused},
        big_partition, check_all, killed_writer,
        testing::{Flight, address_of, load_flights, store_flights},
    },
};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::*;

/// Cases that a table with one attempt per partition, and the types of DuckDB, cannot satisfy.
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

fn temporary_manager() -> (TempDir, DuckDbIoManager) {
    let folder = TempDir::new().unwrap();
    let manager = DuckDbIoManager::open(folder.path().join("w.duckdb")).unwrap();
    (folder, manager)
}

#[tokio::test(flavor = "multi_thread")]
async fn people_query_a_table_named_as_the_asset() {
    let (_folder, manager) = temporary_manager();
    for day in ["2013-01-01", "2013-01-02"] {
        let rows = vec![Flight::of_carrier("UA"), Flight::of_carrier("DL")];
        store_flights(&manager, Some(day), rows).await.unwrap();
    }
    // Storing a partition again replaces its rows only.
    let again = vec![Flight::of_carrier("AA")];
    store_flights(&manager, Some("2013-01-01"), again)
        .await
        .unwrap();
    let found = manager
        .run_blocking(|database| {
            database.run_read(|sql| {
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
async fn new_optional_columns_are_added_and_other_changes_are_refused() {
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
    let (_folder, manager) = temporary_manager();
    let first = store_flights(&manager, Some("1"), vec![Flight::of_carrier("UA")]).await;
    let row = WithGate {
        carrier: "DL".to_owned(),
        delay: Some(3),
        gate: Some("B7".to_owned()),
    };
    store_flights(&manager, Some("2"), vec![row]).await.unwrap();
    let before: Vec<Flight> = load_flights(&manager, &first.unwrap()).await;
    assert_eq!(before, [Flight::of_carrier("UA")]);

    let other = || {
        vec![Other {
            carrier: 1,
            seats: 2,
        }]
    };
    // A changed type and a new required column are both reported.
    let refused = store_flights(&manager, Some("3"), other())
        .await
        .unwrap_err();
    assert_eq!(
        refused,
        "asset `raw/flights`, partition `3`: its columns are not those of table \"raw\".\"flights\", which has \
         other partitions: `carrier` was Utf8 and is Int64; `seats` is new, and its rows must have one; make \
         what is new optional, or drop the table and make every partition again"
    );
    // Nothing was stored, and the other partitions are unchanged.
    let kept: Vec<WithGate> = load_flights(&manager, "raw/flights?2").await;
    assert_eq!(kept.len(), 1);

    // Without other partitions, the columns may change in any way.
    let (_folder, manager) = temporary_manager();
    store_flights(&manager, None, vec![Flight::of_carrier("UA")])
        .await
        .unwrap();
    store_flights(&manager, None, other()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_escaped() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Odd {
        #[serde(rename = "a\"; DROP TABLE x; --")]
        odd: i32,
    }
    let (_folder, manager) = temporary_manager();
    let key = "'; DROP TABLE raw.flights; --";
    let pointer = store_flights(&manager, Some(key), vec![Odd { odd: 1 }])
        .await
        .unwrap();
    assert_eq!(
        load_flights::<Vec<Odd>>(&manager, &pointer).await,
        [Odd { odd: 1 }]
    );

    // A column that collides with the one of the partition key, in another case.
    #[derive(Serialize, Deserialize)]
    struct Taken {
        #[serde(rename = "_PARTITION")]
        partition: i32,
    }
    let (_folder, manager) = temporary_manager();
    let taken = vec![Taken { partition: 1 }];
    let refused = store_flights(&manager, Some("x"), taken).await.unwrap_err();
    assert!(refused.contains("give it another name"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_another_program_is_left_alone() {
    let (_folder, manager) = temporary_manager();
    let made = manager.run_blocking(|database| {
        database.run_write(|sql| {
            sql.execute_batch("CREATE SCHEMA raw; CREATE TABLE raw.FLIGHTS AS SELECT 1 AS one")?;
            Ok(())
        })
    });
    made.await.unwrap();
    let refused = store_flights(&manager, None, vec![Flight::of_carrier("UA")])
        .await
        .unwrap_err();
    assert!(refused.contains("did not make"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_managers_of_one_file_are_one_database() {
    let (folder, manager) = temporary_manager();
    // Another path to the same file.
    let other = DuckDbIoManager::open(folder.path().join("./w.duckdb")).unwrap();
    assert!(Arc::ptr_eq(&manager.database, &other.database));
}

/// Environment variable with the database file, set in the second process.
const SECOND_PROCESS_FILE: &str = "PRECIP_DUCKDB_OTHER";

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_store_at_the_same_time() {
    let (folder, manager) = temporary_manager();
    let store_eight = |manager: DuckDbIoManager, who: &'static str| async move {
        for n in 0..8 {
            let key = format!("{who}-{n}");
            store_flights(&manager, Some(&key), vec![Flight::of_carrier(&key)])
                .await
                .unwrap();
        }
    };
    if let Ok(file) = std::env::var(SECOND_PROCESS_FILE) {
        store_eight(DuckDbIoManager::open(file).unwrap(), "other").await;
        return;
    }
    // The test starts itself as the second process.
    let mut other = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "manager::tests::two_processes_store_at_the_same_time",
        ])
        .env(SECOND_PROCESS_FILE, folder.path().join("w.duckdb"))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // From several tasks, as the executor does.
    let ours = ["a", "b", "c"].map(|who| tokio::spawn(store_eight(manager.clone(), who)));
    for stored in ours {
        stored.await.unwrap();
    }
    assert!(other.wait().unwrap().success());
    for who in ["a", "b", "c", "other"] {
        for n in 0..8 {
            let key = format!("{who}-{n}");
            let back: Vec<Flight> = load_flights(&manager, &format!("raw/flights?{key}")).await;
            assert_eq!(back, [Flight::of_carrier(&key)]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_computed_by_the_database() {
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
    let (_folder, manager) = temporary_manager();
    let rows = vec![landing(None), landing(Some("B7")), landing(Some("B7"))];
    let pointer = store_flights(&manager, Some("1"), rows).await.unwrap();
    let others = vec![landing(Some("A1"))];
    store_flights(&manager, Some("2"), others).await.unwrap();
    let compute = async |check: DataCheck| {
        let address = address_of("raw/flights", Some("1"), 1);
        let answer = manager
            .load(&address, &pointer, &check.load_request(None))
            .await;
        answer.unwrap().downcast::<Measurement>()
    };
    let measurement = |value| Measurement { rows: 3, value };
    for (check, value) in [
        (row_count(1..), MetricValue::RowsOnly),
        (not_null("gate"), MetricValue::Count(1, Vec::new())),
        (unique(["gate", "at"]), MetricValue::Count(1, Vec::new())),
        (
            accepted_values("gate", ["C3"]),
            MetricValue::Count(2, vec!["B7".to_owned()]),
        ),
        (
            fresh("at", std::time::Duration::from_secs(1)),
            MetricValue::Latest(Some(chrono::DateTime::UNIX_EPOCH)),
        ),
    ] {
        assert_eq!(compute(check).await.unwrap(), measurement(value));
    }
    // DuckDB may compare floats differently, so they come as rows.
    let rows = compute(unique(["delay"])).await.unwrap_err();
    let Ok(Value::Table(rows)) = rows.downcast() else {
        panic!("neither a measurement nor rows");
    };
    assert_eq!(rows.num_rows(), 3);
}

#[test]
fn a_database_uses_utc_in_every_time_zone() {
    let test = "manager::tests::a_database_uses_utc_in_every_time_zone";
    if std::env::var_os("PRECIP_TEST_TIME_ZONE").is_none() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env("PRECIP_TEST_TIME_ZONE", "1")
            .env("TZ", "Asia/Tokyo")
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{shown}");
        return;
    }
    let (_folder, manager) = temporary_manager();
    let zone: String = manager
        .database
        .run_read(|sql| {
            let query =
                "SELECT CAST(CAST(TIMESTAMPTZ '2024-11-02 20:00:00+00' AS DATE) AS VARCHAR)";
            Ok(sql.query_row(query, [], |row| row.get(0))?)
        })
        .unwrap();
    assert_eq!(zone, "2024-11-02");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_another_program_put_into_a_table_are_not_read_as_others() {
    let (_folder, manager) = temporary_manager();
    let flight = || {
        vec![Flight {
            carrier: "UA".to_owned(),
            delay: Some(1),
        }]
    };
    let pointer = store_flights(&manager, None, flight()).await.unwrap();
    manager
        .database
        .run_write(|sql| {
            Ok(sql.execute_batch(
                "ALTER TABLE raw.flights ALTER delay TYPE BIGINT;
                 UPDATE raw.flights SET delay = 3000000000;",
            )?)
        })
        .unwrap();
    let address = address_of("raw/flights", None, 1);
    let loaded = manager
        .load(&address, &pointer, &LoadRequest::everything())
        .await;
    let message = precip_io::conformance::testing::error_chain(&loaded.unwrap_err());
    assert!(message.contains("3000000000"), "{message}");
}
