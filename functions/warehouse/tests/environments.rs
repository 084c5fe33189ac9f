//! The sample gives the same wherever its data is, and which place that is takes one setting.

#![cfg(feature = "duckdb")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use precip_tests::Project;
use serde_json::{Value, json};

/// The marts of January, as the command line shows them in CSV: `carrier_month`, then the ranking that a
/// query makes of it. And what was found where the data is: the checks of `carrier_month`.
fn january(environment: &str, project: Project) -> ([String; 2], Vec<Value>) {
    let project = project.variable("PRECIP_ENV", environment);
    project.run("doctor").expect(0, &[]);
    let select = "--select +key:carrier_rank --partitions 2013-01-01...2013-01-31";
    let made = project.run(&format!("materialize {select}"));
    // 31 days of flights, of weather and of delays, the airlines and the two marts.
    made.expect(0, &["96 materialized"]);
    let marts = ["carrier_month", "carrier_rank"].map(|mart| {
        let shown = project.run(&format!("show {mart} --partition 2013-01 --format csv"));
        shown.expect(0, &[]).out
    });
    let checks = project.run("checks carrier_month --json").json();
    let found = |check: &Value| {
        let name = &check["check"]["name"];
        json!([
            name,
            check["outcome"],
            check["description"],
            check["metadata"]
        ])
    };
    (
        marts,
        checks.as_array().unwrap().iter().map(found).collect(),
    )
}

fn project() -> Project {
    let project = Project::flights(env!("CARGO_BIN_EXE_flights-warehouse"));
    // Where `tests/duckdb` has DuckDB's library.
    match std::env::var("LD_LIBRARY_PATH") {
        Ok(folders) => project.variable("LD_LIBRARY_PATH", folders),
        Err(_) => project,
    }
}

/// What Parquet files of this machine hold: the standard for the other places.
fn in_files() -> ([String; 2], Vec<Value>) {
    let january = january("local", project());
    let ([months, ranks], checks) = &january;
    let flights = |row: &str| row.rsplit(',').nth(3)?.parse::<u32>().ok();
    assert_eq!(months.lines().filter_map(flights).sum::<u32>(), 27_004);
    assert_eq!(ranks.lines().count(), months.lines().count());
    assert!(
        ranks.starts_with("place,carrier,name,flights,mean_arr_delay,behind_first\n1,"),
        "{ranks}"
    );
    assert_eq!(checks.len(), 2, "{checks:?}");
    assert_eq!(checks[0][2], "16 rows, expected at least 1");
    january
}

#[test]
fn in_duckdb_it_is_the_same_as_in_files() {
    let project = project();
    let database = project.folder().join(".precip/flights.duckdb");
    assert!(!database.exists());
    let file = database.to_str().unwrap().to_owned();
    let project = project.variable("FLIGHTS_DUCKDB", file);
    assert_eq!(january("duckdb", project), in_files());
}

#[test]
fn what_is_made_in_one_environment_is_missing_in_another() {
    let project = project();
    let database = project.folder().join("flights.duckdb");
    let project = project.variable("FLIGHTS_DUCKDB", database.to_str().unwrap());
    for (environment, expected) in [
        ("local", "1 materialized"),
        ("local", "nothing is missing"),
        ("duckdb", "1 materialized"),
        ("duckdb", "nothing is missing"),
    ] {
        let made = project.run(&format!("materialize -s airlines --env {environment}"));
        made.expect(0, &[expected]);
        let shown = project.run(&format!("show airlines --env {environment} --format csv"));
        let shown = shown.expect(0, &[]).out;
        assert!(shown.contains("Delta Air Lines"), "{shown}");
    }
}

#[test]
fn a_warehouse_without_its_settings_is_told_before_anything_runs() {
    let project = project().variable("PRECIP_ENV", "snowflake");
    let missing = [
        "SNOWFLAKE_ACCOUNT",
        "SNOWFLAKE_USER",
        "SNOWFLAKE_DATABASE",
        "SNOWFLAKE_PASSWORD",
    ];
    let refused = project.run("materialize --select airlines");
    refused.expect(4, &missing);
}

/// What Snowflake's stand-in is needed for: `tests/snowflake COMMAND` says where it is.
mod fakesnow {
    use super::*;

    #[test]
    fn in_snowflake_it_is_the_same_as_in_files() {
        let url = std::env::var("PRECIP_TEST_SNOWFLAKE_URL").unwrap();
        let database = format!("SAMPLE_{}", std::process::id());
        let project = project()
            .variable("SNOWFLAKE_ACCOUNT", "fakesnow")
            .variable("SNOWFLAKE_USER", "PRECIP")
            .variable("SNOWFLAKE_DATABASE", database)
            .variable("SNOWFLAKE_PASSWORD", "hunter2")
            .variable("SNOWFLAKE_URL", url);
        assert_eq!(january("snowflake", project), in_files());
    }
}
