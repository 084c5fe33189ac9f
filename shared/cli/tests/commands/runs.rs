//! Commands that run, and what they leave.

use insta::assert_snapshot;
use precip_cli::exit::Exit;

use crate::world::{World, stable};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_says_what_and_why() {
    let _stable = stable();
    let world = World::new().await;
    let done = world.materialize(&["--select", "+key:totals"]).await;
    assert_eq!(done, Ok(Exit::RunFailed));
    assert_snapshot!("run_failed", world.prints("run", &["latest"]).await);
    assert_snapshot!("runs", world.prints("runs", &[]).await);
    assert_eq!(
        world
            .prints("partitions", &["trips", "--status", "failed"])
            .await
            .lines()
            .count(),
        2
    );
    // What failed is tried again, and fails again; what was made is left alone.
    let retried = world.run_again().await;
    assert_eq!(retried, Ok(Exit::RunFailed));
    assert_eq!(world.prints("runs", &[]).await.lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_what_is_run() {
    let world = World::new().await.json();
    let planned = world.prints("plan", &["--select", "cities"]).await;
    let plan: precip_core::plan::Plan = serde_json::from_str(&planned).unwrap();
    assert_eq!(plan.items(), 1);
    assert_eq!(
        world.materialize(&["--select", "cities"]).await,
        Ok(Exit::Done)
    );
    let run: serde_json::Value =
        serde_json::from_str(&world.prints("run", &["latest"]).await).unwrap();
    assert_eq!(run["status"], "succeeded");
    assert_eq!(run["progress"]["succeeded"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_is_made_again_only_by_name() {
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
    assert_eq!(world.prints("runs", &[]).await.lines().count(), 2);
    let day = ["--select", "trips", "--partitions", "2024-01-01"];
    assert_eq!(world.materialize(&day).await, Ok(Exit::Done));
    assert_eq!(world.prints("runs", &[]).await.lines().count(), 3);
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
    assert_eq!(world.prints("runs", &[]).await.lines().count(), 2);
    // It is over: there is nothing to stop.
    world.prints("cancel", &["latest"]).await;
    assert!(world.prints("run", &["latest"]).await.contains("succeeded"));
}

impl World {
    async fn run_again(&self) -> Result<Exit, precip_cli::failure::Failure> {
        use precip_cli::args::RunControlArgs;
        let control = RunControlArgs {
            concurrency: None,
            detach: false,
        };
        precip_cli::launch::retry(&self.session, "latest", &control, &mut Vec::new()).await
    }
}
