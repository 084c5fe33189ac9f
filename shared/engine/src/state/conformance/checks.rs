//! Rules of [`CheckStore`](crate::state::CheckStore).

use precip_core::{partitions::PartitionSet, spec::Severity};

use super::{
    Harness,
    fixtures::{checked, day, made, new_run, run_id},
};
use crate::{
    run_id::RunId,
    state::{CheckEvaluation, CheckOutcome, Finished, PageRequest, PartitionRef, StateResult},
};

/// By run, then attempt, whenever it arrives.
pub async fn the_newest_evaluation_is_the_latest(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day("flights", 1);
    assert_eq!(store.latest_checks(&target).await?, []);
    let newest = checked("rows", &target, run_id(2), 2, CheckOutcome::Failed);
    let other = checked("fresh", &target, run_id(1), 1, CheckOutcome::Errored);
    store
        .record_checks(vec![
            checked("rows", &target, run_id(2), 1, CheckOutcome::Passed),
            newest.clone(),
            checked("rows", &target, run_id(1), 3, CheckOutcome::Passed),
            other.clone(),
        ])
        .await?;
    assert_eq!(
        store.latest_checks(&target).await?,
        [other.clone(), newest.clone()]
    );
    let again = checked("rows", &target, run_id(2), 2, CheckOutcome::Passed);
    store.record_checks(vec![again.clone()]).await?;
    assert_eq!(store.latest_checks(&target).await?, [other, again]);
    assert_eq!(store.latest_checks(&day("flights", 2)).await?, []);
    Ok(())
}

/// One call publishes the data and what its own checks found.
pub async fn the_checks_of_an_op_are_published_with_it(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day("flights", 1);
    let mut item = made(&target, run_id(1), 1);
    item.checks = vec![checked("rows", &target, run_id(1), 1, CheckOutcome::Failed)];
    store.finish(vec![item.clone()]).await?;
    h.settle().await;
    assert_eq!(store.latest_checks(&target).await?, item.checks);
    assert_eq!(
        store.failing(&item.checks[0].check).await?,
        PartitionSet::single(1)
    );
    Ok(())
}

/// What a refused attempt found says nothing of what readers see.
pub async fn the_checks_of_a_zombie_are_not(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day("flights", 1);
    store.finish(vec![made(&target, run_id(2), 1)]).await?;
    let mut zombie = made(&target, run_id(1), 1);
    zombie.checks = vec![checked("rows", &target, run_id(1), 1, CheckOutcome::Failed)];
    let answer = store.finish(vec![zombie]).await?;
    assert_eq!(answer, [Finished::Superseded { by: run_id(2) }]);
    assert_eq!(store.latest_checks(&target).await?, []);
    Ok(())
}

/// Failed or errored when last evaluated.
pub async fn failing_partitions_are_a_set(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let outcomes = [
        CheckOutcome::Passed,
        CheckOutcome::Failed,
        CheckOutcome::Errored,
    ];
    let evaluations: Vec<_> = (4090..4110)
        .map(|n| {
            checked(
                "rows",
                &day("flights", n),
                run_id(1),
                1,
                outcomes[n as usize % 3],
            )
        })
        .collect();
    let key = evaluations[0].check.clone();
    store.record_checks(evaluations).await?;
    store
        .record_checks(vec![
            checked(
                "rows",
                &day("flights", 4093),
                run_id(2),
                1,
                CheckOutcome::Passed,
            ),
            checked(
                "fresh",
                &day("flights", 4092),
                run_id(1),
                1,
                CheckOutcome::Failed,
            ),
        ])
        .await?;
    h.settle().await;
    let expected = (4090..4110).filter(|n| n % 3 != 0 && *n != 4093).collect();
    assert_eq!(store.failing(&key).await?, expected);
    Ok(())
}

/// Newest first, without the partition's other checks and events.
pub async fn the_history_of_a_check_is_its_own(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day("flights", 1);
    let rows: Vec<_> = (1..=5)
        .map(|n| checked("rows", &target, run_id(1), n, CheckOutcome::Passed))
        .collect();
    for evaluation in [2, 0, 4, 1, 3].map(|n: usize| rows[n].clone()) {
        let mut other = evaluation.clone();
        other.check.name = "fresh".to_owned();
        store.record_checks(vec![evaluation, other]).await?;
    }
    store.finish(vec![made(&target, run_id(1), 3)]).await?;
    let mut request = PageRequest::first(2);
    let mut listed = Vec::new();
    loop {
        let page = store
            .check_history(&rows[0].check, &target, &request)
            .await?;
        listed.extend(page.items);
        let Some(next) = page.next else { break };
        request = request.after(next);
    }
    assert_eq!(listed, rows.into_iter().rev().collect::<Vec<_>>());
    Ok(())
}

fn blocking(
    name: &str,
    target: &PartitionRef,
    run: RunId,
    attempt: u32,
    outcome: CheckOutcome,
) -> CheckEvaluation {
    CheckEvaluation {
        severity: Severity::Error,
        blocking: true,
        ..checked(name, target, run, attempt, outcome)
    }
}

async fn failed_checks(h: &dyn Harness, run: RunId) -> StateResult<Vec<CheckEvaluation>> {
    let mut request = PageRequest::first(2);
    let mut listed = Vec::new();
    loop {
        let page = h.store().failed_checks(run, &request).await?;
        assert!(page.items.len() <= 2);
        listed.extend(page.items);
        let Some(next) = page.next else {
            return Ok(listed);
        };
        request = request.after(next);
    }
}

/// Of an op's own checks and of others; by asset, partition and name, in pages; what has no answer
/// whether it blocks or not, and nothing that only warns, finds something wrong without blocking, or
/// passed.
pub async fn failures_of_checks_are_listed_by_run(h: &dyn Harness) -> StateResult<()> {
    use CheckOutcome::{Errored, Failed, Passed};
    let store = h.store();
    let run = run_id(1);
    store.create_run(new_run(1, None)).await?;
    let days: Vec<_> = (0..4).map(|n| day("flights", n)).collect();
    let mut item = made(&days[0], run, 1);
    let inline = blocking("rows", &days[0], run, 1, Failed);
    item.checks = vec![
        inline.clone(),
        blocking("nulls", &days[0], run, 1, Passed),
        CheckEvaluation {
            severity: Severity::Warn,
            ..blocking("fresh", &days[0], run, 1, Failed)
        },
        CheckEvaluation {
            blocking: false,
            ..blocking("total", &days[0], run, 1, Failed)
        },
    ];
    store.finish(vec![item]).await?;
    let errored = blocking("rows", &days[2], run, 1, Errored);
    let other = blocking("a", &days[2], run, 1, Failed);
    let unanswered = checked("c", &days[2], run, 1, Errored);
    let whole = PartitionRef::unpartitioned(day("airlines", 0).asset);
    let first = blocking("rows", &whole, run, 1, Failed);
    store
        .record_checks(vec![
            errored.clone(),
            other.clone(),
            unanswered.clone(),
            checked("d", &days[2], run, 1, Errored),
            checked("d", &days[2], run, 2, Failed),
            first.clone(),
            blocking("rows", &days[1], run, 1, Passed),
            blocking("rows", &days[3], run_id(2), 1, Failed),
        ])
        .await?;
    assert_eq!(
        failed_checks(h, run).await?,
        [first, inline, other, unanswered, errored]
    );
    assert_eq!(failed_checks(h, run_id(3)).await?, []);
    Ok(())
}

/// The run's last evaluation counts, whenever it arrives, and what another run found is its own.
pub async fn a_failed_check_is_made_good_by_the_run_that_failed(
    h: &dyn Harness,
) -> StateResult<()> {
    use CheckOutcome::{Failed, Passed};
    let store = h.store();
    let run = run_id(1);
    store.create_run(new_run(1, None)).await?;
    let days: Vec<_> = (0..4).map(|n| day("flights", n)).collect();
    for target in &days[..2] {
        let mut item = made(target, run, 1);
        item.checks = vec![blocking("rows", target, run, 1, Failed)];
        store.finish(vec![item]).await?;
    }
    let mut good = made(&days[0], run, 2);
    good.checks = vec![blocking("rows", &days[0], run, 2, Passed)];
    store.finish(vec![good]).await?;
    store
        .record_checks(vec![
            blocking("rows", &days[2], run, 1, Failed),
            blocking("rows", &days[2], run, 2, Passed),
            blocking("rows", &days[3], run, 1, Failed),
        ])
        .await?;
    // A newer run's success makes nothing good in this one.
    let mut newer = made(&days[1], run_id(2), 1);
    newer.checks = vec![blocking("rows", &days[1], run_id(2), 1, Passed)];
    store.finish(vec![newer]).await?;
    store
        .record_checks(vec![blocking("rows", &days[3], run_id(2), 1, Passed)])
        .await?;
    let expected = [
        blocking("rows", &days[1], run, 1, Failed),
        blocking("rows", &days[3], run, 1, Failed),
    ];
    assert_eq!(failed_checks(h, run).await?, expected);
    h.settle().await;
    assert_eq!(failed_checks(h, run).await?, expected);
    assert_eq!(failed_checks(h, run_id(2)).await?, []);
    // The same attempt again, with another answer.
    let mut again = made(&days[1], run_id(3), 1);
    again.checks = vec![blocking("rows", &days[1], run_id(3), 1, Failed)];
    store.finish(vec![again.clone()]).await?;
    assert_eq!(failed_checks(h, run_id(3)).await?.len(), 1);
    again.checks[0].outcome = Passed;
    store.finish(vec![again]).await?;
    assert_eq!(failed_checks(h, run_id(3)).await?, []);
    // What a zombie found was never published.
    let mut zombie = made(&days[1], run, 9);
    zombie.checks = vec![blocking("nulls", &days[1], run, 9, Failed)];
    store.finish(vec![zombie]).await?;
    assert_eq!(failed_checks(h, run).await?, expected);
    Ok(())
}
