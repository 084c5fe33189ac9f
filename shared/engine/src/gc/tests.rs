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
        conformance::fixtures::{at, day, made, new_run, run_id},
        memory::MemoryStore,
    },
};

fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

fn now() -> DateTime<Utc> {
    at(0) + hours(1_000)
}

fn attempt(run: RunId, attempt: u32, written: DateTime<Utc>) -> StoredAttempt {
    StoredAttempt {
        pointer: format!("{run}-{attempt}"),
        address: Address {
            asset: "flights".parse().unwrap(),
            partition: day("flights", 1).partition,
            run,
            attempt,
        },
        bytes: 10,
        written,
    }
}

fn latest(run: RunId, finished_at: DateTime<Utc>) -> Latest {
    let mut made = made(&day("flights", 1), run, 1);
    made.pointer = Some(format!("{run}-1"));
    made.finished_at = finished_at;
    Latest {
        materialization: Some((made, Sequence(1))),
        failure: None,
    }
}

#[test]
fn an_attempt_is_garbage_once_it_was_replaced_long_ago_and_before_every_run_under_way() {
    let (old, new) = (run_id(1), run_id(2));
    let written = now() - hours(500);
    let decide = |replaced: i64, under_way: Option<i64>| {
        let age = SafeAge::new(now(), hours(24), under_way.map(|ago| now() - hours(ago)));
        let latest = latest(new, now() - hours(replaced));
        verdict(&attempt(old, 1, written), Some(&latest), &age)
    };
    assert_eq!(decide(100, None), Verdict::Garbage);
    assert_eq!(decide(100, Some(10)), Verdict::Garbage);
    assert_eq!(decide(10, None), Verdict::Young, "it was current yesterday");
    assert_eq!(decide(100, Some(200)), Verdict::UnderWay, "it may be read");
    let age = SafeAge::new(now(), hours(24), None);
    let pointed = verdict(&attempt(new, 1, written), Some(&latest(new, written)), &age);
    assert_eq!(pointed, Verdict::Pointed, "however old it is");
}

#[test]
fn what_was_never_published_is_garbage_when_it_is_old_and_no_run_is_under_way() {
    let decide = |written: i64, under_way: Option<i64>| {
        let age = SafeAge::new(now(), hours(24), under_way.map(|ago| now() - hours(ago)));
        let written = now() - hours(written);
        verdict(&attempt(run_id(1), 1, written), None, &age)
    };
    assert_eq!(decide(100, None), Verdict::Garbage);
    assert_eq!(decide(23, None), Verdict::Young);
    assert_eq!(decide(100, Some(1)), Verdict::UnderWay);
}

#[test]
fn an_age_is_never_less_than_what_clocks_and_functions_need() {
    let age = SafeAge::new(now(), TimeDelta::zero(), None);
    let decide = |minutes| {
        let written = now() - TimeDelta::minutes(minutes);
        verdict(&attempt(run_id(1), 1, written), None, &age)
    };
    assert_eq!(decide(59), Verdict::Young);
    assert_eq!(decide(61), Verdict::Garbage);
}

/// A store of pointers, of which one may refuse to be removed.
#[derive(Default)]
struct Pointers {
    stored: Mutex<BTreeMap<String, StoredAttempt>>,
    stuck: Mutex<Option<String>>,
}

impl Pointers {
    fn names(&self) -> Vec<String> {
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        stored.keys().cloned().collect()
    }

    fn put(&self, attempt: StoredAttempt) {
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
async fn collecting_that_was_stopped_goes_on_and_keeps_what_is_published() {
    let (state, pointers) = (MemoryStore::new(), Pointers::default());
    let asset: AssetKey = "flights".parse().unwrap();
    let target = day("flights", 1);
    for (run, attempts) in [(run_id(1), 1..=2), (run_id(2), 1..=1)] {
        for n in attempts {
            pointers.put(attempt(run, n, now() - hours(500)));
            let mut made = made(&target, run, n);
            made.pointer = Some(format!("{run}-{n}"));
            made.finished_at = now() - hours(400);
            state.finish(vec![made]).await.unwrap();
        }
    }
    let age = SafeAge::read(&state, now(), hours(24)).await.unwrap();
    let found = garbage(&state, &pointers, &asset, &age).await.unwrap();
    let found = found.unwrap();
    let counts = (found.attempts.len(), found.foreign);
    assert_eq!(counts, (0, 2), "a record without their runs is another's");

    for n in [1, 2] {
        let run = new_run(n, None);
        let id = run.id;
        state.create_run(run).await.unwrap();
        let ended = RunChange::new([RunStatus::Queued], RunStatus::Failed, now());
        state.change_run(id, ended).await.unwrap();
    }
    let found = garbage(&state, &pointers, &asset, &age).await.unwrap();
    let found = found.unwrap();
    assert_eq!(
        (found.attempts.len(), found.kept, found.bytes()),
        (2, 0, 20)
    );

    *pointers.stuck.lock().unwrap() = Some(found.attempts[1].pointer.clone());
    let error = remove(&pointers, &found).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "what is stored of asset `flights` cannot be removed"
    );
    assert_eq!(pointers.names().len(), 2);
    *pointers.stuck.lock().unwrap() = None;
    for _ in 0..2 {
        let found = garbage(&state, &pointers, &asset, &age).await.unwrap();
        remove(&pointers, &found.unwrap()).await.unwrap();
        assert_eq!(pointers.names(), [format!("{}-1", run_id(2))]);
    }
}

#[tokio::test]
async fn a_run_under_way_holds_back_what_was_replaced_since_it_began() {
    let state = MemoryStore::new();
    let mut run = new_run(3, None);
    run.created_at = now() - hours(300);
    let id = run.id;
    state.create_run(run).await.unwrap();
    let age = SafeAge::read(&state, now(), hours(24)).await.unwrap();
    assert!(age.is_held_back());
    let replaced = latest(run_id(2), now() - hours(200));
    let old = attempt(run_id(1), 1, now() - hours(500));
    assert_eq!(verdict(&old, Some(&replaced), &age), Verdict::UnderWay);

    let canceled = RunChange::new([RunStatus::Queued], RunStatus::Canceled, now());
    state.change_run(id, canceled).await.unwrap();
    let age = SafeAge::read(&state, now(), hours(24)).await.unwrap();
    assert!(!age.is_held_back());
    assert_eq!(verdict(&old, Some(&replaced), &age), Verdict::Garbage);
}
