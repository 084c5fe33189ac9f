//! Repeated and late calls: each call takes effect, its answer is lost, and it is repeated.

use std::sync::Arc;

use precip_engine::state::{
    Advance, Advanced, CheckOutcome, CheckStore, CommitOutcome, DynamicPartitionStore,
    FailureOutcome, MaterializationStore, PageRequest, PoolStore, ReadConsistency, RunChange,
    RunFilter, RunStatus, RunStore, Sequence, SlotAnswer, SlotHolder, SlotRequest, StateErrorKind,
    StateResult, StateStore, TickRequest, TriggerId, TriggerKind, TriggerStore,
    conformance::{
        Harness,
        fixtures::{
            asset_key, at_second, check_evaluation, day_partition, failed_attempt,
            materialization_of, new_run, run_id,
        },
    },
    decorators::{FailCalls, Hooked, When},
};

use super::harness::Dynamo;

/// Wraps the store so that each of these calls takes effect and loses its first answer.
fn losing_answers(h: &Dynamo, calls: &[&'static str]) -> Hooked<FailCalls> {
    let store: Arc<dyn StateStore> = Arc::new(h.store.clone());
    let lossy = Hooked::new(store, FailCalls::default());
    for call in calls {
        lossy
            .hook()
            .fail_calls(call, When::After, 0, 1, StateErrorKind::Retry);
    }
    lossy
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_counts_once() -> StateResult<()> {
    let h = Dynamo::new().await;
    let lossy = losing_answers(&h, &["commit_materializations", "record_failures"]);
    let (a, b) = (day_partition("flights", 1), day_partition("flights", 2));
    lossy
        .commit_materializations(vec![materialization_of(&a, run_id(1), 1)])
        .await
        .unwrap_err();
    let again = lossy
        .commit_materializations(vec![materialization_of(&a, run_id(1), 1)])
        .await?;
    assert_eq!(again, [CommitOutcome::Committed]);
    lossy
        .record_failures(vec![failed_attempt(&b, run_id(1), 1)])
        .await
        .unwrap_err();
    let again = lossy
        .record_failures(vec![failed_attempt(&b, run_id(1), 1)])
        .await?;
    assert_eq!(again, [FailureOutcome::Recorded]);
    h.await_projections().await;
    let progress = h.store.run_progress(run_id(1)).await?;
    // Progress, updates and the log hold each outcome once.
    assert_eq!((progress.succeeded, progress.failed), (1, 1));
    let updates = h
        .store
        .published_since(&asset_key("flights"), Sequence::default())
        .await?;
    assert_eq!(updates.partitions.len(), 1);
    let page = PageRequest::first(9);
    assert_eq!(h.store.partition_events(&a, &page).await?.items.len(), 1);
    assert_eq!(h.store.partition_events(&b, &page).await?.items.len(), 1);
    Ok(())
}

/// The write of an abandoned attempt arrives after everything else.
#[tokio::test]
async fn a_late_write_changes_nothing() -> StateResult<()> {
    let h = Dynamo::new().await;
    let target = day_partition("flights", 1);
    h.store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 1)])
        .await?;
    h.store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 2)])
        .await?;
    let newest = materialization_of(&target, run_id(2), 1);
    h.store
        .commit_materializations(vec![newest.clone()])
        .await?;
    h.await_projections().await;
    for (run, attempt) in [(1, 1), (1, 2)] {
        let late = h
            .store
            .commit_materializations(vec![materialization_of(&target, run_id(run), attempt)])
            .await?;
        assert_eq!(late, [CommitOutcome::Superseded { by: run_id(2) }]);
        h.store
            .record_failures(vec![failed_attempt(&target, run_id(run), attempt)])
            .await?;
    }
    h.await_projections().await;
    let latest = h
        .store
        .latest_materialization(&target, ReadConsistency::Strong)
        .await?
        .unwrap();
    assert_eq!(latest.published(), Some(&newest));
    assert_eq!(latest.failure, None);
    let statuses = h.store.partition_statuses(&asset_key("flights")).await?;
    assert!(statuses.failed.is_empty());
    Ok(())
}

/// The failure is resolved before the stream is read, and another run has superseded the partition.
#[tokio::test]
async fn a_resolved_failure_does_not_come_back() -> StateResult<()> {
    let h = Dynamo::new().await;
    let target = day_partition("flights", 1);
    h.store.create_run(new_run(1, None)).await?;
    h.store
        .record_failures(vec![failed_attempt(&target, run_id(1), 1)])
        .await?;
    h.store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 2)])
        .await?;
    h.store
        .commit_materializations(vec![materialization_of(&target, run_id(2), 1)])
        .await?;
    h.await_projections().await;
    h.await_projections().await;
    let page = PageRequest::first(9);
    assert_eq!(h.store.run_failures(run_id(1), &page).await?.items, []);
    let progress = h.store.run_progress(run_id(1)).await?;
    assert_eq!((progress.succeeded, progress.failed), (1, 0));
    Ok(())
}

#[tokio::test]
async fn runs_and_ticks_whose_answer_is_lost_exist_once() -> StateResult<()> {
    let h = Dynamo::new().await;
    let lossy = losing_answers(&h, &["create_run", "change_run", "advance_trigger"]);
    lossy.create_run(new_run(1, Some("a"))).await.unwrap_err();
    let again = lossy.create_run(new_run(1, Some("a"))).await?;
    // The repeated creation finds the run, and the repeated change has nothing to do.
    assert!(!again.is_new());
    let start = || RunChange::new([RunStatus::Queued], RunStatus::Running, at_second(5));
    lossy.change_run(run_id(1), start()).await.unwrap_err();
    assert!(!lossy.change_run(run_id(1), start()).await?.is_changed());
    let sensor = TriggerId::new(TriggerKind::Sensor, "landing");
    let tick = || Advance {
        revision: 0,
        cursor: Some("file-1".to_owned()),
        at: at_second(7),
        scheduled_for: None,
        request: TickRequest::Runs(vec![new_run(2, Some("b")), new_run(3, None)]),
        note: None,
    };
    lossy.advance_trigger(&sensor, tick()).await.unwrap_err();
    // The repeated tick is refused: its revision is taken, by itself.
    let Advanced::Refused(state) = lossy.advance_trigger(&sensor, tick()).await? else {
        panic!("the first call was recorded");
    };
    assert_eq!(state.revision, 1);
    let page = PageRequest::first(9);
    let runs = h.store.list_runs(&RunFilter::default(), &page).await?;
    assert_eq!(runs.items.len(), 3);
    assert_eq!(h.store.list_ticks(&sensor, &page).await?.items.len(), 1);
    Ok(())
}

#[tokio::test]
async fn keys_slots_and_checks_whose_answer_is_lost_count_once() -> StateResult<()> {
    let h = Dynamo::new().await;
    let lossy = losing_answers(&h, &["add_dynamic_keys", "acquire_slot", "record_checks"]);
    let keys = ["a".into(), "b".into(), "a".into()];
    lossy.add_dynamic_keys("files", &keys).await.unwrap_err();
    assert_eq!(lossy.add_dynamic_keys("files", &keys).await?, [0, 1, 0]);
    h.store.set_pool_limit("api", Some(1)).await?;
    let slot = || SlotRequest {
        pool: "api".to_owned(),
        holder: SlotHolder("run/op/1".to_owned()),
        now: at_second(0),
        expires_at: at_second(60),
    };
    lossy.acquire_slot(slot()).await.unwrap_err();
    // The repeated request renews the slot that it took.
    assert_eq!(lossy.acquire_slot(slot()).await?, SlotAnswer::Granted);
    assert_eq!(
        h.store.pool_state("api", at_second(1)).await?.slots.len(),
        1
    );
    let target = day_partition("flights", 1);
    let found = check_evaluation("rows", &target, run_id(1), 1, CheckOutcome::Failed);
    lossy.record_checks(vec![found.clone()]).await.unwrap_err();
    lossy.record_checks(vec![found.clone()]).await?;
    let page = PageRequest::first(9);
    let history = h.store.check_history(&found.check, &target, &page).await?;
    assert_eq!(history.items, [found]);
    Ok(())
}

/// More keys than one transaction takes.
#[tokio::test]
async fn many_keys_are_added_in_several_transactions() -> StateResult<()> {
    let h = Dynamo::new().await;
    let keys: Vec<_> = (0..250).map(|n| format!("file-{n}").into()).collect();
    let ordinals = h.store.add_dynamic_keys("files", &keys).await?;
    assert_eq!(ordinals, (0..250).collect::<Vec<u64>>());
    assert_eq!(h.store.dynamic_keys("files").await?.iter().count(), 250);
    Ok(())
}

#[tokio::test]
async fn a_missing_table_is_named_with_what_to_do() -> StateResult<()> {
    let aws = super::harness::emulator_aws().await;
    let store = crate::state::dynamo::DynamoStore::new(aws.dynamodb(), "nowhere");
    let error = store.find_run(run_id(1)).await.unwrap_err();
    assert_eq!(error.kind(), StateErrorKind::Unavailable);
    assert!(error.to_string().contains("no table `nowhere`"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_unreachable_endpoint_is_retryable() -> StateResult<()> {
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url("http://127.0.0.1:9")
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .load()
        .await;
    let aws = crate::Aws::new(config);
    let store = crate::state::dynamo::DynamoStore::new(aws.dynamodb(), "precip");
    let error = store.find_run(run_id(1)).await.unwrap_err();
    assert_eq!(error.kind(), StateErrorKind::Retry, "{error}");
    Ok(())
}

/// The clock is behind that of the process that published before: the order within a partition is still
/// kept.
#[tokio::test]
async fn a_clock_that_is_behind_does_not_reverse_the_order() -> StateResult<()> {
    #[derive(Debug)]
    struct Behind;
    impl precip_engine::run::Clock for Behind {
        fn now(&self) -> chrono::DateTime<chrono::Utc> {
            at_second(0)
        }
    }
    let h = Dynamo::new().await;
    let target = day_partition("flights", 1);
    let sequence = async || {
        let latest = h
            .store
            .latest_materialization(&target, ReadConsistency::Strong)
            .await?;
        let made = latest.and_then(|latest| latest.materialization);
        StateResult::Ok(made.map(|(_, sequence)| sequence))
    };
    h.store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 1)])
        .await?;
    let before = sequence().await?;
    let behind = h.store.clone().with_clock(Arc::new(Behind));
    let done = behind
        .commit_materializations(vec![materialization_of(&target, run_id(2), 1)])
        .await?;
    assert_eq!(done, [CommitOutcome::Committed]);
    assert!(sequence().await? > before);
    Ok(())
}

/// More slots expire than one write clears.
#[tokio::test]
async fn a_full_pool_of_expired_slots_is_cleared() -> StateResult<()> {
    let h = Dynamo::new().await;
    h.store.set_pool_limit("api", Some(120)).await?;
    let ask = |n: u32, now: i64| SlotRequest {
        pool: "api".to_owned(),
        holder: SlotHolder(format!("run/op/{n}")),
        now: at_second(now),
        expires_at: at_second(now + 60),
    };
    for n in 0..120 {
        assert_eq!(h.store.acquire_slot(ask(n, 0)).await?, SlotAnswer::Granted);
    }
    let full = h.store.acquire_slot(ask(120, 0)).await?;
    // At 90 s every slot has expired, and the next holder clears them.
    assert!(
        matches!(full, SlotAnswer::Full { limit: 120, .. }),
        "{full:?}"
    );
    assert_eq!(
        h.store.acquire_slot(ask(120, 90)).await?,
        SlotAnswer::Granted
    );
    let left = h.store.pool_state("api", at_second(0)).await?.slots;
    assert_eq!(left.len(), 1, "expired slots are gone, not only hidden");
    Ok(())
}
