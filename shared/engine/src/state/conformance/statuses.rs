//! Rules of the status sets.

use precip_core::partitions::{PartitionKey, PartitionSet};

use super::{
    Harness,
    fixtures::{asset, at, begun, day, failed, made, new_run, run_id},
};
use crate::state::{
    FailureRecorded, PartitionStatuses, ReadConsistency, RunChange, RunStatus, Sequence,
    StateResult,
};

async fn statuses(h: &dyn Harness) -> StateResult<PartitionStatuses> {
    h.settle().await;
    h.store().statuses(&asset("flights")).await
}

fn set(ordinals: impl IntoIterator<Item = u64>) -> PartitionSet {
    ordinals.into_iter().collect()
}

/// Ordinals on both sides of every border of 4096, and far beyond.
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
    for chunk in ordinals.chunks(1000) {
        store
            .finish(
                chunk
                    .iter()
                    .map(|n| made(&day("flights", *n), run_id(1), 1))
                    .collect(),
            )
            .await?;
    }
    store
        .fail(vec![failed(&day("flights", 4095), run_id(2), 1)])
        .await?;
    store
        .fail(vec![failed(&day("flights", 8193), run_id(2), 1)])
        .await?;
    let statuses = statuses(h).await?;
    assert_eq!(statuses.materialized, set(ordinals));
    assert_eq!(statuses.failed, set([4095, 8193]));
    assert_eq!(
        store.statuses(&asset("other")).await?,
        PartitionStatuses::default()
    );
    Ok(())
}

/// A partition that was made once and failed since is in both sets.
pub async fn a_failure_marks_until_something_newer_is_published(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    let target = day("flights", 3);
    store.finish(vec![made(&target, run_id(1), 1)]).await?;
    let answer = store.fail(vec![failed(&target, run_id(2), 1)]).await?;
    assert_eq!(answer, [FailureRecorded::Recorded]);
    let now = statuses(h).await?;
    assert_eq!((now.materialized, now.failed), (set([3]), set([3])));
    let latest = store
        .latest(&target, ReadConsistency::Strong)
        .await?
        .expect("it is known");
    assert_eq!(latest.failure, Some(failed(&target, run_id(2), 1)));
    assert_eq!(latest.published(), Some(&made(&target, run_id(1), 1)));
    // An older run's late success is published, and the newer failure stays.
    store.finish(vec![made(&target, run_id(1), 2)]).await?;
    assert_eq!(statuses(h).await?.failed, set([3]));
    // The failed run's own retry succeeds.
    store.finish(vec![made(&target, run_id(2), 2)]).await?;
    let now = statuses(h).await?;
    assert_eq!((now.materialized, now.failed), (set([3]), set([])));
    Ok(())
}

/// It is on the run's record only.
pub async fn a_failure_of_an_older_run_marks_nothing(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day("flights", 3);
    store.create_run(new_run(1, None)).await?;
    store.finish(vec![made(&target, run_id(2), 1)]).await?;
    let answer = store.fail(vec![failed(&target, run_id(1), 4)]).await?;
    assert_eq!(answer, [FailureRecorded::Recorded]);
    assert!(statuses(h).await?.failed.is_empty());
    let page = crate::state::PageRequest::first(5);
    assert_eq!(store.failures(run_id(1), &page).await?.items.len(), 1);
    // The newest failure is the one that is shown.
    let target = day("flights", 4);
    store.fail(vec![failed(&target, run_id(3), 1)]).await?;
    store.fail(vec![failed(&target, run_id(2), 1)]).await?;
    let latest = store
        .latest(&target, ReadConsistency::Strong)
        .await?
        .expect("it is known");
    assert_eq!(latest.failure, Some(failed(&target, run_id(3), 1)));
    Ok(())
}

/// A zombie that fails after its retry succeeded.
pub async fn a_failure_after_the_runs_own_success_is_left_out(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let target = day("flights", 3);
    store.finish(vec![made(&target, run_id(1), 2)]).await?;
    for attempt in [1, 3] {
        let answer = store
            .fail(vec![failed(&target, run_id(1), attempt)])
            .await?;
        assert_eq!(answer, [FailureRecorded::AlreadyDone { attempt: 2 }]);
    }
    assert!(statuses(h).await?.failed.is_empty());
    let page = crate::state::PageRequest::first(5);
    assert!(store.failures(run_id(1), &page).await?.items.is_empty());
    Ok(())
}

/// It is in the log, and nothing else.
pub async fn a_failure_that_is_retried_marks_nothing(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let target = day("flights", 3);
    let mut first = failed(&target, run_id(1), 1);
    first.will_retry = true;
    store.start(vec![begun(&target, run_id(1), 1)]).await?;
    store.fail(vec![first]).await?;
    let now = statuses(h).await?;
    assert_eq!((now.failed, now.in_progress), (set([]), set([3])));
    let page = crate::state::PageRequest::first(5);
    assert!(store.failures(run_id(1), &page).await?.items.is_empty());
    assert_eq!(store.events(&target, &page).await?.items.len(), 2);
    Ok(())
}

/// An attempt's end does not end the attempt that followed it.
pub async fn attempts_are_in_progress_until_they_end(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let days: Vec<_> = (0..4).map(|n| day("flights", n)).collect();
    store
        .start(days.iter().map(|day| begun(day, run_id(2), 1)).collect())
        .await?;
    assert_eq!(statuses(h).await?.in_progress, set(0..4));
    store.finish(vec![made(&days[0], run_id(2), 1)]).await?;
    store.fail(vec![failed(&days[1], run_id(2), 1)]).await?;
    store.start(vec![begun(&days[2], run_id(2), 2)]).await?;
    store.finish(vec![made(&days[2], run_id(2), 1)]).await?;
    assert_eq!(statuses(h).await?.in_progress, set([2, 3]));
    store.finish(vec![made(&days[2], run_id(2), 2)]).await?;
    // A refused zombie has come to its end too; a repeated start of what is done begins nothing.
    store
        .start(vec![
            begun(&days[0], run_id(1), 1),
            begun(&days[2], run_id(2), 2),
        ])
        .await?;
    store.finish(vec![made(&days[0], run_id(1), 1)]).await?;
    assert_eq!(statuses(h).await?.in_progress, set([3]));
    Ok(())
}

/// Killed attempts do not stay in progress for ever, nor come back.
pub async fn a_finished_run_has_nothing_in_progress(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    store.create_run(new_run(2, None)).await?;
    let days: Vec<_> = (0..3).map(|n| day("flights", n)).collect();
    store
        .start(days.iter().map(|day| begun(day, run_id(1), 1)).collect())
        .await?;
    store.start(vec![begun(&days[2], run_id(2), 1)]).await?;
    let cancel = RunChange::new([RunStatus::Queued], RunStatus::Canceled, at(9));
    store.change_run(run_id(1), cancel).await?;
    assert_eq!(statuses(h).await?.in_progress, set([2]));
    store.start(vec![begun(&days[0], run_id(1), 2)]).await?;
    assert_eq!(statuses(h).await?.in_progress, set([2]));
    Ok(())
}

/// Each update is answered once to who asks from where the last answer ended.
pub async fn updates_are_seen_once_each(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let flights = asset("flights");
    let nothing = store.updates(&flights, Sequence::default()).await?;
    assert!(nothing.partitions.is_empty());
    assert_eq!(nothing.until, Sequence::default());
    store
        .finish(
            (0..3)
                .map(|n| made(&day("flights", n), run_id(1), 1))
                .collect(),
        )
        .await?;
    h.settle().await;
    let first = store.updates(&flights, nothing.until).await?;
    assert_eq!(first.partitions, set(0..3));
    store
        .finish(vec![made(&day("other", 0), run_id(1), 1)])
        .await?;
    store
        .finish(vec![made(&day("flights", 1), run_id(2), 1)])
        .await?;
    store
        .finish(vec![made(&day("flights", 2), run_id(1), 1)])
        .await?;
    h.settle().await;
    let second = store.updates(&flights, first.until).await?;
    assert_eq!(second.partitions, set([1]));
    assert!(second.until > first.until);
    let third = store.updates(&flights, second.until).await?;
    assert_eq!((third.partitions, third.until), (set([]), second.until));
    let all = store.updates(&flights, Sequence::default()).await?;
    assert_eq!((all.partitions, all.until), (set(0..3), second.until));
    Ok(())
}

/// A start date that moves to the front shifts every ordinal.
pub async fn a_changed_layout_numbers_partitions_anew(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let flights = asset("flights");
    assert_eq!(store.layout(&flights).await?, None);
    let same = |key: Option<&PartitionKey>| -> Option<u64> {
        key?.as_str().strip_prefix("day-")?.parse().ok()
    };
    store.renumber(&flights, "v1", &same).await?;
    store
        .finish(
            [1, 2, 9]
                .map(|n| made(&day("flights", n), run_id(1), 1))
                .into(),
        )
        .await?;
    store
        .fail(vec![failed(&day("flights", 5), run_id(1), 1)])
        .await?;
    let shifted = |key: Option<&PartitionKey>| same(key).filter(|n| *n != 9).map(|n| n + 4095);
    store.renumber(&flights, "v2", &shifted).await?;
    assert_eq!(store.layout(&flights).await?.as_deref(), Some("v2"));
    let now = statuses(h).await?;
    assert_eq!(now.materialized, set([4096, 4097]));
    assert_eq!(now.failed, set([4100]));
    assert_eq!(
        store
            .updates(&flights, Sequence::default())
            .await?
            .partitions,
        set([4096, 4097])
    );
    // The same layout again does not ask for ordinals.
    store.renumber(&flights, "v2", &|_| None).await?;
    assert_eq!(statuses(h).await?.materialized, set([4096, 4097]));
    // A key that comes back is known again.
    store.renumber(&flights, "v3", &same).await?;
    assert_eq!(statuses(h).await?.materialized, set([1, 2, 9]));
    Ok(())
}
