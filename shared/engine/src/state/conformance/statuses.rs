//! Rules of the status sets.

use precip_core::partitions::{PartitionKey, PartitionSet};

use super::{
    Harness,
    fixtures::{
        asset_key, at_second, attempt_start, day_partition, failed_attempt, materialization_of,
        new_run, run_id,
    },
};
use crate::state::{
    FailureOutcome, PartitionStatuses, ReadConsistency, RunChange, RunStatus, Sequence, StateResult,
};

async fn flights_statuses(h: &dyn Harness) -> StateResult<PartitionStatuses> {
    h.await_projections().await;
    h.store().partition_statuses(&asset_key("flights")).await
}

fn ordinal_set(ordinals: impl IntoIterator<Item = u64>) -> PartitionSet {
    ordinals.into_iter().collect()
}

/// Ordinals on both sides of segment borders and far beyond them are kept apart.
pub async fn sets_cross_segment_borders(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let whole = 4096..8192;
    let edges = [
        0,
        1,
        4094,
        4095,
        8192,
        12287,
        12288,
        1_000_000,
        5_000_000_000,
    ];
    let ordinals: Vec<u64> = edges.into_iter().chain(whole).collect();
    // One segment is full, and its neighbours are set at their edges.
    for chunk in ordinals.chunks(1000) {
        store
            .commit_materializations(
                chunk
                    .iter()
                    .map(|n| materialization_of(&day_partition("flights", *n), run_id(1), 1))
                    .collect(),
            )
            .await?;
    }
    store
        .record_failures(vec![failed_attempt(
            &day_partition("flights", 4095),
            run_id(2),
            1,
        )])
        .await?;
    store
        .record_failures(vec![failed_attempt(
            &day_partition("flights", 8193),
            run_id(2),
            1,
        )])
        .await?;
    let statuses = flights_statuses(h).await?;
    assert_eq!(statuses.materialized, ordinal_set(ordinals));
    assert_eq!(statuses.failed, ordinal_set([4095, 8193]));
    assert_eq!(
        store.partition_statuses(&asset_key("other")).await?,
        PartitionStatuses::default()
    );
    Ok(())
}

/// A partition that failed after it was materialized is in both sets.
pub async fn a_failure_marks_until_something_newer_is_published(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 3);
    store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 1)])
        .await?;
    let answer = store
        .record_failures(vec![failed_attempt(&target, run_id(2), 1)])
        .await?;
    assert_eq!(answer, [FailureOutcome::Recorded]);
    let now = flights_statuses(h).await?;
    assert_eq!(
        (now.materialized, now.failed),
        (ordinal_set([3]), ordinal_set([3]))
    );
    let latest = store
        .latest_materialization(&target, ReadConsistency::Strong)
        .await?
        .expect("it is known");
    assert_eq!(latest.failure, Some(failed_attempt(&target, run_id(2), 1)));
    assert_eq!(
        latest.published(),
        Some(&materialization_of(&target, run_id(1), 1))
    );
    // An older run's late success is published, and the newer failure stays.
    store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 2)])
        .await?;
    assert_eq!(flights_statuses(h).await?.failed, ordinal_set([3]));
    // The failed run's own retry succeeds.
    store
        .commit_materializations(vec![materialization_of(&target, run_id(2), 2)])
        .await?;
    let now = flights_statuses(h).await?;
    assert_eq!(
        (now.materialized, now.failed),
        (ordinal_set([3]), ordinal_set([]))
    );
    Ok(())
}

/// A late failure of an older run is recorded for that run only.
pub async fn a_failure_of_an_older_run_marks_nothing(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 3);
    store.create_run(new_run(1, None)).await?;
    store
        .commit_materializations(vec![materialization_of(&target, run_id(2), 1)])
        .await?;
    let answer = store
        .record_failures(vec![failed_attempt(&target, run_id(1), 4)])
        .await?;
    assert_eq!(answer, [FailureOutcome::Recorded]);
    assert!(flights_statuses(h).await?.failed.is_empty());
    let page = crate::state::PageRequest::first(5);
    assert_eq!(store.run_failures(run_id(1), &page).await?.items.len(), 1);
    // Of two failures the newer run's is the partition's.
    let target = day_partition("flights", 4);
    store
        .record_failures(vec![failed_attempt(&target, run_id(3), 1)])
        .await?;
    store
        .record_failures(vec![failed_attempt(&target, run_id(2), 1)])
        .await?;
    let latest = store
        .latest_materialization(&target, ReadConsistency::Strong)
        .await?
        .expect("it is known");
    assert_eq!(latest.failure, Some(failed_attempt(&target, run_id(3), 1)));
    Ok(())
}

/// A zombie attempt that fails after its run succeeded leaves no trace.
pub async fn a_failure_after_the_runs_own_success_is_left_out(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let target = day_partition("flights", 3);
    store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 2)])
        .await?;
    for attempt in [1, 3] {
        let answer = store
            .record_failures(vec![failed_attempt(&target, run_id(1), attempt)])
            .await?;
        assert_eq!(answer, [FailureOutcome::AlreadyDone { attempt: 2 }]);
    }
    assert!(flights_statuses(h).await?.failed.is_empty());
    let page = crate::state::PageRequest::first(5);
    assert!(store.run_failures(run_id(1), &page).await?.items.is_empty());
    Ok(())
}

/// A failure that is retried appears in the event log only.
pub async fn a_failure_that_is_retried_marks_nothing(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let target = day_partition("flights", 3);
    let mut first = failed_attempt(&target, run_id(1), 1);
    first.will_retry = true;
    store
        .record_attempts(vec![attempt_start(&target, run_id(1), 1)])
        .await?;
    store.record_failures(vec![first]).await?;
    let now = flights_statuses(h).await?;
    assert_eq!(
        (now.failed, now.in_progress),
        (ordinal_set([]), ordinal_set([3]))
    );
    let page = crate::state::PageRequest::first(5);
    assert!(store.run_failures(run_id(1), &page).await?.items.is_empty());
    assert_eq!(store.partition_events(&target, &page).await?.items.len(), 2);
    Ok(())
}

/// The end of an attempt does not end the attempt that follows it.
pub async fn attempts_are_in_progress_until_they_end(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let days: Vec<_> = (0..4).map(|n| day_partition("flights", n)).collect();
    store
        .record_attempts(
            days.iter()
                .map(|day| attempt_start(day, run_id(2), 1))
                .collect(),
        )
        .await?;
    assert_eq!(flights_statuses(h).await?.in_progress, ordinal_set(0..4));
    store
        .commit_materializations(vec![materialization_of(&days[0], run_id(2), 1)])
        .await?;
    store
        .record_failures(vec![failed_attempt(&days[1], run_id(2), 1)])
        .await?;
    store
        .record_attempts(vec![attempt_start(&days[2], run_id(2), 2)])
        .await?;
    store
        .commit_materializations(vec![materialization_of(&days[2], run_id(2), 1)])
        .await?;
    // The first attempt of day 2 ended, and its second one is still under way.
    assert_eq!(flights_statuses(h).await?.in_progress, ordinal_set([2, 3]));
    store
        .commit_materializations(vec![materialization_of(&days[2], run_id(2), 2)])
        .await?;
    // A refused zombie ends its attempt too, and starting a published attempt again has no effect.
    store
        .record_attempts(vec![
            attempt_start(&days[0], run_id(1), 1),
            attempt_start(&days[2], run_id(2), 2),
        ])
        .await?;
    store
        .commit_materializations(vec![materialization_of(&days[0], run_id(1), 1)])
        .await?;
    assert_eq!(flights_statuses(h).await?.in_progress, ordinal_set([3]));
    Ok(())
}

/// Killed attempts do not stay in progress when their run ends, and late starts do not bring them
/// back.
pub async fn a_finished_run_has_nothing_in_progress(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    store.create_run(new_run(2, None)).await?;
    let days: Vec<_> = (0..3).map(|n| day_partition("flights", n)).collect();
    store
        .record_attempts(
            days.iter()
                .map(|day| attempt_start(day, run_id(1), 1))
                .collect(),
        )
        .await?;
    store
        .record_attempts(vec![attempt_start(&days[2], run_id(2), 1)])
        .await?;
    // Both runs work on day 2, so it stays in progress for the other run.
    let cancel = RunChange::new([RunStatus::Queued], RunStatus::Canceled, at_second(9));
    store.change_run(run_id(1), cancel).await?;
    assert_eq!(flights_statuses(h).await?.in_progress, ordinal_set([2]));
    store
        .record_attempts(vec![attempt_start(&days[0], run_id(1), 2)])
        .await?;
    assert_eq!(flights_statuses(h).await?.in_progress, ordinal_set([2]));
    Ok(())
}

/// Each update is returned once to a caller that continues from the last answer.
pub async fn updates_are_seen_once_each(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let flights = asset_key("flights");
    let nothing = store.published_since(&flights, Sequence::default()).await?;
    assert!(nothing.partitions.is_empty());
    assert_eq!(nothing.until, Sequence::default());
    store
        .commit_materializations(
            (0..3)
                .map(|n| materialization_of(&day_partition("flights", n), run_id(1), 1))
                .collect(),
        )
        .await?;
    h.await_projections().await;
    let first = store.published_since(&flights, nothing.until).await?;
    assert_eq!(first.partitions, ordinal_set(0..3));
    store
        .commit_materializations(vec![materialization_of(
            &day_partition("other", 0),
            run_id(1),
            1,
        )])
        .await?;
    store
        .commit_materializations(vec![materialization_of(
            &day_partition("flights", 1),
            run_id(2),
            1,
        )])
        .await?;
    store
        .commit_materializations(vec![materialization_of(
            &day_partition("flights", 2),
            run_id(1),
            1,
        )])
        .await?;
    h.await_projections().await;
    // Another asset's update and a repeated commit are no updates of `flights`.
    let second = store.published_since(&flights, first.until).await?;
    assert_eq!(second.partitions, ordinal_set([1]));
    assert!(second.until > first.until);
    let third = store.published_since(&flights, second.until).await?;
    assert_eq!(
        (third.partitions, third.until),
        (ordinal_set([]), second.until)
    );
    // From the start, each partition counts once, by its last update.
    let all = store.published_since(&flights, Sequence::default()).await?;
    assert_eq!(
        (all.partitions, all.until),
        (ordinal_set(0..3), second.until)
    );
    Ok(())
}

/// A layout whose start date moved back shifts every ordinal.
pub async fn a_changed_layout_renumbers_partitions(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let flights = asset_key("flights");
    assert_eq!(store.partition_layout(&flights).await?, None);
    let same = |key: Option<&PartitionKey>| -> Option<u64> {
        key?.as_str().strip_prefix("day-")?.parse().ok()
    };
    store.renumber_partitions(&flights, "v1", &same).await?;
    store
        .commit_materializations(
            [1, 2, 9]
                .map(|n| materialization_of(&day_partition("flights", n), run_id(1), 1))
                .into(),
        )
        .await?;
    store
        .record_failures(vec![failed_attempt(
            &day_partition("flights", 5),
            run_id(1),
            1,
        )])
        .await?;
    // The new layout has no day 9 and moves the others across a segment border.
    let shifted = |key: Option<&PartitionKey>| same(key).filter(|n| *n != 9).map(|n| n + 4095);
    store.renumber_partitions(&flights, "v2", &shifted).await?;
    assert_eq!(
        store.partition_layout(&flights).await?.as_deref(),
        Some("v2")
    );
    let now = flights_statuses(h).await?;
    assert_eq!(now.materialized, ordinal_set([4096, 4097]));
    assert_eq!(now.failed, ordinal_set([4100]));
    assert_eq!(
        store
            .published_since(&flights, Sequence::default())
            .await?
            .partitions,
        ordinal_set([4096, 4097])
    );
    // The same layout again changes nothing.
    store.renumber_partitions(&flights, "v2", &|_| None).await?;
    assert_eq!(
        flights_statuses(h).await?.materialized,
        ordinal_set([4096, 4097])
    );
    // A key that returns has its record again.
    store.renumber_partitions(&flights, "v3", &same).await?;
    assert_eq!(
        flights_statuses(h).await?.materialized,
        ordinal_set([1, 2, 9])
    );
    Ok(())
}
