//! `gc`: what it lists, removes and keeps.

use std::sync::Arc;

use chrono::TimeDelta;
use precip_cli::testing::Exit;
use precip_engine::{
    run::{Clock, SystemClock},
    state::{NewRun, RequestedWork, RunChange, RunStatus, memory::MemoryStore},
};

use crate::world::World;

const DAY: [&str; 4] = ["--select", "+key:totals", "--partitions", "2024-01-02"];

/// Returns a project with a day that was materialized twice, a month ago.
async fn world_with_garbage() -> World {
    let mut world = World::new().await;
    for _ in 0..2 {
        assert_eq!(world.materialize(&DAY).await, Ok(Exit::Done));
    }
    world.session.context.now = SystemClock.now() + TimeDelta::days(30);
    world
}

fn garbage_counts(json: &str) -> Vec<(String, u64, u64, bool)> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
    rows.iter()
        .map(|row| {
            (
                row["asset"].as_str().unwrap().to_owned(),
                row["attempts"].as_u64().unwrap(),
                row["kept"].as_u64().unwrap(),
                row["removed"].as_bool().unwrap(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_data_is_listed_then_removed_and_published_data_stays() {
    let world = world_with_garbage().await.with_json();
    let show = ["totals", "--partition", "2024-01-02"];
    let before = world.output_of("show", &show).await;
    let found = garbage_counts(&world.output_of("gc", &[]).await);
    assert!(!found.is_empty());
    for (asset, attempts, kept, removed) in &found {
        assert_eq!((*attempts, *kept, *removed), (1, 0, false), "{asset}");
    }
    // Listing changes nothing.
    assert_eq!(garbage_counts(&world.output_of("gc", &[]).await), found);
    let removed = garbage_counts(&world.output_of("gc", &["--delete"]).await);
    assert_eq!(removed.len(), found.len());
    assert_eq!(world.output_of("gc", &["--delete"]).await, "[]\n");
    assert_eq!(world.output_of("show", &show).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn young_data_and_data_an_active_run_may_read_is_kept() {
    let world = world_with_garbage().await.with_json();
    let young = garbage_counts(
        &world
            .output_of("gc", &["--older-than", "31d", "--delete"])
            .await,
    );
    assert!(
        young
            .iter()
            .all(|(_, attempts, kept, _)| (*attempts, *kept) == (0, 1))
    );

    // An active run that started before the data was replaced keeps it.
    let store = &world.session.store;
    let running = NewRun {
        id: "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().unwrap(),
        key: None,
        request: RequestedWork::default(),
        plan: None,
        created_at: SystemClock.now() - TimeDelta::minutes(5),
    };
    let running = store.create_run(running).await.unwrap().run().id;
    let held = garbage_counts(&world.output_of("gc", &["--delete"]).await);
    assert!(
        held.iter()
            .all(|(_, attempts, kept, _)| (*attempts, *kept) == (0, 1))
    );

    // Once that run has ended, the data is free.
    let ended = RunChange::new([RunStatus::Queued], RunStatus::Canceled, SystemClock.now());
    store.change_run(running, ended).await.unwrap();
    let free = garbage_counts(&world.output_of("gc", &["--delete"]).await);
    assert!(
        free.iter()
            .all(|(_, attempts, kept, _)| (*attempts, *kept) == (1, 0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_runs_that_are_not_on_record_is_kept() {
    let mut world = world_with_garbage().await.with_json();
    world.session.store = Arc::new(MemoryStore::new());
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&world.output_of("gc", &["--delete"]).await).unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        assert_eq!((&row["attempts"], &row["foreign"]), (&0.into(), &2.into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_needs_the_real_time() {
    let mut world = World::new().await;
    world.session.now_overridden = true;
    assert_eq!(
        world.failure_of("gc", &["--delete"]).await,
        "exit 2\nerror: `gc --delete` uses the clock, and `--now` overrides it\n\
         help: leave `--now` out, or leave `--delete` out to list what would be removed then\n"
    );
}
