//! Calls that go wrong beneath the SDK, which repeats them by itself.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures::future::BoxFuture;
use precip_engine::state::{
    CommitOutcome, PageRequest, ReadConsistency, RunChange, RunStatus, Sequence, SlotAnswer,
    SlotHolder, SlotRequest, StateResult,
    conformance::{
        Harness,
        fixtures::{
            asset_key, at_second, day_partition, failed_attempt, materialization_of, new_run,
            run_id,
        },
    },
};
use precip_simulator::bill::Unit;
use precip_strict_aws::{Faults, Options, Phase, Reaction};

use crate::world::World;

/// Loses the answer to each call of an operation once: every second one, beginning with the first.
fn lose_first_answers(world: &World, operation: &'static str) -> Arc<AtomicU32> {
    let lost = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&lost);
    let repeated = AtomicU32::new(0);
    world.aws.set_hook(move |call, phase| {
        let meant = phase == Phase::After && call.operation == operation;
        if !meant || repeated.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            return Reaction::Proceed;
        }
        count.fetch_add(1, Ordering::Relaxed);
        Reaction::Disconnect
    });
    lost
}

#[test]
fn a_commit_whose_answer_is_lost_is_committed() -> StateResult<()> {
    let mut world = World::new(1);
    let harness = world.harness();
    let lost = lose_first_answers(&world, "UpdateItem");
    let target = day_partition("flights", 1);
    let made = materialization_of(&target, run_id(1), 1);
    world.kernel.run(async {
        let store = harness.store();
        let answer = store.commit_materializations(vec![made.clone()]).await?;
        assert_eq!(answer, [CommitOutcome::Committed]);
        harness.await_projections().await;
        // The update is announced once.
        let flights = asset_key("flights");
        let updates = store.published_since(&flights, Sequence::default()).await?;
        assert_eq!(updates.partitions.len(), 1);
        let page = store
            .partition_events(&target, &PageRequest::first(9))
            .await?;
        assert_eq!(page.items.len(), 1);
        StateResult::Ok(())
    })?;
    assert!(lost.load(Ordering::Relaxed) > 0);
    Ok(())
}

/// The SDK's repetition is refused by the write before it, which is this caller's own.
#[test]
fn a_change_of_a_run_whose_answer_is_lost_is_made() -> StateResult<()> {
    let mut world = World::new(1);
    let harness = world.harness();
    let store = harness.store();
    world.kernel.run(store.create_run(new_run(1, None)))?;
    let lost = lose_first_answers(&world, "PutItem");
    let start = RunChange::new([RunStatus::Queued], RunStatus::Running, at_second(1));
    let changed = world
        .kernel
        .run(store.change_run(run_id(1), start.clone()))?;
    assert!(changed.is_changed(), "{changed:?}");
    assert_eq!(lost.load(Ordering::Relaxed), 1);
    // Another caller's change is refused, whatever is lost.
    let again = world.kernel.run(store.change_run(run_id(1), start))?;
    assert!(!again.is_changed(), "{again:?}");
    Ok(())
}

#[test]
fn a_transaction_whose_answer_is_lost_is_made_once() -> StateResult<()> {
    let mut world = World::new(1);
    let harness = world.harness();
    let store = harness.store();
    let lost = lose_first_answers(&world, "TransactWriteItems");
    world.kernel.run(async {
        assert!(store.create_run(new_run(1, Some("key"))).await?.is_new());
        let keys = ["a", "b"].map(Into::into);
        assert_eq!(store.add_dynamic_keys("files", &keys).await?, [0, 1]);
        let target = day_partition("flights", 1);
        store
            .record_failures(vec![failed_attempt(&target, run_id(1), 1)])
            .await?;
        harness.await_projections().await;
        assert_eq!(store.run_progress(run_id(1)).await?.failed, 1);
        StateResult::Ok(())
    })?;
    assert!(lost.load(Ordering::Relaxed) >= 3);
    Ok(())
}

#[test]
fn a_slot_whose_answer_is_lost_is_granted_once() -> StateResult<()> {
    let mut world = World::new(1);
    let harness = world.harness();
    let store = harness.store();
    world.kernel.run(store.set_pool_limit("pool", Some(1)))?;
    let lost = lose_first_answers(&world, "UpdateItem");
    let request = |holder: &str| SlotRequest {
        pool: "pool".to_owned(),
        holder: SlotHolder(holder.to_owned()),
        now: at_second(0),
        expires_at: at_second(60),
    };
    world.kernel.run(async {
        assert_eq!(store.acquire_slot(request("a")).await?, SlotAnswer::Granted);
        let full = store.acquire_slot(request("b")).await?;
        assert!(
            matches!(full, SlotAnswer::Full { limit: 1, .. }),
            "{full:?}"
        );
        assert_eq!(store.pool_state("pool", at_second(1)).await?.slots.len(), 1);
        StateResult::Ok(())
    })?;
    assert!(lost.load(Ordering::Relaxed) > 0);
    Ok(())
}

/// A pool in which everyone died: the expressions stay within DynamoDB's limits.
#[test]
fn many_expired_slots_are_cleared() -> StateResult<()> {
    let mut world = World::new(1);
    let harness = world.harness();
    let store = harness.store();
    let request = |number: usize, now: i64| SlotRequest {
        pool: "pool".to_owned(),
        holder: SlotHolder(format!("{}/flights/{number}.#:", run_id(1))),
        now: at_second(now),
        expires_at: at_second(now + 60),
    };
    world.kernel.run(async {
        store.set_pool_limit("pool", Some(130)).await?;
        for number in 0..130 {
            let answer = store.acquire_slot(request(number, 0)).await?;
            assert_eq!(answer, SlotAnswer::Granted);
        }
        let answer = store.acquire_slot(request(200, 100)).await?;
        assert_eq!(answer, SlotAnswer::Granted);
        assert_eq!(
            store.pool_state("pool", at_second(101)).await?.slots.len(),
            1
        );
        StateResult::Ok(())
    })?;
    assert_eq!(world.aws.mistakes(), []);
    Ok(())
}

/// Conflicts, late calls, lost answers and failures: whatever the course, each partition is published
/// once and the derived rows agree.
#[test]
fn a_troubled_hour_ends_with_the_right_rows() {
    for seed in 0..8 {
        let mut world = World::with_options(Options {
            seed,
            faults: Faults {
                lost_requests: 0.03,
                lost_answers: 0.03,
                internal_errors: 0.03,
                throttled: 0.03,
                unprocessed: 0.05,
                conflicts: 0.05,
                late: 0.1,
                longest_delay: std::time::Duration::from_secs(2),
                stale_reads: 0.0,
            },
            ..Options::default()
        });
        let harness = world.harness();
        world.kernel.run(async {
            let store = harness.store();
            let until_done = async |step: &dyn Fn() -> BoxFuture<'static, StateResult<()>>| {
                // A caller repeats a call that may succeed when it is repeated.
                for _ in 0..20 {
                    match step().await {
                        Ok(()) => return,
                        Err(error) => assert!(error.kind().is_retryable(), "{error}"),
                    }
                }
                panic!("seed {seed}: no call of 20 succeeds");
            };
            for n in 0..30_u64 {
                let target = day_partition("flights", n % 20);
                let made = materialization_of(&target, run_id(1 + n / 20), 1);
                until_done(&|| {
                    let (store, made) = (store.clone(), made.clone());
                    Box::pin(async move {
                        let answer = store.commit_materializations(vec![made]).await?;
                        assert_eq!(answer, [CommitOutcome::Committed]);
                        Ok(())
                    })
                })
                .await;
            }
            for batch in harness.read_changes() {
                until_done(&|| {
                    let (projector, batch) = (harness.projector(), batch.clone());
                    Box::pin(async move { projector.apply_changes(&batch).await.map(drop) })
                })
                .await;
            }
        });
        world.aws.set_faults(Faults::default());
        world.kernel.run(async {
            let store = harness.store();
            let flights = asset_key("flights");
            let statuses = store.partition_statuses(&flights).await.unwrap();
            assert_eq!(statuses.materialized, (0..20).collect(), "seed {seed}");
            let updates = store
                .published_since(&flights, Sequence::default())
                .await
                .unwrap();
            assert_eq!(updates.partitions.len(), 20, "seed {seed}");
            let progress = store.run_progress(run_id(1)).await.unwrap();
            assert_eq!(progress.succeeded, 20, "seed {seed}");
            let target = day_partition("flights", 3);
            let consistency = ReadConsistency::Strong;
            let latest = store
                .latest_materialization(&target, consistency)
                .await
                .unwrap();
            assert!(latest.is_some_and(|latest| latest.is_published_by(run_id(2))));
            let page = store
                .partition_events(&target, &PageRequest::first(9))
                .await
                .unwrap();
            assert_eq!(page.items.len(), 2, "seed {seed}");
        });
        assert_eq!(world.aws.mistakes(), [], "seed {seed}");
        assert!(world.bill.amount(Unit::DynamoDbWrite) > 60.0);
    }
}
