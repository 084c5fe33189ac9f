//! Attempts at one item: the delays between them, timeouts, and what a retry runs.

use std::{collections::BTreeMap, time::Duration};

use precip_engine::{
    asset::ErrorKind,
    run::{Clock, RefusedData, RunEnd, plan_retry},
    state::{
        Event, PageRequest, PartitionRef, SlotAnswer, SlotHolder, SlotRequest, memory::MemoryStore,
    },
};

use crate::world::{InstantSleeper, StoreLocation, World, block_on_one_thread};

/// Returns a world whose store is in memory.
fn memory_world(selection: &str, sleeper: InstantSleeper) -> World {
    World::new(
        7,
        StoreLocation::Memory(MemoryStore::new()),
        selection,
        sleeper,
    )
}

/// Returns the failed attempts at a partition: number, kind, and whether another attempt follows.
fn failed_attempts(world: &World, target: &PartitionRef) -> Vec<(u32, ErrorKind, bool)> {
    let page = PageRequest::first(100);
    let events = block_on_one_thread(async {
        world
            .location
            .open_store()
            .partition_events(target, &page)
            .await
            .unwrap()
    });
    let mut failures: Vec<_> = events
        .items
        .into_iter()
        .filter_map(|event| match event {
            Event::Failed(failure) => Some((failure.attempt, failure.kind, failure.will_retry)),
            _ => None,
        })
        .collect();
    failures.sort_by_key(|(attempt, ..)| *attempt);
    failures
}

#[test]
fn delays_between_attempts_follow_the_policy() {
    let mut world = memory_world("key:source", InstantSleeper::default());
    world.trouble.lock().certain.push("source[2]".to_owned());
    let report = world.run_process(u32::MAX, |store| store).unwrap().unwrap();
    assert_eq!(report.end, RunEnd::Failed { failed: 1, held: 0 });
    let waits: Vec<u64> = world
        .sleeper
        .sleeps
        .lock()
        .unwrap()
        .iter()
        .map(Duration::as_secs)
        .collect();
    assert_eq!(waits, [2, 6, 14]);
    let kind = ErrorKind::Retryable;
    let target = PartitionRef::new("source".parse().unwrap(), "2", 1);
    let expected = [
        (1, kind, true),
        (2, kind, true),
        (3, kind, true),
        (4, kind, false),
    ];
    assert_eq!(failed_attempts(&world, &target), expected);
    assert_eq!(world.trouble.lock().calls["source[2]"], 4);
}

#[test]
fn an_attempt_that_times_out_is_retried() {
    let timeout = Duration::from_secs(7 * 60);
    let sleeper = InstantSleeper {
        elapsing: Some(timeout),
        ..InstantSleeper::default()
    };
    let mut world = memory_world("key:hung", sleeper);
    let report = world.run_process(u32::MAX, |store| store).unwrap().unwrap();
    assert_eq!(report.end, RunEnd::Succeeded);
    let target = PartitionRef::unpartitioned("hung".parse().unwrap());
    assert_eq!(
        failed_attempts(&world, &target),
        [(1, ErrorKind::Timeout, true)]
    );
    let waits = world.sleeper.sleeps.lock().unwrap().clone();
    assert!(
        waits.starts_with(&[timeout, Duration::from_secs(3)]),
        "{waits:?}"
    );
}

#[test]
fn a_retry_runs_what_failed_and_what_that_held_back() {
    let mut world = memory_world("key:source+ and not key:hung", InstantSleeper::default());
    let fails = ["left[3]".to_owned(), "source[5]".to_owned()];
    world.trouble.lock().certain.extend(fails);
    // `source[5]` holds back three items of its partition, `left[3]` one, and both hold back `total`.
    let report = world.run_process(u32::MAX, |store| store).unwrap().unwrap();
    assert_eq!(report.materialized, 33 - 7);
    let retry = block_on_one_thread(async {
        let store = world.location.open_store();
        plan_retry(
            &world.definitions,
            &store,
            &world.planned,
            world.run,
            RefusedData::MakeAgain,
        )
        .await
        .unwrap()
    });
    let expected = [
        ("joined", 2),
        ("left", 2),
        ("right", 1),
        ("source", 1),
        ("total", 1),
    ];
    let expected: BTreeMap<_, u64> = expected
        .into_iter()
        .map(|(asset, count)| (asset.parse().unwrap(), count))
        .collect();
    assert_eq!(retry.partition_counts(), expected);
    world.trouble.lock().certain.clear();
    let report = world.run_process(u32::MAX, |store| store).unwrap().unwrap();
    assert_eq!((report.end, report.materialized), (RunEnd::Succeeded, 7));
}

#[test]
fn a_slot_of_a_dead_process_is_released() {
    let mut world = memory_world("key:source+ and not key:hung", InstantSleeper::default());
    block_on_one_thread(async {
        let store = world.location.open_store();
        store.set_pool_limit("narrow", Some(1)).await.unwrap();
        let now = world.clock.now();
        let slot = SlotRequest {
            pool: "narrow".to_owned(),
            holder: SlotHolder(format!("{}/right/7", world.run)),
            now,
            expires_at: now + chrono::TimeDelta::days(1),
        };
        assert_eq!(store.acquire_slot(slot).await.unwrap(), SlotAnswer::Granted);
    });
    let report = world.run_process(u32::MAX, |store| store).unwrap().unwrap();
    assert_eq!(report.end, RunEnd::Succeeded);
    let waits = world.sleeper.sleeps.lock().unwrap().len();
    assert_eq!(waits, 0, "no item waits for the slot of a dead process");
}
