//! Calls made twice, or answered late: each is made, its answer is lost, and it is made again.

use std::sync::Arc;

use precip_engine::state::{
    Advance, Advanced, CheckOutcome, CheckStore, DynamicPartitionStore, FailureRecorded, Finished,
    MaterializationStore, PageRequest, PoolStore, ReadConsistency, RunChange, RunFilter, RunStatus,
    RunStore, Sequence, SlotAnswer, SlotHolder, SlotRequest, StateErrorKind, StateResult,
    StateStore, TickRequest, TriggerId, TriggerKind, TriggerStore,
    conformance::{
        Harness,
        fixtures::{asset, at, checked, day, failed, made, new_run, run_id},
    },
    decorators::{FailCalls, Hooked, When},
};

use super::harness::Dynamo;

/// A store that does what it is asked and loses each answer once.
fn lossy(h: &Dynamo, calls: &[&'static str]) -> Hooked<FailCalls> {
    let store: Arc<dyn StateStore> = Arc::new(h.store.clone());
    let lossy = Hooked::new(store, FailCalls::default());
    for call in calls {
        lossy
            .hook()
            .fail(call, When::After, 0, 1, StateErrorKind::Retry);
    }
    lossy
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_made_once() -> StateResult<()> {
    let h = Dynamo::new().await;
    let lossy = lossy(&h, &["finish", "fail"]);
    let (a, b) = (day("flights", 1), day("flights", 2));
    lossy
        .finish(vec![made(&a, run_id(1), 1)])
        .await
        .unwrap_err();
    let again = lossy.finish(vec![made(&a, run_id(1), 1)]).await?;
    assert_eq!(again, [Finished::Committed]);
    lossy
        .fail(vec![failed(&b, run_id(1), 1)])
        .await
        .unwrap_err();
    let again = lossy.fail(vec![failed(&b, run_id(1), 1)]).await?;
    assert_eq!(again, [FailureRecorded::Recorded]);
    h.settle().await;
    let progress = h.store.progress(run_id(1)).await?;
    assert_eq!((progress.succeeded, progress.failed), (1, 1));
    let updates = h
        .store
        .updates(&asset("flights"), Sequence::default())
        .await?;
    assert_eq!(updates.partitions.len(), 1);
    let page = PageRequest::first(9);
    assert_eq!(h.store.events(&a, &page).await?.items.len(), 1);
    assert_eq!(h.store.events(&b, &page).await?.items.len(), 1);
    Ok(())
}

/// The write of an attempt that was given up on arrives after everything else.
#[tokio::test]
async fn a_late_write_changes_nothing() -> StateResult<()> {
    let h = Dynamo::new().await;
    let target = day("flights", 1);
    h.store.finish(vec![made(&target, run_id(1), 1)]).await?;
    h.store.finish(vec![made(&target, run_id(1), 2)]).await?;
    let newest = made(&target, run_id(2), 1);
    h.store.finish(vec![newest.clone()]).await?;
    h.settle().await;
    for (run, attempt) in [(1, 1), (1, 2)] {
        let late = h
            .store
            .finish(vec![made(&target, run_id(run), attempt)])
            .await?;
        assert_eq!(late, [Finished::Superseded { by: run_id(2) }]);
        h.store
            .fail(vec![failed(&target, run_id(run), attempt)])
            .await?;
    }
    h.settle().await;
    let latest = h
        .store
        .latest(&target, ReadConsistency::Strong)
        .await?
        .unwrap();
    assert_eq!(latest.published(), Some(&newest));
    assert_eq!(latest.failure, None);
    let statuses = h.store.statuses(&asset("flights")).await?;
    assert!(statuses.failed.is_empty());
    Ok(())
}

/// Made good while nobody read the stream, and superseded by another run since.
#[tokio::test]
async fn a_failure_that_was_made_good_does_not_come_back() -> StateResult<()> {
    let h = Dynamo::new().await;
    let target = day("flights", 1);
    h.store.create_run(new_run(1, None)).await?;
    h.store.fail(vec![failed(&target, run_id(1), 1)]).await?;
    h.store.finish(vec![made(&target, run_id(1), 2)]).await?;
    h.store.finish(vec![made(&target, run_id(2), 1)]).await?;
    h.settle().await;
    h.settle().await;
    let page = PageRequest::first(9);
    assert_eq!(h.store.failures(run_id(1), &page).await?.items, []);
    let progress = h.store.progress(run_id(1)).await?;
    assert_eq!((progress.succeeded, progress.failed), (1, 0));
    Ok(())
}

#[tokio::test]
async fn runs_and_ticks_whose_answer_is_lost_exist_once() -> StateResult<()> {
    let h = Dynamo::new().await;
    let lossy = lossy(&h, &["create_run", "change_run", "advance"]);
    lossy.create_run(new_run(1, Some("a"))).await.unwrap_err();
    let again = lossy.create_run(new_run(1, Some("a"))).await?;
    assert!(!again.is_new());
    let start = || RunChange::new([RunStatus::Queued], RunStatus::Running, at(5));
    lossy.change_run(run_id(1), start()).await.unwrap_err();
    assert!(!lossy.change_run(run_id(1), start()).await?.is_changed());
    let sensor = TriggerId::new(TriggerKind::Sensor, "landing");
    let tick = || Advance {
        revision: 0,
        cursor: Some("file-1".to_owned()),
        at: at(7),
        scheduled_for: None,
        request: TickRequest::Runs(vec![new_run(2, Some("b")), new_run(3, None)]),
        note: None,
    };
    lossy.advance(&sensor, tick()).await.unwrap_err();
    let Advanced::Refused(state) = lossy.advance(&sensor, tick()).await? else {
        panic!("the first call was recorded");
    };
    assert_eq!(state.revision, 1);
    let page = PageRequest::first(9);
    let runs = h.store.runs(&RunFilter::default(), &page).await?;
    assert_eq!(runs.items.len(), 3);
    assert_eq!(h.store.ticks(&sensor, &page).await?.items.len(), 1);
    Ok(())
}

#[tokio::test]
async fn keys_slots_and_checks_whose_answer_is_lost_are_taken_once() -> StateResult<()> {
    let h = Dynamo::new().await;
    let lossy = lossy(&h, &["add_partitions", "acquire", "record_checks"]);
    let keys = ["a".into(), "b".into(), "a".into()];
    lossy.add_partitions("files", &keys).await.unwrap_err();
    assert_eq!(lossy.add_partitions("files", &keys).await?, [0, 1, 0]);
    h.store.set_pool_limit("api", Some(1)).await?;
    let slot = || SlotRequest {
        pool: "api".to_owned(),
        holder: SlotHolder("run/op/1".to_owned()),
        now: at(0),
        expires_at: at(60),
    };
    lossy.acquire(slot()).await.unwrap_err();
    assert_eq!(lossy.acquire(slot()).await?, SlotAnswer::Granted);
    assert_eq!(h.store.pool("api", at(1)).await?.slots.len(), 1);
    let target = day("flights", 1);
    let found = checked("rows", &target, run_id(1), 1, CheckOutcome::Failed);
    lossy.record_checks(vec![found.clone()]).await.unwrap_err();
    lossy.record_checks(vec![found.clone()]).await?;
    let page = PageRequest::first(9);
    let history = h.store.check_history(&found.check, &target, &page).await?;
    assert_eq!(history.items, [found]);
    Ok(())
}

/// More keys than a transaction takes.
#[tokio::test]
async fn many_keys_are_added_in_several_transactions() -> StateResult<()> {
    let h = Dynamo::new().await;
    let keys: Vec<_> = (0..250).map(|n| format!("file-{n}").into()).collect();
    let ordinals = h.store.add_partitions("files", &keys).await?;
    assert_eq!(ordinals, (0..250).collect::<Vec<u64>>());
    assert_eq!(h.store.partitions("files").await?.iter().count(), 250);
    Ok(())
}

#[tokio::test]
async fn a_missing_table_is_named_with_what_to_do() -> StateResult<()> {
    let aws = super::harness::aws().await;
    let store = crate::state::dynamo::DynamoStore::new(aws.dynamodb(), "nowhere");
    let error = store.run(run_id(1)).await.unwrap_err();
    assert_eq!(error.kind(), StateErrorKind::Unavailable);
    assert!(error.to_string().contains("no table `nowhere`"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_worth_another_try() -> StateResult<()> {
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url("http://127.0.0.1:9")
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .load()
        .await;
    let aws = crate::Aws::new(config);
    let store = crate::state::dynamo::DynamoStore::new(aws.dynamodb(), "precip");
    let error = store.run(run_id(1)).await.unwrap_err();
    assert_eq!(error.kind(), StateErrorKind::Retry, "{error}");
    Ok(())
}

/// A clock that is behind that of the process that published before: the order within a partition is
/// kept all the same.
#[tokio::test]
async fn a_clock_that_is_behind_does_not_turn_the_order_around() -> StateResult<()> {
    #[derive(Debug)]
    struct Behind;
    impl precip_engine::run::Clock for Behind {
        fn now(&self) -> chrono::DateTime<chrono::Utc> {
            at(0)
        }
    }
    let h = Dynamo::new().await;
    let target = day("flights", 1);
    let sequence = async || {
        let latest = h.store.latest(&target, ReadConsistency::Strong).await?;
        let made = latest.and_then(|latest| latest.materialization);
        StateResult::Ok(made.map(|(_, sequence)| sequence))
    };
    h.store.finish(vec![made(&target, run_id(1), 1)]).await?;
    let before = sequence().await?;
    let behind = h.store.clone().with_clock(Arc::new(Behind));
    let done = behind.finish(vec![made(&target, run_id(2), 1)]).await?;
    assert_eq!(done, [Finished::Committed]);
    assert!(sequence().await? > before);
    Ok(())
}

/// More slots expired than one write clears.
#[tokio::test]
async fn a_pool_that_was_left_full_is_cleared() -> StateResult<()> {
    let h = Dynamo::new().await;
    h.store.set_pool_limit("api", Some(120)).await?;
    let ask = |n: u32, now: i64| SlotRequest {
        pool: "api".to_owned(),
        holder: SlotHolder(format!("run/op/{n}")),
        now: at(now),
        expires_at: at(now + 60),
    };
    for n in 0..120 {
        assert_eq!(h.store.acquire(ask(n, 0)).await?, SlotAnswer::Granted);
    }
    let full = h.store.acquire(ask(120, 0)).await?;
    assert!(
        matches!(full, SlotAnswer::Full { limit: 120, .. }),
        "{full:?}"
    );
    assert_eq!(h.store.acquire(ask(120, 90)).await?, SlotAnswer::Granted);
    let left = h.store.pool("api", at(0)).await?.slots;
    assert_eq!(left.len(), 1, "expired slots are gone, not only hidden");
    Ok(())
}
