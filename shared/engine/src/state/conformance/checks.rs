//! Rules of [`CheckStore`](crate::state::CheckStore).

use precip_core::{partitions::PartitionSet, spec::Severity};

use super::{
    Harness,
    fixtures::{
        check_evaluation, collect_pages, day_partition, materialization_of, new_run, run_id,
    },
};
use crate::{
    run_id::RunId,
    state::{CheckEvaluation, CheckOutcome, CommitOutcome, PageRequest, PartitionRef, StateResult},
};

/// The newest evaluation (by run, then attempt) is the latest, in any order of arrival.
pub async fn the_newest_evaluation_is_the_latest(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 1);
    assert_eq!(store.latest_checks(&target).await?, []);
    let newest = check_evaluation("rows", &target, run_id(2), 2, CheckOutcome::Failed);
    let other = check_evaluation("fresh", &target, run_id(1), 1, CheckOutcome::Errored);
    // One call brings the evaluations of one check out of order.
    store
        .record_checks(vec![
            check_evaluation("rows", &target, run_id(2), 1, CheckOutcome::Passed),
            newest.clone(),
            check_evaluation("rows", &target, run_id(1), 3, CheckOutcome::Passed),
            other.clone(),
        ])
        .await?;
    assert_eq!(
        store.latest_checks(&target).await?,
        [other.clone(), newest.clone()]
    );
    // The same run and attempt replaces its own evaluation.
    let again = check_evaluation("rows", &target, run_id(2), 2, CheckOutcome::Passed);
    store.record_checks(vec![again.clone()]).await?;
    assert_eq!(store.latest_checks(&target).await?, [other, again]);
    assert_eq!(store.latest_checks(&day_partition("flights", 2)).await?, []);
    Ok(())
}

/// One call publishes the data and the evaluations of the op's own checks.
pub async fn the_checks_of_an_op_are_published_with_it(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 1);
    let mut item = materialization_of(&target, run_id(1), 1);
    item.checks = vec![check_evaluation(
        "rows",
        &target,
        run_id(1),
        1,
        CheckOutcome::Failed,
    )];
    store.commit_materializations(vec![item.clone()]).await?;
    h.await_projections().await;
    assert_eq!(store.latest_checks(&target).await?, item.checks);
    assert_eq!(
        store.failing_partitions(&item.checks[0].check).await?,
        PartitionSet::single(1)
    );
    Ok(())
}

/// Evaluations of a refused attempt are dropped with it.
pub async fn the_checks_of_a_zombie_are_dropped(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 1);
    store
        .commit_materializations(vec![materialization_of(&target, run_id(2), 1)])
        .await?;
    let mut zombie = materialization_of(&target, run_id(1), 1);
    zombie.checks = vec![check_evaluation(
        "rows",
        &target,
        run_id(1),
        1,
        CheckOutcome::Failed,
    )];
    let answer = store.commit_materializations(vec![zombie]).await?;
    assert_eq!(answer, [CommitOutcome::Superseded { by: run_id(2) }]);
    assert_eq!(store.latest_checks(&target).await?, []);
    Ok(())
}

/// The set holds the partitions whose last evaluation failed or errored.
pub async fn failing_partitions_are_a_set(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let outcomes = [
        CheckOutcome::Passed,
        CheckOutcome::Failed,
        CheckOutcome::Errored,
    ];
    // The ordinals lie on both sides of a segment border.
    let evaluations: Vec<_> = (4090..4110)
        .map(|n| {
            check_evaluation(
                "rows",
                &day_partition("flights", n),
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
            check_evaluation(
                "rows",
                &day_partition("flights", 4093),
                run_id(2),
                1,
                CheckOutcome::Passed,
            ),
            check_evaluation(
                "fresh",
                &day_partition("flights", 4092),
                run_id(1),
                1,
                CheckOutcome::Failed,
            ),
        ])
        .await?;
    h.await_projections().await;
    let expected = (4090..4110).filter(|n| n % 3 != 0 && *n != 4093).collect();
    assert_eq!(store.failing_partitions(&key).await?, expected);
    Ok(())
}

/// The history lists one check, newest first, without other checks and events.
pub async fn the_history_of_a_check_is_its_own(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 1);
    let rows: Vec<_> = (1..=5)
        .map(|n| check_evaluation("rows", &target, run_id(1), n, CheckOutcome::Passed))
        .collect();
    // Another check of the partition has as many evaluations, and a materialization lies between.
    for evaluation in [2, 0, 4, 1, 3].map(|n: usize| rows[n].clone()) {
        let mut other = evaluation.clone();
        other.check.name = "fresh".to_owned();
        store.record_checks(vec![evaluation, other]).await?;
    }
    store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 3)])
        .await?;
    let pages =
        async |request: &PageRequest| store.check_history(&rows[0].check, &target, request).await;
    let listed = collect_pages(2, pages).await?;
    assert_eq!(listed, rows.into_iter().rev().collect::<Vec<_>>());
    Ok(())
}

fn blocking_evaluation(
    name: &str,
    target: &PartitionRef,
    run: RunId,
    attempt: u32,
    outcome: CheckOutcome,
) -> CheckEvaluation {
    CheckEvaluation {
        severity: Severity::Error,
        blocking: true,
        ..check_evaluation(name, target, run, attempt, outcome)
    }
}

async fn failed_checks(h: &dyn Harness, run: RunId) -> StateResult<Vec<CheckEvaluation>> {
    let store = h.store();
    let pages = async |request: &PageRequest| store.run_failed_checks(run, request).await;
    collect_pages(2, pages).await
}

/// Lists blocking failures and errored evaluations of an op's own checks and of separate checks, in
/// pages, by asset, partition and name. Warnings, failures that do not block and passed checks are
/// left out.
pub async fn failures_of_checks_are_listed_by_run(h: &dyn Harness) -> StateResult<()> {
    use CheckOutcome::{Errored, Failed, Passed};
    let store = h.store();
    let run = run_id(1);
    store.create_run(new_run(1, None)).await?;
    let days: Vec<_> = (0..4).map(|n| day_partition("flights", n)).collect();
    let mut item = materialization_of(&days[0], run, 1);
    let inline = blocking_evaluation("rows", &days[0], run, 1, Failed);
    // Of the op's own checks only the first fails the run.
    item.checks = vec![
        inline.clone(),
        blocking_evaluation("nulls", &days[0], run, 1, Passed),
        CheckEvaluation {
            severity: Severity::Warn,
            ..blocking_evaluation("fresh", &days[0], run, 1, Failed)
        },
        CheckEvaluation {
            blocking: false,
            ..blocking_evaluation("total", &days[0], run, 1, Failed)
        },
    ];
    store.commit_materializations(vec![item]).await?;
    // Separate checks: errored ones count although `c` does not block; `d` ended without an error.
    let errored = blocking_evaluation("rows", &days[2], run, 1, Errored);
    let other = blocking_evaluation("a", &days[2], run, 1, Failed);
    let unanswered = check_evaluation("c", &days[2], run, 1, Errored);
    let whole = PartitionRef::unpartitioned(day_partition("airlines", 0).asset);
    let first = blocking_evaluation("rows", &whole, run, 1, Failed);
    store
        .record_checks(vec![
            errored.clone(),
            other.clone(),
            unanswered.clone(),
            check_evaluation("d", &days[2], run, 1, Errored),
            check_evaluation("d", &days[2], run, 2, Failed),
            first.clone(),
            blocking_evaluation("rows", &days[1], run, 1, Passed),
            blocking_evaluation("rows", &days[3], run_id(2), 1, Failed),
        ])
        .await?;
    assert_eq!(
        failed_checks(h, run).await?,
        [first, inline, other, unanswered, errored]
    );
    assert_eq!(failed_checks(h, run_id(3)).await?, []);
    Ok(())
}

/// The last evaluation by the same run counts, in any order of arrival; other runs do not change
/// it.
pub async fn a_failed_check_is_cleared_by_the_run_that_failed(h: &dyn Harness) -> StateResult<()> {
    use CheckOutcome::{Failed, Passed};
    let store = h.store();
    let run = run_id(1);
    store.create_run(new_run(1, None)).await?;
    let days: Vec<_> = (0..4).map(|n| day_partition("flights", n)).collect();
    // Two partitions fail a check of their op; the first one passes in the second attempt.
    for target in &days[..2] {
        let mut item = materialization_of(target, run, 1);
        item.checks = vec![blocking_evaluation("rows", target, run, 1, Failed)];
        store.commit_materializations(vec![item]).await?;
    }
    let mut good = materialization_of(&days[0], run, 2);
    good.checks = vec![blocking_evaluation("rows", &days[0], run, 2, Passed)];
    store.commit_materializations(vec![good]).await?;
    store
        .record_checks(vec![
            blocking_evaluation("rows", &days[2], run, 1, Failed),
            blocking_evaluation("rows", &days[2], run, 2, Passed),
            blocking_evaluation("rows", &days[3], run, 1, Failed),
        ])
        .await?;
    // A newer run's success clears nothing in this run.
    let mut newer = materialization_of(&days[1], run_id(2), 1);
    newer.checks = vec![blocking_evaluation("rows", &days[1], run_id(2), 1, Passed)];
    store.commit_materializations(vec![newer]).await?;
    store
        .record_checks(vec![blocking_evaluation(
            "rows",
            &days[3],
            run_id(2),
            1,
            Passed,
        )])
        .await?;
    // What remains is the second partition and the separate check that never passed.
    let expected = [
        blocking_evaluation("rows", &days[1], run, 1, Failed),
        blocking_evaluation("rows", &days[3], run, 1, Failed),
    ];
    assert_eq!(failed_checks(h, run).await?, expected);
    h.await_projections().await;
    assert_eq!(failed_checks(h, run).await?, expected);
    assert_eq!(failed_checks(h, run_id(2)).await?, []);
    // The same attempt commits again, with another outcome.
    let mut again = materialization_of(&days[1], run_id(3), 1);
    again.checks = vec![blocking_evaluation("rows", &days[1], run_id(3), 1, Failed)];
    store.commit_materializations(vec![again.clone()]).await?;
    assert_eq!(failed_checks(h, run_id(3)).await?.len(), 1);
    again.checks[0].outcome = Passed;
    store.commit_materializations(vec![again]).await?;
    assert_eq!(failed_checks(h, run_id(3)).await?, []);
    // A zombie's evaluations are never published.
    let mut zombie = materialization_of(&days[1], run, 9);
    zombie.checks = vec![blocking_evaluation("nulls", &days[1], run, 9, Failed)];
    store.commit_materializations(vec![zombie]).await?;
    assert_eq!(failed_checks(h, run).await?, expected);
    Ok(())
}
