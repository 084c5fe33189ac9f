//! Rules of the skips, failures and progress of a run.

use precip_core::{key::CheckKey, partitions::PartitionSet};

use super::{
    Harness,
    fixtures::{
        asset_key, collect_pages, day_partition, failed_attempt, materialization_of, new_run,
        run_id,
    },
};
use crate::state::{PageRequest, RunProgress, StateResult, UntriedPartitions, UntriedReason};

/// Records of one reason are merged, and a partition that is held back for two reasons counts once.
pub async fn skipped_partitions_add_up_and_count_once(h: &dyn Harness) -> StateResult<()> {
    // Ordinals 0 to 5000 and the far one, although some were held back for both reasons.
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let upstream = UntriedReason::UpstreamFailed {
        asset: asset_key("raw"),
        partition: Some("day-1".into()),
    };
    let check = UntriedReason::CheckFailed {
        check: CheckKey {
            asset: asset_key("raw"),
            name: "fresh".to_owned(),
        },
    };
    let skip = |reason: &UntriedReason, partitions: PartitionSet| UntriedPartitions {
        asset: asset_key("flights"),
        partitions,
        reason: reason.clone(),
    };
    let far = 5_000_000_000;
    store
        .record_untried(run_id(1), vec![skip(&upstream, (0..100).into())])
        .await?;
    store
        .record_untried(
            run_id(1),
            vec![
                skip(&upstream, (50..5000).into()),
                skip(&check, (4990..5001).into()),
            ],
        )
        .await?;
    store
        .record_untried(run_id(1), vec![skip(&check, PartitionSet::single(far))])
        .await?;
    // The three records merge into one per reason.
    let skipped = store.run_untried(run_id(1)).await?;
    assert_eq!(skipped.len(), 2);
    let mut last: PartitionSet = (4990..5001).into();
    last.insert(far);
    assert!(
        skipped.contains(&skip(&upstream, (0..5000).into())),
        "{skipped:?}"
    );
    assert!(skipped.contains(&skip(&check, last)), "{skipped:?}");
    h.await_projections().await;
    assert_eq!(store.run_progress(run_id(1)).await?.held_back, 5002);
    assert_eq!(store.run_untried(run_id(2)).await?, []);
    Ok(())
}

/// A failure leaves the list once the same run materializes the partition.
pub async fn failures_are_listed_until_they_are_cleared(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    store.create_run(new_run(2, None)).await?;
    let (a, b) = (day_partition("flights", 1), day_partition("flights", 2));
    store
        .record_failures(vec![
            failed_attempt(&a, run_id(1), 1),
            failed_attempt(&b, run_id(1), 1),
        ])
        .await?;
    let page = PageRequest::first(10);
    let listed = store.run_failures(run_id(1), &page).await?;
    assert_eq!(
        listed.items,
        [
            failed_attempt(&a, run_id(1), 1),
            failed_attempt(&b, run_id(1), 1)
        ]
    );
    // Another run's success does not clear this run's failure.
    store
        .commit_materializations(vec![
            materialization_of(&a, run_id(2), 1),
            materialization_of(&b, run_id(1), 2),
        ])
        .await?;
    let listed = store.run_failures(run_id(1), &page).await?;
    assert_eq!(listed.items, [failed_attempt(&a, run_id(1), 1)]);
    assert_eq!(store.run_failures(run_id(2), &page).await?.items, []);
    Ok(())
}

/// Failures are listed by asset, then partition key, each once.
pub async fn failures_come_in_pages(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let mut targets = Vec::new();
    for name in ["b", "a"] {
        targets.extend((1..=5).rev().map(|n| day_partition(name, n)));
    }
    let failures = targets
        .iter()
        .map(|target| failed_attempt(target, run_id(1), 1))
        .collect();
    store.record_failures(failures).await?;
    targets.sort();
    let pages = async |request: &PageRequest| store.run_failures(run_id(1), request).await;
    let listed: Vec<_> = collect_pages(3, pages)
        .await?
        .into_iter()
        .map(|failure| failure.target)
        .collect();
    assert_eq!(listed, targets);
    Ok(())
}

/// Repeated commits and retries count once.
pub async fn progress_counts_what_each_run_did(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    store.create_run(new_run(2, None)).await?;
    let days: Vec<_> = (0..10).map(|n| day_partition("flights", n)).collect();
    let finish = |run, attempt| {
        days[..8]
            .iter()
            .map(move |day| materialization_of(day, run, attempt))
            .collect()
    };
    store.commit_materializations(finish(run_id(1), 1)).await?;
    store.commit_materializations(finish(run_id(1), 1)).await?;
    store.commit_materializations(finish(run_id(1), 2)).await?;
    store
        .record_failures(vec![
            failed_attempt(&days[8], run_id(1), 1),
            failed_attempt(&days[9], run_id(1), 1),
        ])
        .await?;
    store
        .record_failures(vec![failed_attempt(&days[9], run_id(1), 2)])
        .await?;
    store.commit_materializations(finish(run_id(2), 1)).await?;
    h.await_projections().await;
    // A repeated commit, a second attempt and a second failure count once; the runs do not share
    // counts.
    let expected = RunProgress {
        succeeded: 8,
        failed: 2,
        skipped: 0,
        held_back: 0,
    };
    assert_eq!(store.run_progress(run_id(1)).await?, expected);
    let expected = RunProgress {
        succeeded: 8,
        failed: 0,
        skipped: 0,
        held_back: 0,
    };
    assert_eq!(store.run_progress(run_id(2)).await?, expected);
    Ok(())
}
