//! Rules of what a run did not make.

use precip_core::{key::CheckKey, partitions::PartitionSet};

use super::{
    Harness,
    fixtures::{asset, day, failed, made, new_run, run_id},
};
use crate::state::{PageRequest, RunProgress, SkipReason, Skipped, StateResult};

/// Records of one reason become one; a partition held back for two reasons counts once.
pub async fn skipped_partitions_add_up_and_count_once(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let upstream = SkipReason::UpstreamFailed {
        asset: asset("raw"),
        partition: Some("day-1".into()),
    };
    let check = SkipReason::CheckFailed {
        check: CheckKey {
            asset: asset("raw"),
            name: "fresh".to_owned(),
        },
    };
    let skip = |reason: &SkipReason, partitions: PartitionSet| Skipped {
        asset: asset("flights"),
        partitions,
        reason: reason.clone(),
    };
    let far = 5_000_000_000;
    store
        .skip(run_id(1), vec![skip(&upstream, (0..100).into())])
        .await?;
    store
        .skip(
            run_id(1),
            vec![
                skip(&upstream, (50..5000).into()),
                skip(&check, (4990..5001).into()),
            ],
        )
        .await?;
    store
        .skip(run_id(1), vec![skip(&check, PartitionSet::single(far))])
        .await?;
    let skipped = store.skipped(run_id(1)).await?;
    assert_eq!(skipped.len(), 2);
    let mut last: PartitionSet = (4990..5001).into();
    last.insert(far);
    assert!(
        skipped.contains(&skip(&upstream, (0..5000).into())),
        "{skipped:?}"
    );
    assert!(skipped.contains(&skip(&check, last)), "{skipped:?}");
    h.settle().await;
    assert_eq!(store.progress(run_id(1)).await?.skipped, 5002);
    assert_eq!(store.skipped(run_id(2)).await?, []);
    Ok(())
}

/// A partition that the run makes after all is no failure of the run any more.
pub async fn failures_are_listed_until_they_are_made_good(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    store.create_run(new_run(2, None)).await?;
    let (a, b) = (day("flights", 1), day("flights", 2));
    store
        .fail(vec![failed(&a, run_id(1), 1), failed(&b, run_id(1), 1)])
        .await?;
    let page = PageRequest::first(10);
    let listed = store.failures(run_id(1), &page).await?;
    assert_eq!(
        listed.items,
        [failed(&a, run_id(1), 1), failed(&b, run_id(1), 1)]
    );
    // Another run's success does not make this run's failure good.
    store
        .finish(vec![made(&a, run_id(2), 1), made(&b, run_id(1), 2)])
        .await?;
    let listed = store.failures(run_id(1), &page).await?;
    assert_eq!(listed.items, [failed(&a, run_id(1), 1)]);
    assert_eq!(store.failures(run_id(2), &page).await?.items, []);
    Ok(())
}

/// Failures come by asset, then partition key, each once.
pub async fn failures_come_in_pages(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let mut targets = Vec::new();
    for name in ["b", "a"] {
        targets.extend((1..=5).rev().map(|n| day(name, n)));
    }
    let failures = targets
        .iter()
        .map(|target| failed(target, run_id(1), 1))
        .collect();
    store.fail(failures).await?;
    targets.sort();
    let mut request = PageRequest::first(3);
    let mut listed = Vec::new();
    loop {
        let page = store.failures(run_id(1), &request).await?;
        listed.extend(page.items.into_iter().map(|failure| failure.target));
        let Some(next) = page.next else { break };
        request = request.after(next);
    }
    assert_eq!(listed, targets);
    Ok(())
}

/// Repeats and retries count once.
pub async fn progress_counts_what_each_run_did(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    store.create_run(new_run(2, None)).await?;
    let days: Vec<_> = (0..10).map(|n| day("flights", n)).collect();
    let finish = |run, attempt| {
        days[..8]
            .iter()
            .map(move |day| made(day, run, attempt))
            .collect()
    };
    store.finish(finish(run_id(1), 1)).await?;
    store.finish(finish(run_id(1), 1)).await?;
    store.finish(finish(run_id(1), 2)).await?;
    store
        .fail(vec![
            failed(&days[8], run_id(1), 1),
            failed(&days[9], run_id(1), 1),
        ])
        .await?;
    store.fail(vec![failed(&days[9], run_id(1), 2)]).await?;
    store.finish(finish(run_id(2), 1)).await?;
    h.settle().await;
    let expected = RunProgress {
        succeeded: 8,
        failed: 2,
        skipped: 0,
    };
    assert_eq!(store.progress(run_id(1)).await?, expected);
    let expected = RunProgress {
        succeeded: 8,
        failed: 0,
        skipped: 0,
    };
    assert_eq!(store.progress(run_id(2)).await?, expected);
    Ok(())
}
