//! Removing old events and ticks.

use chrono::{DateTime, TimeDelta, Utc};
use precip_engine::state::{
    Advance, CheckOutcome, CheckStore, Event, MaterializationStore, PageRequest, PartitionRef,
    ReadConsistency, RunChange, RunStatus, RunStore, TickRequest, TriggerId, TriggerKind,
    TriggerStore,
    conformance::fixtures::{
        at_second, attempt_start, check_evaluation, day_partition, failed_attempt,
        materialization_of, new_run, run_id,
    },
};

use crate::state::{OldRecords, SqliteStore};

fn later() -> DateTime<Utc> {
    at_second(0) + TimeDelta::days(1_000)
}

async fn make(store: &SqliteStore, target: &PartitionRef, run: u64) {
    let start = attempt_start(target, run_id(run), 1);
    store.record_attempts(vec![start]).await.unwrap();
    let made = materialization_of(target, run_id(run), 1);
    store.commit_materializations(vec![made]).await.unwrap();
}

async fn kinds_of(store: &SqliteStore, target: &PartitionRef) -> Vec<String> {
    let events = store
        .partition_events(target, &PageRequest::first(100))
        .await;
    let mut kinds: Vec<String> = events
        .unwrap()
        .items
        .iter()
        .map(|event| match event {
            Event::Started(_) => "started".to_owned(),
            Event::Materialized(made) => format!("made {}", made.run.to_string().pop().unwrap()),
            Event::Failed(_) => "failed".to_owned(),
            Event::Skipped(_) => "skipped".to_owned(),
            Event::Checked(_) => "checked".to_owned(),
        })
        .collect();
    kinds.sort();
    kinds
}

#[tokio::test]
async fn what_the_record_refers_to_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("state.db")).unwrap();
    let (often, failing) = (day_partition("flights", 1), day_partition("flights", 2));
    for run in 1..=4 {
        make(&store, &often, run).await;
    }
    for attempt in 1..=2 {
        let passed = CheckOutcome::Passed;
        let evaluation = check_evaluation("fresh", &often, run_id(4), attempt, passed);
        store.record_checks(vec![evaluation]).await.unwrap();
    }
    make(&store, &failing, 1).await;
    let failure = failed_attempt(&failing, run_id(2), 1);
    store.record_failures(vec![failure]).await.unwrap();
    let latest = |target: PartitionRef| {
        let store = store.clone();
        async move {
            let read = store.latest_materialization(&target, ReadConsistency::Strong);
            read.await.unwrap().unwrap()
        }
    };
    let (before, failed_before) = (latest(often.clone()).await, latest(failing.clone()).await);
    assert_eq!(
        store.count_old_records(at_second(0)).await.unwrap(),
        OldRecords::default()
    );
    let counted = store.count_old_records(later()).await.unwrap();
    // Four and one starts, the first two of four materializations, and the first of two evaluations.
    assert_eq!(
        counted,
        OldRecords {
            events: 8,
            ticks: 0
        }
    );
    assert_eq!(store.remove_old_records(later()).await.unwrap(), counted);
    assert_eq!(
        store.remove_old_records(later()).await.unwrap(),
        OldRecords::default()
    );
    assert_eq!(latest(often.clone()).await, before);
    assert_eq!(latest(failing.clone()).await, failed_before);
    // The one before the latest has the data version that conditions compare with.
    assert_eq!(
        kinds_of(&store, &often).await,
        ["checked", "made 3", "made 4"]
    );
    assert_eq!(kinds_of(&store, &failing).await, ["failed", "made 1"]);
    assert_eq!(store.latest_checks(&often).await.unwrap().len(), 1);
}

#[tokio::test]
async fn events_of_a_run_that_has_not_ended_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("state.db")).unwrap();
    let target = day_partition("flights", 1);
    store.create_run(new_run(1, None)).await.unwrap();
    make(&store, &target, 1).await;
    assert_eq!(store.count_old_records(later()).await.unwrap().events, 0);
    let end = RunChange::new([RunStatus::Queued], RunStatus::Canceled, at_second(9));
    store.change_run(run_id(1), end).await.unwrap();
    assert_eq!(store.count_old_records(later()).await.unwrap().events, 1);
}

#[tokio::test]
async fn the_last_tick_of_a_trigger_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("state.db")).unwrap();
    let trigger = TriggerId::new(TriggerKind::Sensor, "landing");
    for revision in 0..3_u64 {
        let advance = Advance {
            revision,
            cursor: Some(format!("{revision}")),
            at: at_second(revision.cast_signed()),
            scheduled_for: None,
            note: None,
            request: TickRequest::Skip { reason: None },
        };
        store.advance_trigger(&trigger, advance).await.unwrap();
    }
    let young = store.count_old_records(at_second(1)).await.unwrap();
    assert_eq!(young.ticks, 1);
    assert_eq!(store.remove_old_records(later()).await.unwrap().ticks, 2);
    let state = store.trigger_state(&trigger).await.unwrap();
    assert_eq!((state.revision, state.cursor.as_deref()), (3, Some("2")));
    assert_eq!(state.last_tick.unwrap().at, at_second(2));
}
