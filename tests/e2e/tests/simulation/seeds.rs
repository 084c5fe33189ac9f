//! A run that is resumed after any faults ends with every item materialized exactly once.

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
    project::expected_value,
    world::{InstantSleeper, StoreLocation, World, block_on_one_thread},
};

/// The calls of the store that a run makes.
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
/// The number of processes with faults; the one after them has none.
const FAULTY_PROCESSES: u32 = 8;

/// Draws calls of the store that fail.
fn draw_store_faults(chance: &mut fastrand::Rng) -> FailCalls {
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

/// Runs processes until the run is done; the power fails with each that is killed. Returns the
/// number of processes, and of values that were lost.
fn run_until_done(seed: u64, world: &mut World, delay: Duration) -> (u32, usize) {
    let mut lost = 0;
    let mut chance = fastrand::Rng::with_seed(seed ^ 0x5eed);
    for process in 1..=FAULTY_PROCESSES + 1 {
        let faultless = process > FAULTY_PROCESSES;
        let faults = if faultless {
            FailCalls::default()
        } else {
            draw_store_faults(&mut chance)
        };
        world.trouble.lock().one_in = if faultless { 0 } else { chance.u32(8..60) };
        let killed = !faultless && chance.u32(0..3) == 0;
        let polls = if killed { chance.u32(1..120) } else { u32::MAX };
        let ended = world.run_process(polls, |store| {
            // Any timer takes at least a millisecond, so no delay means no timer.
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
            Some(Ok(report)) => assert!(!faultless, "seed {seed}: {report:?}"),
            Some(Err(error)) => {
                // The answer to the last call may have been lost after it ended the run.
                let over = block_on_one_thread(async {
                    let run = world
                        .location
                        .open_store()
                        .find_run(world.run)
                        .await
                        .unwrap()
                        .unwrap();
                    run.status == RunStatus::Succeeded
                });
                if over {
                    return (process, lost);
                }
                assert!(!faultless, "seed {seed}: {error}");
            }
            None => {
                assert!(!faultless, "seed {seed}");
                lost += block_on_one_thread(world.data.cut_power());
            }
        }
    }
    panic!("seed {seed}: the run does not end");
}

/// Checks that the run published each item exactly once, with the right value.
async fn assert_run_is_true(seed: u64, world: &World) {
    let store = world.location.open_store();
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
        let subject = format!("seed {seed}: {target}");
        let latest = store
            .latest_materialization(&target, ReadConsistency::Strong)
            .await
            .unwrap()
            .unwrap();
        assert!(latest.is_published_by(world.run), "{subject}");
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
        assert_eq!(published, [made], "{subject} was published exactly once");
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
        let expected = expected_value(target.asset.as_str(), key);
        assert_eq!(
            loaded.to_json().unwrap(),
            serde_json::json!(expected),
            "{subject}"
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

/// Simulates a run from a seed. Returns the number of processes, and of lost values.
fn simulate_run(seed: u64, location: StoreLocation, delay: Duration) -> (u32, usize) {
    let selection = "key:source+ and not key:hung";
    let mut world = World::new(seed, location, selection, InstantSleeper::default());
    block_on_one_thread(async {
        let store = world.location.open_store();
        store.set_pool_limit("narrow", Some(2)).await.unwrap();
    });
    let (processes, lost) = run_until_done(seed, &mut world, delay);
    block_on_one_thread(async {
        // A run that has succeeded has made all its data durable.
        world.data.cut_power().await;
        assert_run_is_true(seed, &world).await;
    });
    (processes, lost)
}

#[test]
fn seeds_in_memory() {
    let (mut processes, mut lost) = (0, 0);
    for seed in 0..150 {
        let location = StoreLocation::Memory(MemoryStore::new());
        let took = simulate_run(seed, location, Duration::ZERO);
        processes += took.0;
        lost += took.1;
    }
    assert!(
        processes > 300 && lost > 5,
        "too few faults: {processes} processes, {lost} lost values"
    );
}

#[test]
fn seeds_on_sqlite() {
    for seed in 1_000..1_025 {
        let folder = tempfile::tempdir().unwrap();
        simulate_run(
            seed,
            StoreLocation::File(folder.path().join("state.db")),
            Duration::ZERO,
        );
    }
}

#[test]
fn seeds_on_a_slow_store() {
    for seed in 2_000..2_005 {
        let location = StoreLocation::Memory(MemoryStore::new());
        simulate_run(seed, location, Duration::from_millis(1));
    }
}
