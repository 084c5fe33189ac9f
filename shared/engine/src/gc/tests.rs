use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use precip_core::key::AssetKey;

use super::*;
use crate::{
    asset::AssetValue,
    io::{Address, IoError, IoManager, LoadRequest, Stored, StoredAttempt},
    run_id::RunId,
    state::{
        Latest, MaterializationStore, RunChange, RunStatus, RunStore, Sequence,
        conformance::fixtures::{at_second, day_partition, materialization_of, new_run, run_id},
        memory::MemoryStore,
    },
};

fn in_hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

fn test_now() -> DateTime<Utc> {
    at_second(0) + in_hours(1_000)
}

fn stored_attempt(run: RunId, attempt: u32, written: DateTime<Utc>) -> StoredAttempt {
    StoredAttempt {
        pointer: format!("{run}-{attempt}"),
        address: Address {
            asset: "flights".parse().unwrap(),
            partition: day_partition("flights", 1).partition,
            run,
            attempt,
        },
        bytes: 10,
        written,
    }
}

fn latest_finished_at(run: RunId, finished_at: DateTime<Utc>) -> Latest {
    let mut made = materialization_of(&day_partition("flights", 1), run, 1);
    made.pointer = Some(format!("{run}-1"));
    made.finished_at = finished_at;
    Latest {
        materialization: Some((made, Sequence(1))),
        ..Latest::default()
    }
}

#[test]
fn an_attempt_is_garbage_once_it_was_replaced_long_ago_and_before_every_run_under_way() {
    let (old, new) = (run_id(1), run_id(2));
    let written = test_now() - in_hours(500);
    // `replaced` and `under_way` are in hours ago.
    let decide = |replaced: i64, under_way: Option<i64>| {
        let age = SafeAge::new(
            test_now(),
            in_hours(24),
            under_way.map(|ago| test_now() - in_hours(ago)),
        );
        let latest = latest_finished_at(new, test_now() - in_hours(replaced));
        classify_attempt(&stored_attempt(old, 1, written), Some(&latest), &age)
    };
    assert_eq!(decide(100, None), Verdict::Garbage);
    assert_eq!(decide(100, Some(10)), Verdict::Garbage);
    assert_eq!(decide(10, None), Verdict::Young, "it was current yesterday");
    assert_eq!(decide(100, Some(200)), Verdict::UnderWay, "it may be read");
    let age = SafeAge::new(test_now(), in_hours(24), None);
    let pointed = classify_attempt(
        &stored_attempt(new, 1, written),
        Some(&latest_finished_at(new, written)),
        &age,
    );
    assert_eq!(pointed, Verdict::Pointed, "however old it is");
}

#[test]
fn an_unpublished_attempt_is_garbage_when_it_is_old_and_no_run_is_under_way() {
    let decide = |written: i64, under_way: Option<i64>| {
        let age = SafeAge::new(
            test_now(),
            in_hours(24),
            under_way.map(|ago| test_now() - in_hours(ago)),
        );
        let written = test_now() - in_hours(written);
        classify_attempt(&stored_attempt(run_id(1), 1, written), None, &age)
    };
    assert_eq!(decide(100, None), Verdict::Garbage);
    assert_eq!(decide(23, None), Verdict::Young);
    assert_eq!(decide(100, Some(1)), Verdict::UnderWay);
}

#[test]
fn an_age_is_never_below_the_minimum() {
    let age = SafeAge::new(test_now(), TimeDelta::zero(), None);
    let decide = |minutes| {
        let written = test_now() - TimeDelta::minutes(minutes);
        classify_attempt(&stored_attempt(run_id(1), 1, written), None, &age)
    };
    assert_eq!(decide(59), Verdict::Young);
    assert_eq!(decide(61), Verdict::Garbage);
}

/// An IO manager over a map, with one pointer that may fail to be removed.
#[derive(Default)]
struct Pointers {
    stored: Mutex<BTreeMap<String, StoredAttempt>>,
    stuck: Mutex<Option<String>>,
}

impl Pointers {
    fn stored_pointers(&self) -> Vec<String> {
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        stored.keys().cloned().collect()
    }

    fn put_attempt(&self, attempt: StoredAttempt) {
        let mut stored = self.stored.lock().unwrap();
        stored.insert(attempt.pointer.clone(), attempt);
    }
}

#[async_trait]
impl IoManager for Pointers {
    async fn store(&self, _: &Address, _: AssetValue) -> Result<Stored, IoError> {
        unreachable!("nothing is stored")
    }

    async fn load(&self, _: &Address, _: &str, _: &LoadRequest) -> Result<AssetValue, IoError> {
        unreachable!("nothing is loaded")
    }

    async fn remove(&self, pointer: &str) -> Result<(), IoError> {
        if self.stuck.lock().unwrap().as_deref() == Some(pointer) {
            return Err(IoError::Failed {
                message: "the disk is gone".to_owned(),
                source: "for a moment".into(),
            });
        }
        self.stored.lock().unwrap().remove(pointer);
        Ok(())
    }

    async fn list(&self, _: &AssetKey) -> Result<Vec<StoredAttempt>, IoError> {
        Ok(self.stored.lock().unwrap().values().cloned().collect())
    }
}

#[tokio::test]
async fn an_interrupted_collection_resumes_and_keeps_published_data() {
    let (state, pointers) = (MemoryStore::new(), Pointers::default());
    let asset: AssetKey = "flights".parse().unwrap();
    let target = day_partition("flights", 1);
    for (run, attempts) in [(run_id(1), 1..=2), (run_id(2), 1..=1)] {
        for n in attempts {
            pointers.put_attempt(stored_attempt(run, n, test_now() - in_hours(500)));
            let mut made = materialization_of(&target, run, n);
            made.pointer = Some(format!("{run}-{n}"));
            made.finished_at = test_now() - in_hours(400);
            state.commit_materializations(vec![made]).await.unwrap();
        }
    }
    let age = SafeAge::read_unfinished_runs(&state, test_now(), in_hours(24))
        .await
        .unwrap();
    let found = find_garbage(&state, &pointers, &asset, &age)
        .await
        .unwrap()
        .unwrap();
    let counts = (found.attempts.len(), found.foreign);
    assert_eq!(counts, (0, 2), "a record without their runs is another's");

    // Once the record knows the finished runs, their unreferenced attempts are garbage.
    for n in [1, 2] {
        let run = new_run(n, None);
        let id = run.id;
        state.create_run(run).await.unwrap();
        let ended = RunChange::new([RunStatus::Queued], RunStatus::Failed, test_now());
        state.change_run(id, ended).await.unwrap();
    }
    let found = find_garbage(&state, &pointers, &asset, &age)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.attempts.len(), found.kept, found.total_bytes()),
        (2, 0, 20)
    );

    // Removing fails at the second attempt; the next collection removes the rest.
    *pointers.stuck.lock().unwrap() = Some(found.attempts[1].pointer.clone());
    let error = remove_garbage(&pointers, &found).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "stored data of asset `flights` cannot be removed"
    );
    assert_eq!(pointers.stored_pointers().len(), 2);
    *pointers.stuck.lock().unwrap() = None;
    for _ in 0..2 {
        let found = find_garbage(&state, &pointers, &asset, &age).await.unwrap();
        remove_garbage(&pointers, &found.unwrap()).await.unwrap();
        assert_eq!(pointers.stored_pointers(), [format!("{}-1", run_id(2))]);
    }
}

#[tokio::test]
async fn a_run_under_way_keeps_attempts_replaced_since_it_began() {
    let state = MemoryStore::new();
    let mut run = new_run(3, None);
    run.created_at = test_now() - in_hours(300);
    let id = run.id;
    state.create_run(run).await.unwrap();
    let age = SafeAge::read_unfinished_runs(&state, test_now(), in_hours(24))
        .await
        .unwrap();
    assert!(age.is_held_back());
    let replaced = latest_finished_at(run_id(2), test_now() - in_hours(200));
    let old = stored_attempt(run_id(1), 1, test_now() - in_hours(500));
    assert_eq!(
        classify_attempt(&old, Some(&replaced), &age),
        Verdict::UnderWay
    );

    let canceled = RunChange::new([RunStatus::Queued], RunStatus::Canceled, test_now());
    state.change_run(id, canceled).await.unwrap();
    let age = SafeAge::read_unfinished_runs(&state, test_now(), in_hours(24))
        .await
        .unwrap();
    assert!(!age.is_held_back());
    assert_eq!(
        classify_attempt(&old, Some(&replaced), &age),
        Verdict::Garbage
    );
}

#[test]
fn an_age_beyond_the_first_moment_keeps_everything() {
    let now = DateTime::<Utc>::UNIX_EPOCH;
    for age in [TimeDelta::MAX, TimeDelta::days(300_000_000)] {
        let age = SafeAge::new(now, age, Some(DateTime::<Utc>::MIN_UTC));
        assert_eq!(
            age,
            SafeAge::new(now, TimeDelta::MAX, Some(DateTime::<Utc>::MIN_UTC))
        );
    }
    assert_eq!(
        SafeAge::new(DateTime::<Utc>::MIN_UTC, TimeDelta::MIN, None),
        SafeAge::new(now, TimeDelta::MAX, None)
    );
}
