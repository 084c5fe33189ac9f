//! The sample gives the same result in every environment, which one setting selects.

#![cfg(feature = "duckdb")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use precip_tests::Project;
use serde_json::{Value, json};

/// Materializes January in an environment. Returns the marts as CSV (`carrier_month`, then the
/// ranking that a query makes from it) and the results of the checks of `carrier_month`.
fn materialize_january(environment: &str, project: Project) -> ([String; 2], Vec<Value>) {
    let project = project.with_variable("PRECIP_ENV", environment);
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

/// Returns a project of the sample in a new folder.
fn sample_project() -> Project {
    let project = Project::flights_sample(env!("CARGO_BIN_EXE_flights-warehouse"));
    // `tests/duckdb` sets the folder of DuckDB's library.
    match std::env::var("LD_LIBRARY_PATH") {
        Ok(folders) => project.with_variable("LD_LIBRARY_PATH", folders),
        Err(_) => project,
    }
}

/// Returns the result of Parquet files, which all other environments have to equal.
fn results_in_files() -> ([String; 2], Vec<Value>) {
    let january = materialize_january("local", sample_project());
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
fn duckdb_gives_the_same_results_as_files() {
    let local = sample_project();
    let database = local.folder().join(".precip/flights.duckdb");
    assert!(!database.exists());
    let file = database.to_str().unwrap().to_owned();
    let project = local.with_variable("FLIGHTS_DUCKDB", file);
    assert_eq!(materialize_january("duckdb", project), results_in_files());
}

#[test]
fn partitions_made_in_one_environment_are_missing_in_another() {
    let local = sample_project();
    let database = local.folder().join("flights.duckdb");
    let project = local.with_variable("FLIGHTS_DUCKDB", database.to_str().unwrap());
    for (environment, expected) in [
        ("local", "1 materialized"),
        ("local", "nothing is missing"),
        ("duckdb", "1 materialized"),
        ("duckdb", "nothing is missing"),
    ] {
        let made = project.run(&format!("materialize -s airlines --env {environment}"));
        made.expect(0, &[expected]);
        let shown = project.run(&format!("show airlines --env {environment} --format csv"));
        let csv = shown.expect(0, &[]).out;
        assert!(csv.contains("Delta Air Lines"), "{csv}");
    }
}

#[test]
fn missing_settings_of_a_warehouse_are_reported_before_anything_runs() {
    let project = sample_project().with_variable("PRECIP_ENV", "snowflake");
    let missing = [
        "SNOWFLAKE_ACCOUNT",
        "SNOWFLAKE_USER",
        "SNOWFLAKE_DATABASE",
        "SNOWFLAKE_PASSWORD",
    ];
    let refused = project.run("materialize --select airlines");
    refused.expect(4, &missing);
}

/// Tests that need a Snowflake server: `tests/with/snowflake COMMAND` starts one and sets its address.
mod fakesnow {
    use super::*;

    #[test]
    fn snowflake_gives_the_same_results_as_files() {
        let url = std::env::var("PRECIP_TEST_SNOWFLAKE_URL").unwrap();
        let database = format!("SAMPLE_{}", std::process::id());
        let project = sample_project()
            .with_variable("SNOWFLAKE_ACCOUNT", "fakesnow")
            .with_variable("SNOWFLAKE_USER", "PRECIP")
            .with_variable("SNOWFLAKE_DATABASE", database)
            .with_variable("SNOWFLAKE_PASSWORD", "hunter2")
            .with_variable("SNOWFLAKE_URL", url);
        assert_eq!(
            materialize_january("snowflake", project),
            results_in_files()
        );
    }
}
