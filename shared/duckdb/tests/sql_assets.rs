//! Assets written in SQL, declared and run as in a project.

use precip::{
    checks::{accepted_values, row_count, unique},
    engine::state::CheckOutcome,
    io::TableStream,
    prelude::*,
    testing,
};
use precip_duckdb::{DuckDbIoManager, Query, sql_asset};
use serde::{Deserialize, Serialize};

static DAYS: LazyPartitions = partitions!(static("2013-01-01", "2013-01-02"));

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Flight {
    day: String,
    carrier: String,
    delay: Option<i32>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Carrier {
    day: String,
    carrier: String,
    name: Option<String>,
    flights: i64,
    delay: i64,
}

#[asset(partitions = DAYS)]
fn flights(context: &AssetContext) -> Result<Vec<Flight>, AssetError> {
    let day = context.partition_key()?.to_string();
    let flight = |carrier: &str, delay| Flight {
        day: day.clone(),
        carrier: carrier.to_owned(),
        delay,
    };
    Ok(vec![
        flight("UA", Some(4)),
        flight("UA", Some(-1)),
        flight("DL", None),
    ])
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Airline {
    carrier: String,
    name: String,
}

#[asset]
fn airlines() -> Vec<Airline> {
    vec![Airline {
        carrier: "UA".to_owned(),
        name: "United".to_owned(),
    }]
}

/// Each airline's day.
#[sql_asset(
    partitions = DAYS,
    group = "marts",
    code_version = "1",
    checks = [
        row_count(1..).blocking(),
        unique(["day", "carrier"]),
        accepted_values("carrier", ["UA"]).warn(),
    ],
)]
fn carriers() -> Vec<Carrier> {
    "SELECT $partition AS day, carrier, any_value(name) AS name, count(*) AS flights,
            coalesce(sum(delay), 0) AS delay
     FROM {flights} LEFT JOIN {airlines} USING (carrier) GROUP BY carrier ORDER BY carrier"
}

fn expected_carriers(day: &str) -> Vec<Carrier> {
    let carrier = |carrier: &str, name: Option<&str>, flights, delay| Carrier {
        day: day.to_owned(),
        carrier: carrier.to_owned(),
        name: name.map(str::to_owned),
        flights,
        delay,
    };
    vec![
        carrier("DL", None, 1, 0),
        carrier("UA", Some("United"), 2, 3),
    ]
}

fn test_project() -> precip::engine::definitions::DefinitionsBuilder {
    Definitions::builder()
        .asset::<flights>()
        .asset::<airlines>()
        .asset::<carriers>()
}

#[test]
fn the_function_can_be_called() {
    let table = |rows: &[Flight]| Table::from_rows(rows).unwrap();
    // Unit tests call the function with tables of their own.
    let context = AssetContext::builder().partition("2013-01-01").build();
    let flights = [Flight {
        day: String::new(),
        carrier: "AA".to_owned(),
        delay: Some(7),
    }];
    let airlines = Table::from_rows::<Airline>(&[]).unwrap();
    let rows = carriers(table(&flights).into(), airlines.into(), &context).unwrap();
    assert_eq!((rows[0].flights, rows[0].delay), (1, 7));
}

#[test]
fn upstreams_are_the_tables_of_the_query() {
    let definitions = test_project().build().unwrap();
    let graph = definitions.graph();
    let upstreams: Vec<String> = graph
        .asset(graph.id(&carriers::key()).unwrap())
        .deps
        .iter()
        .map(|dep| dep.asset.to_string())
        .collect();
    assert_eq!(upstreams, ["flights", "airlines"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_over_upstreams_of_any_io_manager() {
    let folder = tempfile::TempDir::new().unwrap();
    let duckdb = DuckDbIoManager::open(folder.path().join("w.duckdb")).unwrap();
    let csv = precip::io::ObjectStoreIoManager::open("memory:")
        .unwrap()
        .with_format(precip::io::TableFormat::JsonLines);
    // The upstream rows come from memory, from tables of DuckDB, and from files.
    let environments = [
        Environment::new("memory"),
        Environment::new("duckdb").io_manager("default", duckdb),
        Environment::new("files").io_manager("default", csv),
    ];
    for environment in environments {
        let name = environment.name().to_owned();
        let run = testing::materialize(test_project().environment(environment))
            .select("+key:carriers")
            .partitions("all")
            .run()
            .await
            .unwrap();
        assert!(run.success(), "{name}: {:?}", run.failures());
        for day in ["2013-01-01", "2013-01-02"] {
            let rows: Vec<Carrier> = run.value::<carriers, _>(Some(day)).await.unwrap();
            assert_eq!(rows, expected_carriers(day), "{name}");
            // DuckDB computes the checks of its own tables; the results are the same.
            let mut found = run.checks::<carriers>(Some(day)).await.unwrap();
            found.sort_by(|a, b| a.check.name.cmp(&b.check.name));
            let found: Vec<(bool, &str)> = found
                .iter()
                .map(|check| {
                    let passed = check.outcome == CheckOutcome::Passed;
                    (passed, check.description.as_deref().unwrap())
                })
                .collect();
            let expected = [
                (false, "1 rows have another `carrier`, such as `DL`"),
                (true, "2 rows, expected at least 1"),
                (true, "0 rows repeat the `day`, `carrier` of another"),
            ];
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[sql_asset]
fn wrong() -> Vec<Airline> {
    "SELECT carrier, nam FROM {airlines}"
}

#[sql_asset]
fn reaches_out() -> Table {
    "SELECT * FROM read_csv('/etc/passwd')"
}

#[test]
fn an_invalid_query_fails_with_the_message_of_duckdb() {
    let airlines = Table::from_rows::<Airline>(&[]).unwrap();
    let error = wrong(airlines.into()).unwrap_err();
    assert!(error.message().contains("\"nam\" not found"), "{error}");
    assert_eq!(error.kind(), precip::engine::asset::ErrorKind::Terminal);
    let error = reaches_out().unwrap_err();
    assert!(error.message().contains("disabled"), "{error}");
}

#[test]
fn a_query_over_much_data_takes_little_memory() {
    let test = "a_query_over_much_data_takes_little_memory";
    precip_io::conformance::in_little_memory(test, async {
        // 2 GiB, which DuckDB has to spill to the disk.
        let carriers = (0..4_096).map(|n| format!("{n:01024}"));
        let carriers: Vec<String> = carriers.collect();
        let batch = Table::from_rows(&carriers).unwrap().to_batch().unwrap();
        let schema = batch.schema();
        let batches = (0..512).map(move |_| Ok(batch.clone()));
        let rows: TableStream = Query::new("SELECT value FROM carriers")
            .table("carriers", TableStream::from_batches(schema, batches))
            .run()
            .unwrap();
        let found: Vec<i64> = Query::new("SELECT count(*) AS value FROM again WHERE value > '0'")
            .table("again", rows)
            .run()
            .unwrap();
        assert_eq!(found, [4_096 * 512]);
    });
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Account {
    number: Option<i64>,
    holder: Option<String>,
}

/// Runs a query whose rows are declared.
fn query_rows<T: precip_duckdb::FromQuery>(sql: &str) -> Result<T, String> {
    let result: Result<T, AssetError> = Query::new(sql).run();
    result.map_err(|error| {
        assert_eq!(error.kind(), precip::engine::asset::ErrorKind::Terminal);
        error.message().to_owned()
    })
}

#[test]
fn a_query_must_return_the_columns_of_its_rows() {
    let mill = || Account {
        number: Some(1),
        holder: Some("mill".to_owned()),
    };
    for sql in [
        "SELECT 1 AS number, 'mill' AS holder",
        "SELECT 'mill' AS holder, 1 AS number",
        // DuckDB reads names without regard to case.
        "SELECT 'mill' AS HOLDER, 1 AS Number",
    ] {
        assert_eq!(query_rows::<Vec<Account>>(sql).unwrap(), [mill()], "{sql}");
    }
    for (sql, names) in [
        (
            "SELECT 1 AS number, 'mill' AS holdr",
            &["`holdr`", "`holder`"][..],
        ),
        ("SELECT 1 AS number", &["`holder`"]),
        (
            "SELECT 1 AS number, 'mill' AS holder, 2 AS seats",
            &["`seats`"],
        ),
        (
            "SELECT 1 AS number, 'mill' AS holder, 'm' AS \"Holder\"",
            &["`Holder`"],
        ),
        (
            "SELECT 1 AS number, 'mill' AS holder, 'm' AS holder",
            &["`holder` more than once"],
        ),
        // Without rows as well.
        (
            "SELECT 1 AS number, 'mill' AS holdr WHERE false",
            &["`holdr`", "`holder`"],
        ),
        ("SELECT count(*)", &["`count_star()`", "`number`"]),
    ] {
        let refused = query_rows::<Vec<Account>>(sql).unwrap_err();
        for name in names {
            assert!(refused.contains(name), "{sql}: {refused}");
        }
    }
    // Rows that are not structs have one column.
    assert_eq!(query_rows::<Vec<i64>>("SELECT 2 AS value").unwrap(), [2]);
    query_rows::<Vec<i64>>("SELECT 2 AS number").unwrap_err();
}

#[test]
fn a_result_without_declared_rows_has_each_column_once() {
    let twice = "SELECT 1 AS number, 2 AS number";
    let refused = query_rows::<Table>(twice).unwrap_err();
    assert!(refused.contains("`number` more than once"), "{refused}");
    query_rows::<TableStream>(twice).unwrap_err();
    let kept = query_rows::<Table>("SELECT 1 AS a, 2 AS b").unwrap();
    assert_eq!(kept.schema().fields().len(), 2);
}

#[test]
fn values_that_a_field_cannot_hold_are_refused() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Value<T> {
        x: Option<T>,
    }
    fn read<T>(sql: &str) -> Result<Option<T>, String>
    where
        T: Serialize + serde::de::DeserializeOwned + Send,
    {
        let rows = query_rows::<Vec<Value<T>>>(&format!("SELECT {sql} AS x"))?;
        Ok(rows.into_iter().next().and_then(|row| row.x))
    }
    fn refuse<T>(sql: &str)
    where
        T: Serialize + serde::de::DeserializeOwned + Send + std::fmt::Debug,
    {
        let refused = read::<T>(sql).unwrap_err();
        assert!(refused.contains("column `x"), "{sql}: {refused}");
    }
    // A sum of integers is a `HUGEINT`.
    assert_eq!(read::<i64>("sum(1::BIGINT)").unwrap(), Some(1));
    assert_eq!(read::<i32>("count(*)").unwrap(), Some(1));
    assert_eq!(read::<i32>("avg(4)").unwrap(), Some(4));
    assert_eq!(read::<f64>("0.1").unwrap(), Some(0.1));
    assert_eq!(read::<i32>("NULL").unwrap(), None);
    refuse::<i32>("1.5::DOUBLE");
    refuse::<i64>("1.5");
    refuse::<i8>("300");
    refuse::<f32>("1e300::DOUBLE");
    refuse::<f64>("9007199254740993");
    refuse::<bool>("2");
    refuse::<String>("1067");
    refuse::<i64>("'01067'");
    refuse::<chrono::NaiveDate>("TIMESTAMPTZ '2024-03-01 00:30:00+02'");
    refuse::<chrono::NaiveDate>("'2024-03-01'");
    refuse::<chrono::DateTime<chrono::Utc>>("TIMESTAMP '2024-03-01 00:30:00'");
    refuse::<chrono::DateTime<chrono::Utc>>("1704067200");
    // Within lists and structs as well.
    refuse::<Vec<i32>>("[1.5::DOUBLE]");
    refuse::<Vec<bool>>("[2]");
    refuse::<Account>("{'number': 1, 'holdr': 'mill'}");
    let account = read::<Account>("{'holder': 'mill', 'number': 1}").unwrap();
    assert_eq!(account.unwrap().holder.as_deref(), Some("mill"));
}

#[test]
fn moments_have_the_dates_of_utc_in_every_time_zone() {
    // DuckDB takes the time zone of its process, so each has one of its own.
    let test = "moments_have_the_dates_of_utc_in_every_time_zone";
    if std::env::var_os("PRECIP_TEST_TIME_ZONE").is_none() {
        for zone in ["UTC", "America/New_York", "Asia/Tokyo"] {
            let output = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", test, "--nocapture"])
                .env("PRECIP_TEST_TIME_ZONE", "1")
                .env("TZ", zone)
                .output()
                .unwrap();
            let shown = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{zone}: {shown}");
        }
        return;
    }
    let at = chrono::DateTime::from_timestamp(1_730_595_600, 0).unwrap();
    let moments = Table::from_rows(&[at]).unwrap();
    let texts: Vec<String> = Query::new(
        "SELECT concat_ws(' ', CAST(value AS DATE), CAST(value AS VARCHAR), extract(hour FROM value),
                date_trunc('day', value), CAST(TIMESTAMP '2024-11-03 01:00:00' AS TIMESTAMPTZ)) AS value
         FROM moments",
    )
    .table("moments", moments.clone())
    .run()
    .unwrap();
    let midnight = "2024-11-03 00:00:00+00";
    assert_eq!(
        texts,
        [format!(
            "2024-11-03 2024-11-03 01:00:00+00 1 {midnight} 2024-11-03 01:00:00+00"
        )]
    );
    // The zone is part of a column's type.
    let table: Table = Query::new("SELECT value FROM moments")
        .table("moments", moments)
        .run()
        .unwrap();
    assert_eq!(
        table.schema().field(0).data_type().to_string(),
        "Timestamp(µs, \"UTC\")"
    );
}
