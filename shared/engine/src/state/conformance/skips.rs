//! Rules of attempts that had nothing to make.

use precip_core::partitions::{PartitionKey, PartitionSet};

use super::{
    Harness,
    fixtures::{
        asset_key, attempt_start, collect_pages, day_partition, failed_attempt, materialization_of,
        new_run, run_id, skipped_attempt,
    },
};
use crate::state::{
    Event, FailureOutcome, Latest, PageRequest, PartitionRef, PartitionStatuses, ReadConsistency,
    RunProgress, Sequence, StateResult, UntriedPartitions, UntriedReason,
};

async fn flights_statuses(h: &dyn Harness) -> StateResult<PartitionStatuses> {
    h.await_projections().await;
    h.store().partition_statuses(&asset_key("flights")).await
}

async fn latest_of(h: &dyn Harness, target: &PartitionRef) -> StateResult<Latest> {
    let store = h.store();
    let latest = store
        .latest_materialization(target, ReadConsistency::Strong)
        .await?;
    Ok(latest.expect("an attempt at it has ended"))
}

fn days(ordinals: impl IntoIterator<Item = u64>) -> PartitionSet {
    ordinals.into_iter().collect()
}

/// A skipped partition keeps what was published, is no update, and is in progress no longer.
pub async fn a_skip_marks_the_partition_and_removes_nothing(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let (made, never) = (day_partition("flights", 1), day_partition("flights", 5000));
    store
        .commit_materializations(vec![materialization_of(&made, run_id(1), 1)])
        .await?;
    h.await_projections().await;
    let flights = asset_key("flights");
    let before = store.published_since(&flights, Sequence::default()).await?;
    let both = [&made, &never];
    let starts = both.map(|target| attempt_start(target, run_id(2), 1));
    store.record_attempts(starts.into()).await?;
    let skips = both.map(|target| skipped_attempt(target, run_id(2), 1));
    // A repeated call records the same.
    for _ in 0..2 {
        let recorded = store.record_skipped_attempts(skips.to_vec()).await?;
        assert_eq!(recorded, [FailureOutcome::Recorded; 2]);
    }
    let statuses = flights_statuses(h).await?;
    let expected = PartitionStatuses {
        materialized: days([1]),
        skipped: days([1, 5000]),
        ..PartitionStatuses::default()
    };
    assert_eq!(statuses, expected);
    for (target, skip) in both.into_iter().zip(&skips) {
        let latest = latest_of(h, target).await?;
        assert_eq!(latest.skip.as_ref(), Some(skip));
        assert_eq!(latest.failure, None);
        assert_eq!(latest.published().is_some(), *target == made);
        assert!(latest.is_skipped_by(run_id(2)));
    }
    let after = store.published_since(&flights, before.until).await?;
    assert_eq!(after.partitions, days([]), "a skip is no update");
    let events = store
        .partition_events(&never, &PageRequest::first(5))
        .await?;
    assert_eq!(events.items[0], Event::Skipped(skips[1].clone()));
    let listed = store
        .list_latest_materializations(&flights, &PageRequest::first(9))
        .await?;
    assert_eq!(listed.items.len(), 2);
    Ok(())
}

/// The newer run's publication clears a skip, and so does the run's own.
pub async fn a_skip_is_cleared_by_what_is_newer(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 3);
    store
        .record_skipped_attempts(vec![skipped_attempt(&target, run_id(2), 1)])
        .await?;
    // An older run's late success is published, and the newer skip stays.
    store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 1)])
        .await?;
    assert_eq!(flights_statuses(h).await?.skipped, days([3]));
    assert!(latest_of(h, &target).await?.skip.is_some());
    for (run, attempt) in [(2, 2), (3, 1)] {
        store
            .commit_materializations(vec![materialization_of(&target, run_id(run), attempt)])
            .await?;
        let statuses = flights_statuses(h).await?;
        assert_eq!(
            (statuses.materialized, statuses.skipped),
            (days([3]), days([]))
        );
        assert_eq!(latest_of(h, &target).await?.skip, None);
        // For the next turn.
        store
            .record_skipped_attempts(vec![skipped_attempt(&target, run_id(run + 1), 1)])
            .await?;
    }
    assert_eq!(flights_statuses(h).await?.skipped, days([3]));
    Ok(())
}

/// Of failures and skips only the newest attempt's is kept, by one rule for both.
pub async fn a_failure_and_a_skip_replace_each_other(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 3);
    let skip = |run, attempt| vec![skipped_attempt(&target, run_id(run), attempt)];
    let fail = |run, attempt| vec![failed_attempt(&target, run_id(run), attempt)];
    store.record_failures(fail(1, 1)).await?;
    store.record_skipped_attempts(skip(1, 2)).await?;
    let statuses = flights_statuses(h).await?;
    assert_eq!((statuses.failed, statuses.skipped), (days([]), days([3])));
    // A failure that is older changes nothing.
    store.record_failures(fail(1, 1)).await?;
    assert_eq!(flights_statuses(h).await?.failed, days([]));
    store.record_failures(fail(2, 1)).await?;
    let statuses = flights_statuses(h).await?;
    assert_eq!((statuses.failed, statuses.skipped), (days([3]), days([])));
    let latest = latest_of(h, &target).await?;
    assert_eq!((latest.failure, latest.skip), (fail(2, 1).pop(), None));
    // One that is retried takes no mark away.
    store.record_skipped_attempts(skip(3, 1)).await?;
    let mut retried = fail(4, 1);
    retried[0].will_retry = true;
    store.record_failures(retried).await?;
    assert_eq!(latest_of(h, &target).await?.skip, skip(3, 1).pop());
    assert_eq!(flights_statuses(h).await?.skipped, days([3]));
    Ok(())
}

/// A late skip of an older run is recorded for that run only.
pub async fn a_skip_of_an_older_run_marks_nothing(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let target = day_partition("flights", 3);
    store
        .commit_materializations(vec![materialization_of(&target, run_id(2), 1)])
        .await?;
    let recorded = store
        .record_skipped_attempts(vec![skipped_attempt(&target, run_id(1), 4)])
        .await?;
    assert_eq!(recorded, [FailureOutcome::Recorded]);
    assert_eq!(flights_statuses(h).await?.skipped, days([]));
    assert_eq!(latest_of(h, &target).await?.skip, None);
    let page = PageRequest::first(5);
    let listed = store.run_skipped_attempts(run_id(1), &page).await?;
    assert_eq!(listed.items, [skipped_attempt(&target, run_id(1), 4)]);
    Ok(())
}

/// A zombie attempt that has nothing to make after its run succeeded leaves no trace.
pub async fn a_skip_after_the_runs_own_success_is_left_out(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let target = day_partition("flights", 3);
    store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 2)])
        .await?;
    for attempt in [1, 3] {
        let recorded = store
            .record_skipped_attempts(vec![skipped_attempt(&target, run_id(1), attempt)])
            .await?;
        assert_eq!(recorded, [FailureOutcome::AlreadyDone { attempt: 2 }]);
    }
    assert_eq!(flights_statuses(h).await?.skipped, days([]));
    let page = PageRequest::first(5);
    let listed = store.run_skipped_attempts(run_id(1), &page).await?;
    assert_eq!(listed.items, []);
    Ok(())
}

/// A skip leaves the run's list once the same run makes the partition or fails for it, and a failure
/// leaves the list of failures once the same run skips the partition.
pub async fn skips_are_listed_until_they_are_cleared(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    for run in [1, 2] {
        store.create_run(new_run(run, None)).await?;
    }
    let [a, b, c] = [1, 2, 3].map(|n| day_partition("flights", n));
    let skips: Vec<_> = [&a, &b, &c]
        .map(|day| skipped_attempt(day, run_id(1), 1))
        .into();
    store.record_skipped_attempts(skips.clone()).await?;
    let page = PageRequest::first(10);
    assert_eq!(
        store.run_skipped_attempts(run_id(1), &page).await?.items,
        skips
    );
    assert_eq!(store.run_failures(run_id(1), &page).await?.items, []);
    store
        .commit_materializations(vec![
            materialization_of(&a, run_id(1), 2),
            // Another run's success does not clear this run's skip.
            materialization_of(&c, run_id(2), 1),
        ])
        .await?;
    store
        .record_failures(vec![failed_attempt(&b, run_id(1), 2)])
        .await?;
    let listed = store.run_skipped_attempts(run_id(1), &page).await?;
    assert_eq!(listed.items, [skipped_attempt(&c, run_id(1), 1)]);
    let listed = store.run_failures(run_id(1), &page).await?;
    assert_eq!(listed.items, [failed_attempt(&b, run_id(1), 2)]);
    store
        .record_skipped_attempts(vec![skipped_attempt(&b, run_id(1), 3)])
        .await?;
    assert_eq!(store.run_failures(run_id(1), &page).await?.items, []);
    let listed = store.run_skipped_attempts(run_id(1), &page).await?;
    assert_eq!(listed.items.len(), 2);
    assert_eq!(
        store.run_skipped_attempts(run_id(2), &page).await?.items,
        []
    );
    Ok(())
}

/// Skips are listed by asset, then partition key, each once, whatever failed in between.
pub async fn skips_come_in_pages(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let mut skipped = Vec::new();
    for name in ["b", "a"] {
        for n in (0..10).rev() {
            let target = day_partition(name, n);
            if n % 2 == 0 {
                let failure = failed_attempt(&target, run_id(1), 1);
                store.record_failures(vec![failure]).await?;
            } else {
                skipped.push(skipped_attempt(&target, run_id(1), 1));
            }
        }
    }
    store.record_skipped_attempts(skipped.clone()).await?;
    skipped.sort_by(|a, b| a.target.cmp(&b.target));
    let pages = async |request: &PageRequest| store.run_skipped_attempts(run_id(1), request).await;
    assert_eq!(collect_pages(3, pages).await?, skipped);
    let pages = async |request: &PageRequest| store.run_failures(run_id(1), request).await;
    assert_eq!(collect_pages(3, pages).await?.len(), 10);
    Ok(())
}

/// Skips of the op and partitions that are passed over for want of upstream data add up.
pub async fn progress_counts_skips_apart_from_failures(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let [a, b, c] = [1, 2, 3].map(|n| day_partition("flights", n));
    for _ in 0..2 {
        store
            .record_skipped_attempts(vec![
                skipped_attempt(&a, run_id(1), 1),
                skipped_attempt(&b, run_id(1), 1),
            ])
            .await?;
    }
    store
        .record_failures(vec![failed_attempt(&c, run_id(1), 1)])
        .await?;
    let passed_over = UntriedPartitions {
        asset: asset_key("loaded"),
        partitions: days([1, 2]),
        reason: UntriedReason::UpstreamSkipped {
            asset: asset_key("flights"),
            partition: Some("day-1".into()),
        },
    };
    store
        .record_untried(run_id(1), vec![passed_over.clone()])
        .await?;
    assert_eq!(store.run_untried(run_id(1)).await?, [passed_over]);
    h.await_projections().await;
    let expected = RunProgress {
        succeeded: 0,
        failed: 1,
        skipped: 4,
        held_back: 0,
    };
    assert_eq!(store.run_progress(run_id(1)).await?, expected);
    // What the same run makes after all is skipped no longer.
    store
        .commit_materializations(vec![materialization_of(&a, run_id(1), 2)])
        .await?;
    h.await_projections().await;
    let expected = RunProgress {
        succeeded: 1,
        failed: 1,
        skipped: 3,
        held_back: 0,
    };
    assert_eq!(store.run_progress(run_id(1)).await?, expected);
    Ok(())
}

/// A wiped partition is neither skipped nor on record.
pub async fn wiped_skips_are_missing_again(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let targets = [1, 2].map(|n| day_partition("flights", n));
    let skips = targets
        .iter()
        .map(|day| skipped_attempt(day, run_id(1), 1))
        .collect();
    store.record_skipped_attempts(skips).await?;
    store.wipe_partitions(&targets[..1]).await?;
    assert_eq!(flights_statuses(h).await?.skipped, days([2]));
    let latest = store
        .latest_materializations(&targets, ReadConsistency::Strong)
        .await?;
    assert_eq!(latest[0], None);
    assert!(latest[1].is_some());
    Ok(())
}

/// A layout whose start date moved back shifts the skips with the keys.
pub async fn a_changed_layout_renumbers_skips(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let flights = asset_key("flights");
    let shifted = |by: u64| {
        move |key: Option<&PartitionKey>| -> Option<u64> {
            let day: u64 = key?.as_str().strip_prefix("day-")?.parse().ok()?;
            Some(day + by)
        }
    };
    store
        .renumber_partitions(&flights, "v1", &shifted(0))
        .await?;
    store
        .record_skipped_attempts(vec![
            skipped_attempt(&day_partition("flights", 1), run_id(1), 1),
            skipped_attempt(&day_partition("flights", 4095), run_id(1), 1),
        ])
        .await?;
    assert_eq!(flights_statuses(h).await?.skipped, days([1, 4095]));
    store
        .renumber_partitions(&flights, "v2", &shifted(10))
        .await?;
    assert_eq!(flights_statuses(h).await?.skipped, days([11, 4105]));
    Ok(())
}
