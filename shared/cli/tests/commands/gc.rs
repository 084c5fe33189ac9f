//! `gc`: what it finds, what it removes, and what it leaves.

use std::sync::Arc;

use chrono::TimeDelta;
use precip_cli::exit::Exit;
use precip_engine::{
    run::{Clock, SystemClock},
    state::{NewRun, RunChange, RunRequest, RunStatus, memory::MemoryStore},
};

use crate::world::World;

const DAY: [&str; 4] = ["--select", "+key:totals", "--partitions", "2024-01-02"];

/// A project that was made twice, a month ago.
async fn made_twice() -> World {
    let mut world = World::new().await;
    for _ in 0..2 {
        assert_eq!(world.materialize(&DAY).await, Ok(Exit::Done));
    }
    world.session.context.now = SystemClock.now() + TimeDelta::days(30);
    world
}

fn counts(json: &str) -> Vec<(String, u64, u64, bool)> {
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
async fn what_was_replaced_is_listed_then_removed_and_what_is_published_stays() {
    let world = made_twice().await.json();
    let show = ["totals", "--partition", "2024-01-02"];
    let before = world.prints("show", &show).await;
    let found = counts(&world.prints("gc", &[]).await);
    assert!(!found.is_empty());
    for (asset, attempts, kept, removed) in &found {
        assert_eq!((*attempts, *kept, *removed), (1, 0, false), "{asset}");
    }
    // Looking changes nothing.
    assert_eq!(counts(&world.prints("gc", &[]).await), found);
    let removed = counts(&world.prints("gc", &["--delete"]).await);
    assert_eq!(removed.len(), found.len());
    assert_eq!(world.prints("gc", &["--delete"]).await, "[]\n");
    assert_eq!(world.prints("show", &show).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_young_or_may_be_read_by_a_run_under_way_is_kept() {
    let world = made_twice().await.json();
    let young = counts(
        &world
            .prints("gc", &["--older-than", "31d", "--delete"])
            .await,
    );
    assert!(
        young
            .iter()
            .all(|(_, attempts, kept, _)| (*attempts, *kept) == (0, 1))
    );

    // A run that began before the second, and has not come to its end.
    let store = &world.session.store;
    let running = NewRun {
        id: "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().unwrap(),
        key: None,
        request: RunRequest::default(),
        plan: None,
        created_at: SystemClock.now() - TimeDelta::minutes(5),
    };
    let running = store.create_run(running).await.unwrap().run().id;
    let held = counts(&world.prints("gc", &["--delete"]).await);
    assert!(
        held.iter()
            .all(|(_, attempts, kept, _)| (*attempts, *kept) == (0, 1))
    );

    let ended = RunChange::new([RunStatus::Queued], RunStatus::Canceled, SystemClock.now());
    store.change_run(running, ended).await.unwrap();
    let free = counts(&world.prints("gc", &["--delete"]).await);
    assert!(
        free.iter()
            .all(|(_, attempts, kept, _)| (*attempts, *kept) == (1, 0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_knows_none_of_the_runs_removes_nothing() {
    let mut world = made_twice().await.json();
    world.session.store = Arc::new(MemoryStore::new());
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&world.prints("gc", &["--delete"]).await).unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        assert_eq!((&row["attempts"], &row["foreign"]), (&0.into(), &2.into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_goes_by_the_clock_and_ages_are_read() {
    let mut world = World::new().await;
    world.session.pretended = true;
    assert_eq!(
        world.refuses("gc", &["--delete"]).await,
        "exit 2\nerror: `gc --delete` goes by the clock, and `--now` pretends another time\n\
         help: leave `--now` out; without `--delete`, it shows what would be removed then\n"
    );
}
