//! Commands that start runs, and their results.

use chrono::TimeDelta;
use insta::assert_snapshot;
use precip_cli::testing::Exit;
use precip_engine::{
    run::{Clock, SystemClock},
    run_id::RunId,
    state::{
        NewRun, PartitionRef,
        conformance::fixtures::{materialization_of, new_run},
    },
};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_ahead_once_does_not_win_over_later_runs() {
    let world = World::new().await.with_json();
    let store = &world.session.store;
    // A run of a day ahead, which has materialized the partition.
    let tomorrow = SystemClock.now() + TimeDelta::days(1);
    let ms = u64::try_from(tomorrow.timestamp_millis()).unwrap();
    let ahead = RunId::new(ulid::Ulid::from_parts(ms, 1));
    let request = NewRun {
        id: ahead,
        created_at: tomorrow,
        ..new_run(1, None)
    };
    store.create_run(request).await.unwrap();
    let target = PartitionRef::new("trips".parse().unwrap(), "2024-01-01", 0);
    let made = materialization_of(&target, ahead, 1);
    store.commit_materializations(vec![made]).await.unwrap();

    let day = ["--select", "trips", "--partitions", "2024-01-01"];
    assert_eq!(world.materialize(&day).await, Ok(Exit::Done));
    let run: serde_json::Value =
        serde_json::from_str(&world.output_of("run", &["latest"]).await).unwrap();
    assert_eq!(run["progress"]["succeeded"], 1);
    assert!(run["id"].as_str().unwrap() > ahead.to_string().as_str());
    // What is shown is what this run made.
    let show = [
        "trips",
        "--partition",
        "2024-01-01",
        "--format",
        "csv",
        "--limit",
        "1",
    ];
    assert_eq!(
        world.output_of("show", &show).await,
        "city,fare\nNewark,12.5\n"
    );
}
