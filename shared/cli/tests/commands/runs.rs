//! Commands that start runs, and their results.

use insta::assert_snapshot;
use precip_cli::testing::Exit;

use crate::world::{World, stable_snapshots};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_shows_what_failed_and_why() {
    let _stable = stable_snapshots();
    let world = World::new().await;
    let done = world.materialize(&["--select", "+key:totals"]).await;
    assert_eq!(done, Ok(Exit::RunFailed));
    assert_snapshot!("run_failed", world.output_of("run", &["latest"]).await);
    assert_snapshot!("runs", world.output_of("runs", &[]).await);
    assert_eq!(
        world
            .output_of("partitions", &["trips", "--status", "failed"])
            .await
            .lines()
            .count(),
        2
    );
    // A retry runs what failed, which fails again, and nothing else.
    let retried = world
        .run_command("retry", &["latest"], &mut Vec::new())
        .await;
    assert_eq!(retried, Ok(Exit::RunFailed));
    assert_eq!(world.output_of("runs", &[]).await.lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_what_runs() {
    let world = World::new().await.with_json();
    let planned = world.output_of("plan", &["--select", "cities"]).await;
    let plan: precip_core::plan::Plan = serde_json::from_str(&planned).unwrap();
    assert_eq!(plan.pair_count(), 1);
    assert_eq!(
        world.materialize(&["--select", "cities"]).await,
        Ok(Exit::Done)
    );
    let run: serde_json::Value =
        serde_json::from_str(&world.output_of("run", &["latest"]).await).unwrap();
    assert_eq!(run["status"], "succeeded");
    assert_eq!(run["progress"]["succeeded"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn materialized_partitions_run_again_only_when_named() {
    let world = World::new().await;
    let days = [
        "--select",
        "trips",
        "--partitions",
        "missing:2024-01-01...2024-01-02",
    ];
    assert_eq!(world.materialize(&days).await, Ok(Exit::Done));
    // Nothing is missing: no second run.
    assert_eq!(world.materialize(&days).await, Ok(Exit::Done));
    assert_eq!(world.output_of("runs", &[]).await.lines().count(), 2);
    let day = ["--select", "trips", "--partitions", "2024-01-01"];
    assert_eq!(world.materialize(&day).await, Ok(Exit::Done));
    assert_eq!(world.output_of("runs", &[]).await.lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_key_starts_one_run() {
    let world = World::new().await;
    let keyed = [
        "--select",
        "trips",
        "--partitions",
        "2024-01-01",
        "--run-key",
        "a",
    ];
    assert_eq!(world.materialize(&keyed).await, Ok(Exit::Done));
    assert_eq!(world.materialize(&keyed).await, Ok(Exit::Done));
    assert_eq!(world.output_of("runs", &[]).await.lines().count(), 2);
    // The run has ended: cancelling it changes nothing.
    world.output_of("cancel", &["latest"]).await;
    assert!(
        world
            .output_of("run", &["latest"])
            .await
            .contains("succeeded")
    );
}
