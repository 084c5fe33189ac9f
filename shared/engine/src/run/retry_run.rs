//! The finished and the remaining part of a run.

use std::{collections::BTreeMap, sync::Arc};

use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{
    key::{AssetKey, CheckKey},
    partitions::PartitionSet,
    plan::{Frontier, Lineage, LossCause, Plan, PlanError, Stage, Step, StepId, StepOutcome},
};

use crate::{
    definitions::Definitions,
    run::{PlanRunError, PlannedRun, partition_refs, step_at},
    run_id::RunId,
    state::{
        CheckEvaluation, CheckOutcome, Latest, ReadConsistency, StateResult, StateStore,
        UntriedPartitions,
    },
};

/// Number of records that are read with one call.
const CHUNK: usize = 500;
/// Number of concurrent calls.
const AT_ONCE: usize = 8;

/// Returns, for each step of a plan, how the partitions ended that a run has finished: published
/// without a failed blocking check, or skipped. Those do not run again when the run is resumed or
/// retried.
///
/// # Errors
/// When the state store cannot be read.
pub async fn finished_partitions(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    planned: &PlannedRun,
    run: RunId,
) -> StateResult<Vec<(StepId, StepOutcome)>> {
    let (finished, _) = read_finished(definitions, state, planned, run).await?;
    Ok(finished)
}

/// Partitions that did not pass a blocking check, by asset.
type Refused = BTreeMap<AssetKey, PartitionSet>;

/// Returns how the finished partitions of each step ended, and those that a step of checks refused.
async fn read_finished(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    planned: &PlannedRun,
    run: RunId,
) -> StateResult<(Vec<(StepId, StepOutcome)>, Refused)> {
    let untried = state.run_untried(run).await?;
    let (mut finished, mut refused) = (Vec::new(), Refused::new());
    for (id, stage, step) in planned.plan.steps() {
        let outcome = if step.assets.is_empty() {
            let of_run = (state, run);
            let checked =
                checked_partitions(definitions, of_run, planned, stage, step, &mut refused);
            StepOutcome::succeeded(checked.await?)
        } else {
            let of_run = (state, run, untried.as_slice());
            finished_assets(definitions, of_run, planned, stage, step).await?
        };
        if !outcome.ended().is_empty() {
            finished.push((id, outcome));
        }
    }
    Ok((finished, refused))
}

/// Takes refused partitions out of what is finished: the steps that made their data, and the other
/// checks of it, run again.
fn take_out_refused(
    planned: &PlannedRun,
    finished: &mut [(StepId, StepOutcome)],
    refused: &Refused,
) {
    for (id, outcome) in finished {
        let step = step_at(&planned.plan, *id);
        let checked = step.checks.iter().map(|check| &check.asset);
        for asset in step.assets.iter().chain(checked) {
            if let Some(partitions) = refused.get(asset) {
                outcome.remove_partitions(partitions);
            }
        }
    }
}

/// The way in which the rest of a run treats data that did not pass a blocking check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedData {
    /// Checks the same data again, as a redrive does: its run has made it already.
    CheckAgain,
    /// Makes the data again and checks that, since the cause may have been mended upstream.
    MakeAgain,
}

/// Returns the remaining part of a run's plan: the partitions that failed and those that were held
/// back. Skipped partitions are no part of it, and neither is what needs them.
///
/// # Errors
/// When the state store cannot be read, or the plan names something that the project no longer
/// declares.
pub async fn plan_retry(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    planned: &PlannedRun,
    run: RunId,
    refused_data: RefusedData,
) -> Result<Plan, PlanRunError> {
    let (mut finished, refused) = read_finished(definitions, state, planned, run).await?;
    if refused_data == RefusedData::MakeAgain {
        take_out_refused(planned, &mut finished, &refused);
    }
    let lineage = Lineage::new(definitions.graph(), &planned.context);
    let mut frontier = Frontier::new(lineage, &planned.plan)?;
    for (id, outcome) in &finished {
        frontier
            .record_outcome(lineage, *id, outcome)
            .map_err(PlanError::from)?;
    }
    let mut done: BTreeMap<StepId, PartitionSet> = BTreeMap::new();
    for (id, outcome) in finished {
        done.insert(id, outcome.ended());
    }
    for (id, ..) in planned.plan.steps() {
        *done.entry(id).or_default() |= &frontier.skipped_partitions(id);
    }
    let done: Vec<(StepId, PartitionSet)> = done.into_iter().collect();
    let mut rest = planned.plan.without_partitions(lineage, &done)?;
    // The new run has recorded nothing yet.
    rest.basis.renumbered.clear();
    Ok(rest)
}

/// Returns how the partitions of a step ended that a run has finished for each of its assets.
async fn finished_assets(
    definitions: &Definitions,
    (state, run, untried): (&Arc<dyn StateStore>, RunId, &[UntriedPartitions]),
    planned: &PlannedRun,
    stage: &Stage,
    step: &Step,
) -> StateResult<StepOutcome> {
    let mut done = stage.partitions.clone();
    let mut skipped = Vec::with_capacity(step.assets.len());
    for asset in &step.assets {
        let not_tried = untried.iter();
        // What was left untried is on record by ordinal, so it says nothing of an asset whose
        // partitions were renumbered since: these are tried, and left out again.
        let renumbered = planned.plan.basis.renumbered.contains(asset);
        let not_tried = not_tried
            .filter(|other| !renumbered && other.asset == *asset && other.reason.is_skip());
        let mut of_asset = not_tried.fold(PartitionSet::empty(), |mut all, other| {
            all |= &other.partitions;
            all
        });
        // The status sets rule out most partitions before their records are read one by one.
        let statuses = state.partition_statuses(asset).await?;
        let recorded = &done & &(&statuses.materialized | &statuses.skipped);
        let targets = partition_refs(definitions.graph(), &planned.context, asset, &recorded);
        let reads = targets.chunks(CHUNK).map(|chunk| async move {
            let latest = state
                .latest_materializations(chunk, ReadConsistency::Strong)
                .await?;
            let (mut made, mut skipped) = (PartitionSet::empty(), PartitionSet::empty());
            for (target, latest) in chunk.iter().zip(&latest) {
                if is_skipped(latest.as_ref(), run) {
                    skipped.insert(target.ordinal);
                } else if is_finished(latest.as_ref(), run) {
                    made.insert(target.ordinal);
                }
            }
            StateResult::Ok((made, skipped))
        });
        let mut made = PartitionSet::empty();
        let read: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        for (made_here, skipped_here) in read {
            made |= &made_here;
            of_asset |= &skipped_here;
        }
        // Data that was made after all counts.
        of_asset -= &made;
        done &= &(&made | &of_asset);
        skipped.push((asset, of_asset));
    }
    let whole = skipped
        .iter()
        .fold(done.clone(), |whole, (_, set)| &whole & set);
    let mut outcome = StepOutcome::succeeded(&done - &whole);
    outcome.skipped = whole;
    for (asset, set) in skipped {
        outcome.add_loss(asset.clone(), &set & &done, LossCause::Skipped);
    }
    Ok(outcome)
}

/// Returns the partitions of a step that only checks, for which no check of a run failed. Adds the
/// partitions that did not pass a blocking check to `refused`. A check that could not run refuses none.
async fn checked_partitions(
    definitions: &Definitions,
    (state, run): (&Arc<dyn StateStore>, RunId),
    planned: &PlannedRun,
    stage: &Stage,
    step: &Step,
    refused: &mut Refused,
) -> StateResult<PartitionSet> {
    let mut passed = stage.partitions.clone();
    for check in &step.checks {
        let of_plan = &stage.partitions;
        let targets = partition_refs(definitions.graph(), &planned.context, &check.asset, of_plan);
        let reads = targets.iter().map(|target| async move {
            let latest = state.latest_checks(target).await?;
            let mut of_run = latest.into_iter().filter(|found| found.run == run);
            let evaluation = of_run.find(|found| found.check == *check);
            StateResult::Ok((target.ordinal, evaluation))
        });
        let read: Vec<(u64, Option<CheckEvaluation>)> =
            stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        for (ordinal, evaluation) in read {
            if evaluation.as_ref().is_none_or(CheckEvaluation::fails_run) {
                passed.remove(ordinal);
            }
            let refuses = |found: CheckEvaluation| {
                found.outcome == CheckOutcome::Failed && found.blocks_downstream()
            };
            if evaluation.is_some_and(refuses) {
                refused
                    .entry(check.asset.clone())
                    .or_default()
                    .insert(ordinal);
            }
        }
    }
    Ok(passed)
}

/// Returns `true` if a run published a partition without a failed blocking check, or skipped it.
pub(super) fn is_finished(latest: Option<&Latest>, run: RunId) -> bool {
    let published = latest
        .filter(|latest| latest.is_published_by(run))
        .and_then(Latest::published);
    published.is_some_and(|made| !made.checks.iter().any(CheckEvaluation::blocks_downstream))
        || is_skipped(latest, run)
}

fn is_skipped(latest: Option<&Latest>, run: RunId) -> bool {
    latest.is_some_and(|latest| latest.is_skipped_by(run))
}

/// Returns `true` if a check did not fail in a run, by the latest evaluations of its partition.
pub(super) fn has_passed(latest: &[CheckEvaluation], check: &CheckKey, run: RunId) -> bool {
    latest
        .iter()
        .any(|found| found.check == *check && found.run == run && !found.fails_run())
}
