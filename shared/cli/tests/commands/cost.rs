//! `cost`: estimates with and without measured durations.

use insta::assert_snapshot;
use serde_json::Value;

use crate::world::{World, stable_snapshots};

#[tokio::test(flavor = "multi_thread")]
async fn ops_without_measurements_cost_their_timeout() {
    let _stable = stable_snapshots();
    let world = World::new().await;
    let all = ["--select", "+totals", "--partitions", "all"];
    assert_snapshot!("cost", world.output_of("cost", &all).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn measured_durations_replace_timeouts() {
    let world = World::new().await.with_json();
    let cost = ["--select", "+totals", "--partitions", "2024-01-04"];
    let before: Value = serde_json::from_str(&world.output_of("cost", &cost).await).unwrap();
    let plan = ["--select", "+totals", "--partitions", "2024-01-01"];
    world.materialize(&plan).await.unwrap();
    let after: Value = serde_json::from_str(&world.output_of("cost", &cost).await).unwrap();
    let seconds = |estimate: &Value| estimate["usage"]["lambda_gb_seconds"].as_f64().unwrap();
    // The two ops and the check, which has no measurements, with a timeout of 60 s and 512 MiB each.
    assert!((seconds(&before) - (90.0 + 2.25)).abs() < 1e-9, "{before}");
    assert!(seconds(&after) < 40.0, "{after}");
    assert_eq!(before["usage"]["mode"], "inline");
    assert_eq!(before["made"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_a_materialization_is_one_more_write() {
    let world = World::new().await.with_json();
    let one = ["--select", "cities"];
    let writes = async || {
        let answer = world
            .output_of("cost", &[&one[..], &["--partitions", "all"]].concat())
            .await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["usage"]["dynamodb_writes"].as_u64().unwrap()
    };
    let first = writes().await;
    world.materialize(&one).await.unwrap();
    assert_eq!(writes().await, first + 1);
}
