//! The manager on Snowflake's stand-in: `tests/snowflake COMMAND` says where it is.

use std::{env, path::Path, process, time::SystemTime};

use arrow_array::{ArrayRef, Decimal128Array, RecordBatch};
use precip_io::{
    FromAsset, Table,
    checks::{Found, Measured, accepted_values, not_null, row_count, unique},
    conformance::{
        Case,
        Limit::{self, Otherwise, Refused},
        check_all, killed_writer,
    },
};
use serde::{Deserialize, Serialize};
use snowflake_connector_rs::Statement;

use super::*;

/// What a table that is replaced cannot give, and what its stand-in has not.
const LIMITS: &[Limit] = &[
    Otherwise(Case::Attempts),
    Refused(Case::ListAndRemove),
    // Not the manager's: fakesnow has 64 bits for a `NUMBER(38, 0)`.
    Otherwise(Case::Decimals),
];

/// A database of this test's own: fakesnow makes it when it is asked for.
fn database(name: &str) -> SnowflakeConnection {
    let url = env::var("PRECIP_TEST_SNOWFLAKE_URL")
        .expect("PRECIP_TEST_SNOWFLAKE_URL names the stand-in: run this by `tests/snowflake`");
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let database = format!("{name}_{}_{since}", process::id());
    let password = Secret::new("hunter2".to_owned());
    SnowflakeConnection::with_password("fakesnow", "PRECIP", database, password)
        .url(url.parse().unwrap())
}

fn manager(name: &str) -> SnowflakeIoManager {
    SnowflakeIoManager::new(database(name)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_conforms() {
    let next = std::cell::Cell::new(0);
    let make = || {
        let n = next.replace(next.get() + 1);
        manager(&format!("conforms{n}"))
    };
    check_all(make, LIMITS).await;
}

#[test]
fn a_killed_writer_leaves_whole_partitions() {
    let test = "manager::tests::fakesnow::a_killed_writer_leaves_whole_partitions";
    let place = database("killed").database;
    killed_writer(test, Path::new(&place), |place| {
        let mut connection = database("killed");
        connection.database = place.to_str().unwrap().to_owned();
        SnowflakeIoManager::new(connection).unwrap()
    });
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    manager: &SnowflakeIoManager,
    partition: Option<&str>,
    value: impl IntoAsset,
) -> Result<String, String> {
    let value = value.into_asset().unwrap();
    let stored = manager.store(&address(partition, 1), value).await;
    stored.map(|stored| stored.pointer).map_err(whole)
}

async fn load<T: FromAsset>(manager: &SnowflakeIoManager, pointer: &str) -> T {
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

async fn run(manager: &SnowflakeIoManager, sql: &str) -> Vec<String> {
    let open = manager.inner.sessions.take().await.unwrap();
    let rows = open.rows(Statement::new(sql.to_owned())).await.unwrap();
    rows.iter()
        .map(|row| format!("{:?}", row.values()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_query_a_table_as_they_write_its_name() {
    let manager = manager("people");
    for day in ["2013-01-01", "2013-01-02"] {
        let rows = vec![flight("UA"), flight("DL")];
        store(&manager, Some(day), rows).await.unwrap();
    }
    let again = vec![flight("AA")];
    store(&manager, Some("2013-01-01"), again).await.unwrap();
    let found = run(
        &manager,
        "SELECT _partition || ' ' || LISTAGG(carrier, ',') WITHIN GROUP (ORDER BY carrier) AS said
         FROM raw.flights GROUP BY _partition ORDER BY 1",
    );
    assert_eq!(
        found.await,
        [
            r#"[String("2013-01-01 AA")]"#,
            r#"[String("2013-01-02 DL,UA")]"#
        ]
    );
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
    let manager = manager("evolves");
    let first = store(&manager, Some("1"), vec![flight("UA")]).await;
    let row = || WithGate {
        carrier: "DL".to_owned(),
        delay: Some(3),
        gate: Some("B7".to_owned()),
    };
    store(&manager, Some("2"), vec![row()]).await.unwrap();
    let before: Vec<Flight> = load(&manager, &first.unwrap()).await;
    assert_eq!(before, [flight("UA")]);

    let other = vec![Other {
        carrier: 1,
        seats: 2,
    }];
    let refused = store(&manager, Some("3"), other).await.unwrap_err();
    assert_eq!(
        refused,
        "asset `raw/flights`, partition `3`: its columns are not those of table \"RAW\".\"FLIGHTS\", which has \
         other partitions: `carrier` was Utf8 and is Int64; `seats` is new, and its rows must have one; make \
         what is new optional, or drop the table and make every partition again"
    );
    // Nothing of it is there, and what was there still is.
    let kept: Vec<WithGate> = load(&manager, "raw/flights?2").await;
    assert_eq!(kept, [row()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_table_is_made_again_and_holds_nothing_of_before() {
    let manager = manager("dropped");
    store(&manager, Some("1"), vec![flight("UA")])
        .await
        .unwrap();
    run(&manager, "DROP TABLE raw.flights").await;
    let (of, everything) = (address(Some("1"), 1), LoadRequest::everything());
    let gone = manager.load(&of, "raw/flights?1", &everything);
    let gone = whole(gone.await.unwrap_err());
    assert!(
        gone.starts_with(
            "asset `raw/flights`, partition `1`: failed to load it from Snowflake's database"
        ),
        "{gone}"
    );
    assert!(
        gone.contains("FLIGHTS") && gone.contains("does not exist"),
        "{gone}"
    );

    // It is not known any more that the table was there, when one attempt has failed.
    let failed = store(&manager, Some("2"), vec![flight("DL")])
        .await
        .unwrap_err();
    assert!(failed.contains("does not exist"), "{failed}");
    store(&manager, Some("2"), vec![flight("DL")])
        .await
        .unwrap();
    let gone = manager.load(&of, "raw/flights?1", &everything);
    assert!(matches!(gone.await, Err(IoError::NotFound { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn decimals_keep_every_digit() {
    let manager = manager("decimals");
    let decimals = |values: Vec<Option<i128>>, precision, scale| -> ArrayRef {
        let array = Decimal128Array::from(values).with_precision_and_scale(precision, scale);
        Arc::new(array.unwrap())
    };
    let longest = 10_i128.pow(38) - 1;
    let columns = [
        (
            "price",
            decimals(vec![Some(1), None, Some(-123_456_789)], 20, 4),
        ),
        (
            "whole",
            decimals(vec![Some(longest / 10), None, Some(0)], 37, 0),
        ),
        (
            "exact",
            decimals(vec![Some(longest), Some(-longest), None], 38, 10),
        ),
    ];
    let table: Table = RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, true)),
    )
    .unwrap()
    .into();
    let pointer = store(&manager, None, table.clone()).await.unwrap();
    assert_eq!(load::<Table>(&manager, &pointer).await, table);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_asked_and_no_rows_are_loaded() {
    let manager = manager("asked");
    let late = |carrier, delay| Flight {
        delay,
        ..flight(carrier)
    };
    let rows = vec![flight("UA"), late("DL", Some(3)), flight("UA")];
    let pointer = store(&manager, Some("1"), rows).await.unwrap();
    let others = vec![late("AA", Some(1))];
    store(&manager, Some("2"), others).await.unwrap();
    for (check, found) in [
        (row_count(1..), Found::Nothing),
        (not_null("delay"), Found::Rows(2, Vec::new())),
        (unique(["carrier", "delay"]), Found::Rows(1, Vec::new())),
        (
            accepted_values("carrier", ["UA"]),
            Found::Rows(1, vec!["DL".to_owned()]),
        ),
    ] {
        let address = address(Some("1"), 1);
        let answer = manager.load(&address, &pointer, &check.request(None)).await;
        let measured: Measured = answer.unwrap().downcast().unwrap();
        assert_eq!(measured, Measured { rows: 3, found });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_taken_as_names() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Odd {
        #[serde(rename = "a\"; DROP TABLE x; --")]
        odd: i32,
    }
    let manager = manager("names");
    let key = "'; DROP TABLE raw.flights; --";
    let pointer = store(&manager, Some(key), vec![Odd { odd: 1 }])
        .await
        .unwrap();
    assert_eq!(load::<Vec<Odd>>(&manager, &pointer).await, [Odd { odd: 1 }]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_somebody_else_is_left_alone() {
    let manager = manager("foreign");
    run(&manager, "CREATE SCHEMA raw").await;
    run(&manager, "CREATE TABLE raw.flights AS SELECT 1 AS one").await;
    let refused = store(&manager, None, vec![flight("UA")]).await.unwrap_err();
    assert!(refused.contains("did not make"), "{refused}");

    let value = vec![flight("UA")].into_asset().unwrap();
    let mut of = address(None, 1);
    of.asset = "raw/carriers".parse().unwrap();
    manager.store(&of, value).await.unwrap();
    let value = vec![flight("UA")].into_asset().unwrap();
    of.asset = "raw/Carriers".parse().unwrap();
    let refused = manager.store(&of, value).await.unwrap_err().to_string();
    assert!(
        refused.contains("would be that of asset `raw/carriers`"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_too_long_is_refused_and_the_old_one_stays() {
    let manager = manager("long");
    let pointer = store(&manager, None, "old".to_owned()).await.unwrap();
    let long = "x".repeat(9 * 1024 * 1024);
    let refused = store(&manager, None, long).await.unwrap_err();
    assert!(refused.contains("keeps 8388608 in one value"), "{refused}");
    assert_eq!(load::<String>(&manager, &pointer).await, "old");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_gone_before_its_commit_leaves_the_old_rows() {
    let connection = database("gone");
    let manager = SnowflakeIoManager::new(connection.clone()).unwrap();
    let old = vec![flight("UA"), flight("DL")];
    let pointer = store(&manager, Some("1"), old.clone()).await.unwrap();

    // Another process does all of it but the commit, and is heard of no more.
    let other = SnowflakeIoManager::new(connection).unwrap();
    let open = other.inner.sessions.take().await.unwrap();
    let newer = address(Some("1"), 2);
    let table = other.inner.table(&newer.asset);
    let rows = vec![flight("AA")].into_asset().unwrap();
    let given = Given::take(&newer, rows, &env::temp_dir()).await.unwrap();
    store::begin(&open, &newer).await.unwrap();
    store::replace(&open, &newer, &table, given).await.unwrap();
    let within = open.rows("SELECT carrier FROM raw.flights").await.unwrap();
    assert_eq!(within.len(), 1, "the transaction itself sees the new row");
    drop(open);

    assert_eq!(load::<Vec<Flight>>(&manager, &pointer).await, old);
    assert_eq!(
        run(&manager, "SELECT carrier FROM raw.flights").await.len(),
        2
    );
}

/// Where two processes store, and that this is the other.
const OTHER: &str = "PRECIP_SNOWFLAKE_OTHER";

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_store_at_the_same_time() {
    let store_some = |manager: SnowflakeIoManager, who: &'static str| async move {
        for n in 0..4 {
            let key = format!("{who}-{n}");
            store(&manager, Some(&key), vec![flight(&key)])
                .await
                .unwrap();
        }
    };
    let mut connection = database("processes");
    if let Ok(database) = env::var(OTHER) {
        connection.database = database;
        store_some(SnowflakeIoManager::new(connection).unwrap(), "other").await;
        return;
    }
    let manager = SnowflakeIoManager::new(connection.clone()).unwrap();
    store(&manager, Some("first"), vec![flight("first")])
        .await
        .unwrap();
    let mut other = process::Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "manager::tests::fakesnow::two_processes_store_at_the_same_time",
        ])
        .env(OTHER, &connection.database)
        .stdout(process::Stdio::null())
        .spawn()
        .unwrap();
    // From several tasks, as the executor does.
    let ours = ["a", "b"].map(|who| tokio::spawn(store_some(manager.clone(), who)));
    for stored in ours {
        stored.await.unwrap();
    }
    assert!(other.wait().unwrap().success());
    for who in ["a", "b", "other"] {
        for n in 0..4 {
            let key = format!("{who}-{n}");
            let back: Vec<Flight> = load(&manager, &format!("raw/flights?{key}")).await;
            assert_eq!(back, [flight(&key)]);
        }
    }
}
