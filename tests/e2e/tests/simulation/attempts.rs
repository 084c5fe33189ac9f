//! Attempts at one item: how long is waited, when is given up, and what a retry makes.

use std::{collections::BTreeMap, time::Duration};

use precip_engine::{
    asset::ErrorKind,
    run::{Clock, RunEnd, plan_retry},
    state::{
        Event, PageRequest, PartitionRef, SlotAnswer, SlotHolder, SlotRequest, memory::MemoryStore,
    },
};

use crate::world::{Impatient, Place, World, in_one_thread};

fn world(selection: &str, sleeper: Impatient) -> World {
    World::new(7, Place::Memory(MemoryStore::new()), selection, sleeper)
}

fn failures(world: &World, target: &PartitionRef) -> Vec<(u32, ErrorKind, bool)> {
    let page = PageRequest::first(100);
    let events = in_one_thread(async {
        world
            .place
            .open()
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
fn waits_between_attempts_grow_as_the_policy_says() {
    let mut world = world("key:source", Impatient::default());
    world
        .trouble
        .0
        .lock()
        .unwrap()
        .certain
        .push("source[2]".to_owned());
    let report = world.process(u32::MAX, |store| store).unwrap().unwrap();
    assert_eq!(report.end, RunEnd::Failed { failed: 1, held: 0 });
    let waits: Vec<u64> = world
        .sleeper
        .waits
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
    assert_eq!(failures(&world, &target), expected);
    assert_eq!(world.trouble.0.lock().unwrap().calls["source[2]"], 4);
}

#[test]
fn an_attempt_that_takes_too_long_is_given_up_and_tried_again() {
    let timeout = Duration::from_secs(7 * 60);
    let sleeper = Impatient {
        ends: Some(timeout),
        ..Impatient::default()
    };
    let mut world = world("key:hung", sleeper);
    let report = world.process(u32::MAX, |store| store).unwrap().unwrap();
    assert_eq!(report.end, RunEnd::Succeeded);
    let target = PartitionRef::unpartitioned("hung".parse().unwrap());
    assert_eq!(failures(&world, &target), [(1, ErrorKind::Timeout, true)]);
    let waits = world.sleeper.waits.lock().unwrap().clone();
    assert!(
        waits.starts_with(&[timeout, Duration::from_secs(3)]),
        "{waits:?}"
    );
}

#[test]
fn a_retry_makes_what_failed_and_what_that_held_back() {
    let mut world = world("key:source+ and not key:hung", Impatient::default());
    let fails = ["left[3]".to_owned(), "source[5]".to_owned()];
    world.trouble.0.lock().unwrap().certain.extend(fails);
    let report = world.process(u32::MAX, |store| store).unwrap().unwrap();
    assert_eq!(report.materialized, 33 - 7);
    let retry = in_one_thread(async {
        let store = world.place.open();
        plan_retry(&world.definitions, &store, &world.planned, world.run)
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
    world.trouble.0.lock().unwrap().certain.clear();
    let report = world.process(u32::MAX, |store| store).unwrap().unwrap();
    assert_eq!((report.end, report.materialized), (RunEnd::Succeeded, 7));
}

#[test]
fn a_slot_that_a_dead_process_held_is_given_back() {
    let mut world = world("key:source+ and not key:hung", Impatient::default());
    in_one_thread(async {
        let store = world.place.open();
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
    let report = world.process(u32::MAX, |store| store).unwrap().unwrap();
    assert_eq!(report.end, RunEnd::Succeeded);
    let waits = world.sleeper.waits.lock().unwrap().len();
    assert_eq!(waits, 0, "nothing waits for a slot that nobody uses");
}
