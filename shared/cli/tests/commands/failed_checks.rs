//! Checks that do not pass: who says so, and how a repaired input gets past them.

use std::sync::atomic::{AtomicI64, Ordering};

use precip::prelude::*;
use precip_cli::testing::Exit;
use serde_json::Value;

use crate::world::{World, stable_snapshots};

static DAYS: LazyPartitions = partitions!(static("mon", "tue", "wed"));

/// The temperature that the sensor reports on Tuesday.
#[derive(Debug)]
struct Thermometer {
    tuesday: AtomicI64,
}

/// The temperature of a day.
#[asset(partitions = DAYS)]
fn readings(
    context: &AssetContext,
    #[resource] thermometer: &Thermometer,
) -> Result<Json<i64>, AssetError> {
    Ok(Json(match context.partition_key()?.as_str() {
        "tue" => thermometer.tuesday.load(Ordering::SeqCst),
        _ => 20,
    }))
}

/// Nothing is hotter than this.
#[asset_check(asset = readings, blocking)]
fn plausible(readings: Json<i64>) -> CheckResult {
    CheckResult::passed_if(readings.0 < 60)
        .description("a day is below 60 degrees")
        .metadata("celsius", readings.0)
}

/// Warm days are noted.
#[asset_check(asset = readings)]
fn mild(readings: Json<i64>) -> CheckResult {
    CheckResult::passed_if(readings.0 < 30).warn()
}

/// Made from the temperature.
#[asset(partitions = DAYS)]
fn report(readings: Json<i64>) -> Json<i64> {
    Json(readings.0 * 2)
}

fn project(tuesday: i64) -> Definitions {
    let thermometer = Thermometer {
        tuesday: AtomicI64::new(tuesday),
    };
    Definitions::builder()
        .asset::<readings>()
        .check::<plausible>()
        .check::<mild>()
        .asset::<report>()
        .environment(Environment::new("local").resource("thermometer", thermometer))
        .build()
        .unwrap()
}

/// A world whose Tuesday was implausible, and then repaired at its source.
async fn repaired_world() -> World {
    let mut world = World::with_definitions(project(99)).await;
    let first = world.materialize(&["--partitions", "all"]).await;
    assert_eq!(first, Ok(Exit::RunFailed));
    world.change_definitions(project(35)).await;
    world.session.json = true;
    world
}

impl World {
    async fn json(&self, command: &str, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.output_of(command, arguments).await).unwrap()
    }

    async fn failed_keys(&self, asset: &str) -> Vec<Value> {
        let rows = self
            .json("partitions", &[asset, "--status", "failed"])
            .await;
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["partition"].clone()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_names_the_checks_that_did_not_pass() {
    let _stable = stable_snapshots();
    let world = World::with_definitions(project(99)).await;
    let run = world.materialize(&["--partitions", "all"]).await;
    assert_eq!(run, Ok(Exit::RunFailed));
    let shown = world.output_of("run", &["latest"]).await;
    insta::assert_snapshot!("run_with_failed_checks", shown);
    let listed = world.output_of("checks", &["--failed"]).await;
    insta::assert_snapshot!("failed_checks", listed);
    let one = world.output_of("checks", &["readings", "--failed"]).await;
    assert_eq!(one.lines().count(), listed.lines().count());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_makes_what_a_blocking_check_refused_again() {
    let world = repaired_world().await;
    assert_eq!(world.failed_keys("readings").await, ["tue"]);
    let retried = world.json("retry", &["latest"]).await;
    assert_eq!(retried["status"], "succeeded");
    // The readings of Tuesday, and the report that they held back.
    assert_eq!(retried["materialized"], 2);
    assert_eq!(world.failed_keys("readings").await, [] as [Value; 0]);
    let report = world
        .output_of("show", &["report", "--partition", "tue"])
        .await;
    assert!(report.contains("70"), "{report}");
    // The warning remains, and fails nothing.
    let findings = world.json("checks", &["--failed"]).await;
    assert_eq!(findings.as_array().unwrap().len(), 1);
    assert_eq!(findings[0]["check"]["name"], "mild");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_a_blocking_check_refused_count_as_failed() {
    let world = repaired_world().await;
    let made = world
        .json(
            "materialize",
            &["--select", "readings+", "--partitions", "failed"],
        )
        .await;
    assert_eq!(
        (&made["status"], &made["materialized"]),
        (&"succeeded".into(), &1.into())
    );
    // A warning is no failure.
    assert_eq!(world.failed_keys("readings").await, [] as [Value; 0]);
    let missing = world.materialize(&["--partitions", "missing"]).await;
    assert_eq!(missing, Ok(Exit::Done));
    assert_eq!(world.failed_keys("report").await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_is_newer_than_its_failed_check_is_not_failed() {
    let world = repaired_world().await;
    let made = world
        .json(
            "materialize",
            &[
                "--select",
                "readings",
                "--partitions",
                "tue",
                "--without-checks",
            ],
        )
        .await;
    assert_eq!(made["status"], "succeeded");
    assert_eq!(world.failed_keys("readings").await, [] as [Value; 0]);
}
