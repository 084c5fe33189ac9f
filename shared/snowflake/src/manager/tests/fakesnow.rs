//! Tests of the manager on fakesnow: `tests/with/snowflake COMMAND` sets its address.

use std::{env, path::Path, process, time::SystemTime};

use arrow_array::{ArrayRef, Decimal128Array, RecordBatch};
use precip_io::{
    Table,
    checks::{Measurement, MetricValue, accepted_values, not_null, row_count, unique},
    conformance::{
        Case,
        Limit::{self, Otherwise, Refused},
        check_all, killed_writer,
        testing::{Flight, load_flights, store_flights},
    },
};
use serde::{Deserialize, Serialize};
use snowflake_connector_rs::Statement;

use super::*;

/// Cases that a table with one attempt per partition, or fakesnow, cannot satisfy.
const LIMITS: &[Limit] = &[
    Otherwise(Case::Attempts),
    Refused(Case::ListAndRemove),
    // Not a limit of the manager: fakesnow stores a `NUMBER(38, 0)` in 64 bits.
    Otherwise(Case::Decimals),
];

/// Returns a connection to a new database, which fakesnow creates on first use.
fn test_connection(name: &str) -> SnowflakeConnection {
    let url = env::var("PRECIP_TEST_SNOWFLAKE_URL")
        .expect("PRECIP_TEST_SNOWFLAKE_URL names fakesnow: run this by `tests/with/snowflake`");
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let database = format!("{name}_{}_{since}", process::id());
    let password = Secret::new("hunter2".to_owned());
    SnowflakeConnection::with_password("fakesnow", "PRECIP", database, password)
        .url(url.parse().unwrap())
}

fn test_manager(name: &str) -> SnowflakeIoManager {
    SnowflakeIoManager::new(test_connection(name)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_conforms() {
    let next = std::cell::Cell::new(0);
    let make = || {
        let n = next.replace(next.get() + 1);
        test_manager(&format!("conforms{n}"))
    };
    check_all(make, LIMITS).await;
}

#[test]
fn a_killed_writer_leaves_whole_partitions() {
    let test = "manager::tests::fakesnow::a_killed_writer_leaves_whole_partitions";
    let database = test_connection("killed").database;
    killed_writer(test, Path::new(&database), |database| {
        let mut connection = test_connection("killed");
        connection.database = database.to_str().unwrap().to_owned();
        SnowflakeIoManager::new(connection).unwrap()
    });
}

async fn run_sql(manager: &SnowflakeIoManager, sql: &str) -> Vec<String> {
    let session = manager.inner.sessions.take_session().await.unwrap();
    let rows = session
        .query_rows(Statement::new(sql.to_owned()))
        .await
        .unwrap();
    rows.iter()
        .map(|row| format!("{:?}", row.values()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_query_a_table_as_they_write_its_name() {
    let manager = test_manager("people");
    for day in ["2013-01-01", "2013-01-02"] {
        let rows = vec![Flight::of_carrier("UA"), Flight::of_carrier("DL")];
        store_flights(&manager, Some(day), rows).await.unwrap();
    }
    // Storing a partition again replaces its rows only.
    let again = vec![Flight::of_carrier("AA")];
    store_flights(&manager, Some("2013-01-01"), again)
        .await
        .unwrap();
    let found = run_sql(
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
    let manager = test_manager("evolves");
    let first = store_flights(&manager, Some("1"), vec![Flight::of_carrier("UA")]).await;
    let row = || WithGate {
        carrier: "DL".to_owned(),
        delay: Some(3),
        gate: Some("B7".to_owned()),
    };
    store_flights(&manager, Some("2"), vec![row()])
        .await
        .unwrap();
    let before: Vec<Flight> = load_flights(&manager, &first.unwrap()).await;
    assert_eq!(before, [Flight::of_carrier("UA")]);

    let other = vec![Other {
        carrier: 1,
        seats: 2,
    }];
    let refused = store_flights(&manager, Some("3"), other).await.unwrap_err();
    assert_eq!(
        refused,
        "asset `raw/flights`, partition `3`: its columns are not those of table \"RAW\".\"FLIGHTS\", which has \
         other partitions: `carrier` was Utf8 and is Int64; `seats` is new, and its rows must have one; make \
         what is new optional, or drop the table and make every partition again"
    );
    // Nothing was stored, and the other partitions are unchanged.
    let kept: Vec<WithGate> = load_flights(&manager, "raw/flights?2").await;
    assert_eq!(kept, [row()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_table_is_created_again_without_earlier_partitions() {
    let manager = test_manager("dropped");
    store_flights(&manager, Some("1"), vec![Flight::of_carrier("UA")])
        .await
        .unwrap();
    // Loading after the table was dropped by hand is an error that names it.
    run_sql(&manager, "DROP TABLE raw.flights").await;
    let (address, everything) = (
        address_of("raw/flights", Some("1"), 1),
        LoadRequest::everything(),
    );
    let gone = manager.load(&address, "raw/flights?1", &everything);
    let message = error_chain(&gone.await.unwrap_err());
    assert!(
        message.starts_with(
            "asset `raw/flights`, partition `1`: failed to load it from Snowflake's database"
        ),
        "{message}"
    );
    assert!(
        message.contains("FLIGHTS") && message.contains("does not exist"),
        "{message}"
    );

    // After one failed attempt the manager no longer assumes that the table exists.
    let failed = store_flights(&manager, Some("2"), vec![Flight::of_carrier("DL")])
        .await
        .unwrap_err();
    assert!(failed.contains("does not exist"), "{failed}");
    store_flights(&manager, Some("2"), vec![Flight::of_carrier("DL")])
        .await
        .unwrap();
    let gone = manager.load(&address, "raw/flights?1", &everything);
    assert!(matches!(gone.await, Err(IoError::NotFound { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn decimals_keep_every_digit() {
    let manager = test_manager("decimals");
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
    let pointer = store_flights(&manager, None, table.clone()).await.unwrap();
    assert_eq!(load_flights::<Table>(&manager, &pointer).await, table);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_computed_by_the_database() {
    let manager = test_manager("asked");
    let late = |carrier, delay| Flight {
        delay,
        ..Flight::of_carrier(carrier)
    };
    let rows = vec![
        Flight::of_carrier("UA"),
        late("DL", Some(3)),
        Flight::of_carrier("UA"),
    ];
    let pointer = store_flights(&manager, Some("1"), rows).await.unwrap();
    let others = vec![late("AA", Some(1))];
    store_flights(&manager, Some("2"), others).await.unwrap();
    for (check, value) in [
        (row_count(1..), MetricValue::RowsOnly),
        (not_null("delay"), MetricValue::Count(2, Vec::new())),
        (
            unique(["carrier", "delay"]),
            MetricValue::Count(0, Vec::new()),
        ),
        (
            unique(["carrier", "delay"]).nulls_not_distinct(),
            MetricValue::Count(1, Vec::new()),
        ),
        (
            accepted_values("carrier", ["UA"]),
            MetricValue::Count(1, vec!["DL".to_owned()]),
        ),
    ] {
        let address = address_of("raw/flights", Some("1"), 1);
        let answer = manager
            .load(&address, &pointer, &check.load_request(None))
            .await;
        let measurement: Measurement = answer.unwrap().downcast().unwrap();
        assert_eq!(measurement, Measurement { rows: 3, value });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_escaped() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Odd {
        #[serde(rename = "a\"; DROP TABLE x; --")]
        odd: i32,
    }
    let manager = test_manager("names");
    let key = "'; DROP TABLE raw.flights; --";
    let pointer = store_flights(&manager, Some(key), vec![Odd { odd: 1 }])
        .await
        .unwrap();
    assert_eq!(
        load_flights::<Vec<Odd>>(&manager, &pointer).await,
        [Odd { odd: 1 }]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_another_program_is_left_alone() {
    let manager = test_manager("foreign");
    run_sql(&manager, "CREATE SCHEMA raw").await;
    run_sql(&manager, "CREATE TABLE raw.flights AS SELECT 1 AS one").await;
    let refused = store_flights(&manager, None, vec![Flight::of_carrier("UA")])
        .await
        .unwrap_err();
    assert!(refused.contains("did not make"), "{refused}");

    let value = vec![Flight::of_carrier("UA")].into_asset().unwrap();
    let mut address = address_of("raw/flights", None, 1);
    address.asset = "raw/carriers".parse().unwrap();
    manager.store(&address, value).await.unwrap();
    let value = vec![Flight::of_carrier("UA")].into_asset().unwrap();
    address.asset = "raw/Carriers".parse().unwrap();
    let refused = manager
        .store(&address, value)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("would be that of asset `raw/carriers`"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_too_long_is_refused_and_the_old_one_stays() {
    let manager = test_manager("long");
    let pointer = store_flights(&manager, None, "old".to_owned())
        .await
        .unwrap();
    let long = "x".repeat(9 * 1024 * 1024);
    let refused = store_flights(&manager, None, long).await.unwrap_err();
    assert!(refused.contains("keeps 8388608 in one value"), "{refused}");
    assert_eq!(load_flights::<String>(&manager, &pointer).await, "old");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_ends_before_its_commit_leaves_the_old_rows() {
    let connection = test_connection("gone");
    let manager = SnowflakeIoManager::new(connection.clone()).unwrap();
    let old = vec![Flight::of_carrier("UA"), Flight::of_carrier("DL")];
    let pointer = store_flights(&manager, Some("1"), old.clone())
        .await
        .unwrap();

    // Another process does everything but the commit, and ends.
    let other = SnowflakeIoManager::new(connection).unwrap();
    let session = other.inner.sessions.take_session().await.unwrap();
    let newer = address_of("raw/flights", Some("1"), 2);
    let table = other.inner.table_name(&newer.asset);
    let rows = vec![Flight::of_carrier("AA")].into_asset().unwrap();
    let input = StoreInput::from_value(&newer, rows, &env::temp_dir())
        .await
        .unwrap();
    store::begin_transaction(&session, &newer).await.unwrap();
    store::replace_partition(&session, &newer, &table, input)
        .await
        .unwrap();
    let within = session
        .query_rows("SELECT carrier FROM raw.flights")
        .await
        .unwrap();
    assert_eq!(within.len(), 1, "the transaction itself sees the new row");
    drop(session);

    assert_eq!(load_flights::<Vec<Flight>>(&manager, &pointer).await, old);
    assert_eq!(
        run_sql(&manager, "SELECT carrier FROM raw.flights")
            .await
            .len(),
        2
    );
}

/// Environment variable with the database, set in the second process.
const SECOND_PROCESS_DATABASE: &str = "PRECIP_SNOWFLAKE_OTHER";

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_store_at_the_same_time() {
    let store_four = |manager: SnowflakeIoManager, who: &'static str| async move {
        for n in 0..4 {
            let key = format!("{who}-{n}");
            store_flights(&manager, Some(&key), vec![Flight::of_carrier(&key)])
                .await
                .unwrap();
        }
    };
    let mut connection = test_connection("processes");
    if let Ok(database) = env::var(SECOND_PROCESS_DATABASE) {
        connection.database = database;
        store_four(SnowflakeIoManager::new(connection).unwrap(), "other").await;
        return;
    }
    let manager = SnowflakeIoManager::new(connection.clone()).unwrap();
    store_flights(&manager, Some("first"), vec![Flight::of_carrier("first")])
        .await
        .unwrap();
    // The test starts itself as the second process.
    let mut other = process::Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "manager::tests::fakesnow::two_processes_store_at_the_same_time",
        ])
        .env(SECOND_PROCESS_DATABASE, &connection.database)
        .stdout(process::Stdio::null())
        .spawn()
        .unwrap();
    // From several tasks, as the executor does.
    let ours = ["a", "b"].map(|who| tokio::spawn(store_four(manager.clone(), who)));
    for stored in ours {
        stored.await.unwrap();
    }
    assert!(other.wait().unwrap().success());
    for who in ["a", "b", "other"] {
        for n in 0..4 {
            let key = format!("{who}-{n}");
            let back: Vec<Flight> = load_flights(&manager, &format!("raw/flights?{key}")).await;
            assert_eq!(back, [Flight::of_carrier(&key)]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_run_in_utc() {
    let manager = test_manager("utc");
    // The stand-in ignores session parameters that it does not know, and has the machine's zone then.
    let found = run_sql(
        &manager,
        "SELECT TO_VARCHAR(CAST('2024-11-03 01:00:00 +00:00' AS TIMESTAMP_LTZ)::DATE) AS day",
    );
    assert_eq!(found.await, [r#"[String("2024-11-03")]"#]);
}
