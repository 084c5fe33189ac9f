//! `cost`: what a run would cost.

use insta::assert_snapshot;
use serde_json::Value;

use crate::world::{World, stable};

#[tokio::test(flavor = "multi_thread")]
async fn of_what_nobody_has_measured() {
    let _stable = stable();
    let world = World::new().await;
    let all = ["--select", "+totals", "--partitions", "all"];
    assert_snapshot!("cost", world.prints("cost", &all).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn measured_times_take_the_place_of_timeouts() {
    let world = World::new().await.json();
    let cost = ["--select", "+totals", "--partitions", "2024-01-04"];
    let before: Value = serde_json::from_str(&world.prints("cost", &cost).await).unwrap();
    let plan = ["--select", "+totals", "--partitions", "2024-01-01"];
    world.materialize(&plan).await.unwrap();
    let after: Value = serde_json::from_str(&world.prints("cost", &cost).await).unwrap();
    let seconds = |of: &Value| of["usage"]["lambda_gb_seconds"].as_f64().unwrap();
    // The two ops, and the check that nothing is recorded of, with a timeout of 60 s and 512 MiB each.
    assert!((seconds(&before) - (90.0 + 2.25)).abs() < 1e-9, "{before}");
    assert!(seconds(&after) < 40.0, "{after}");
    assert_eq!(before["usage"]["mode"], "inline");
    assert_eq!(before["made"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_before_is_kept_and_that_is_a_write() {
    let world = World::new().await.json();
    let one = ["--select", "cities"];
    let writes = async || {
        let answer = world
            .prints("cost", &[&one[..], &["--partitions", "all"]].concat())
            .await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["usage"]["dynamodb_writes"].as_u64().unwrap()
    };
    let first = writes().await;
    world.materialize(&one).await.unwrap();
    assert_eq!(writes().await, first + 1);
}
