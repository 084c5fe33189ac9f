//! Rules of [`CheckStore`](crate::state::CheckStore).

use precip_core::partitions::PartitionSet;

use super::{
    Harness,
    fixtures::{checked, day, made, run_id},
};
use crate::state::{CheckOutcome, Finished, PageRequest, StateResult};

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
