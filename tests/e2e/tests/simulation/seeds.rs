//! Whatever happens on the way, a run that is taken up again ends with the truth.

use std::{sync::Arc, time::Duration};

use precip::io::Value;
use precip_core::partitions::PartitionKey;
use precip_engine::{
    io::{Address, IoManager, LoadRequest},
    run::RunEnd,
    state::{
        Event, PageRequest, PartitionRef, ReadConsistency, RunStatus, StateErrorKind, StateStore,
        decorators::{DelayCalls, FailCalls, Hooked, When},
        memory::MemoryStore,
    },
};

use crate::{
    project::value,
    world::{Impatient, Place, World, in_one_thread},
};

/// The calls of the record that a run makes.
const CALLS: [&str; 12] = [
    "find_run",
    "change_run",
    "claim_run",
    "record_untried",
    "record_attempts",
    "commit_materializations",
    "record_failures",
    "latest_materializations",
    "partition_statuses",
    "record_checks",
    "latest_checks",
    "acquire_slot",
];
const KINDS: [StateErrorKind; 4] = [
    StateErrorKind::Retry,
    StateErrorKind::Locked,
    StateErrorKind::Unavailable,
    StateErrorKind::Full,
];
/// After so many processes nothing goes wrong any more.
const BAD_DAYS: u32 = 8;

fn faults(chance: &mut fastrand::Rng) -> FailCalls {
    let faults = FailCalls::default();
    for _ in 0..chance.u32(0..5) {
        let call = CALLS[chance.usize(0..CALLS.len())];
        let when = if chance.bool() {
            When::Before
        } else {
            When::After
        };
        let kind = KINDS[chance.usize(0..KINDS.len())];
        faults.fail_calls(call, when, chance.u64(0..25), chance.u64(1..9), kind);
    }
    faults
}

/// Lets processes work on a run until it is done; with each that is killed the power fails as well.
/// Answers how many it took, and how much data was lost on the way.
fn work(seed: u64, world: &mut World, delay: Duration) -> (u32, usize) {
    let mut lost = 0;
    let mut chance = fastrand::Rng::with_seed(seed ^ 0x5eed);
    for process in 1..=BAD_DAYS + 1 {
        let good = process > BAD_DAYS;
        let faults = if good {
            FailCalls::default()
        } else {
            faults(&mut chance)
        };
        world.trouble.0.lock().unwrap().one_in = if good { 0 } else { chance.u32(8..60) };
        let killed = !good && chance.u32(0..3) == 0;
        let polls = if killed { chance.u32(1..120) } else { u32::MAX };
        let ended = world.process(polls, |store| {
            // A timer takes a millisecond, however short the time.
            let slow: Arc<dyn StateStore> = match delay {
                Duration::ZERO => store,
                delay => {
                    let delays = DelayCalls {
                        before: delay,
                        after: delay,
                    };
                    Arc::new(Hooked::new(store, delays))
                }
            };
            Arc::new(Hooked::new(slow, faults))
        });
        match ended {
            Some(Ok(report)) if report.end == RunEnd::Succeeded => return (process, lost),
            Some(Ok(report)) => assert!(!good, "seed {seed}: {report:?}"),
            Some(Err(error)) => {
                // The answer to the last call of all may be what was lost.
                let over = in_one_thread(async {
                    let run = world
                        .place
                        .open()
                        .find_run(world.run)
                        .await
                        .unwrap()
                        .unwrap();
                    run.status == RunStatus::Succeeded
                });
                if over {
                    return (process, lost);
                }
                assert!(!good, "seed {seed}: {error}");
            }
            None => {
                assert!(!good, "seed {seed}");
                lost += in_one_thread(world.data.cut_power());
            }
        }
    }
    panic!("seed {seed}: the run does not end");
}

async fn holds(seed: u64, world: &World) {
    let store = world.place.open();
    let run = store.find_run(world.run).await.unwrap().unwrap();
    assert_eq!(run.status, RunStatus::Succeeded, "seed {seed}");
    let keyed = ["source", "left", "right", "joined"];
    let mut targets = vec![PartitionRef::unpartitioned("total".parse().unwrap())];
    for asset in keyed {
        let key = |ordinal: u64| PartitionKey::from((ordinal + 1).to_string().as_str());
        let of = |ordinal| PartitionRef::new(asset.parse().unwrap(), key(ordinal), ordinal);
        targets.extend((0..8).map(of));
    }
    for target in targets {
        let place = format!("seed {seed}: {target}");
        let latest = store
            .latest_materialization(&target, ReadConsistency::Strong)
            .await
            .unwrap()
            .unwrap();
        assert!(latest.is_published_by(world.run), "{place}");
        let made = latest.published().unwrap();
        let events = store
            .partition_events(&target, &PageRequest::first(1_000))
            .await
            .unwrap()
            .items;
        let published: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Materialized(made) => Some(&**made),
                _ => None,
            })
            .collect();
        assert_eq!(published, [made], "{place} was made exactly once");
        let address = Address {
            asset: target.asset.clone(),
            partition: target.partition.clone(),
            run: made.run,
            attempt: made.attempt,
        };
        let pointer = made.pointer.as_ref().unwrap();
        let loaded = world
            .data
            .load(&address, pointer, &LoadRequest::everything())
            .await;
        let loaded = loaded.unwrap().downcast::<Value>().ok().unwrap();
        let key = target.partition.as_ref().map(PartitionKey::as_str);
        let expected = value(target.asset.as_str(), key);
        assert_eq!(
            loaded.to_json().unwrap(),
            serde_json::json!(expected),
            "{place}"
        );
    }
    let statuses = store
        .partition_statuses(&"joined".parse().unwrap())
        .await
        .unwrap();
    assert!(
        statuses.failed.is_empty() && statuses.in_progress.is_empty(),
        "seed {seed}"
    );
    let progress = store.run_progress(world.run).await.unwrap();
    assert_eq!(
        (progress.succeeded, progress.failed),
        (33, 0),
        "seed {seed}"
    );
}

fn simulate(seed: u64, place: Place, delay: Duration) -> (u32, usize) {
    let selection = "key:source+ and not key:hung";
    let mut world = World::new(seed, place, selection, Impatient::default());
    in_one_thread(async {
        let store = world.place.open();
        store.set_pool_limit("narrow", Some(2)).await.unwrap();
    });
    let took = work(seed, &mut world, delay);
    in_one_thread(async {
        world.data.cut_power().await;
        holds(seed, &world).await;
    });
    took
}

#[test]
fn in_memory() {
    let (mut processes, mut lost) = (0, 0);
    for seed in 0..150 {
        let place = Place::Memory(MemoryStore::new());
        let took = simulate(seed, place, Duration::ZERO);
        processes += took.0;
        lost += took.1;
    }
    assert!(
        processes > 300 && lost > 5,
        "too little went wrong: {processes} processes, {lost} times data was lost"
    );
}

#[test]
fn on_sqlite() {
    for seed in 1_000..1_025 {
        let folder = tempfile::tempdir().unwrap();
        simulate(
            seed,
            Place::File(folder.path().join("state.db")),
            Duration::ZERO,
        );
    }
}

#[test]
fn on_a_slow_record() {
    for seed in 2_000..2_005 {
        let place = Place::Memory(MemoryStore::new());
        simulate(seed, place, Duration::from_millis(1));
    }
}
