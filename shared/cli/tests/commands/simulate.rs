//! `simulate`: the answer for a small run, with and without an account of its own size.

use insta::assert_snapshot;
use serde_json::Value;

use crate::world::{World, stable_snapshots};

#[tokio::test(flavor = "multi_thread")]
async fn a_simulation_says_how_long_how_much_and_why() {
    let _stable = stable_snapshots();
    let world = World::new().await;
    let all = [
        "--select",
        "+totals",
        "--partitions",
        "all",
        "--duration",
        "2s",
    ];
    assert_snapshot!("simulate", world.output_of("simulate", &all).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_has_stable_fields() {
    let world = World::new().await.with_json();
    let one = ["--select", "+totals", "--partitions", "2024-01-04"];
    let answer = world.output_of("simulate", &one).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    // The plan, the end, and three steps of 30, 60 and 60 s or less, one after the other.
    assert!(answer["seconds"].as_f64().unwrap() > 60.0, "{answer}");
    assert_eq!(answer["partitions"], 2);
    assert_eq!(answer["limited_by"], "longest_chain");
    let total: f64 = answer["bill"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["cost"].as_f64().unwrap())
        .sum();
    assert!((answer["dollars"].as_f64().unwrap() - total).abs() < 1e-12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_nothing_is_simulated_in_no_time() {
    let world = World::new().await;
    world.materialize(&["--select", "cities"]).await.unwrap();
    let none = ["--select", "uploads", "--partitions", "failed"];
    assert_eq!(world.output_of("simulate", &none).await, "");
}
