//! The finished and the remaining part of a run.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{
    key::CheckKey,
    partitions::PartitionSet,
    plan::{Lineage, Plan, Stage, Step, StepId},
};

use crate::{
    definitions::Definitions,
    run::{PlanRunError, PlannedRun, partition_refs},
    run_id::RunId,
    state::{CheckEvaluation, Latest, ReadConsistency, StateResult, StateStore},
};

/// Number of records that are read with one call.
const CHUNK: usize = 500;
/// Number of concurrent calls.
const AT_ONCE: usize = 8;

/// Returns, for each step of a plan, the partitions that a run has finished: published without a
/// failed blocking check. Those do not run again when the run is resumed or retried.
///
/// # Errors
/// When the state store cannot be read.
pub async fn finished_partitions(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    planned: &PlannedRun,
    run: RunId,
) -> StateResult<Vec<(StepId, PartitionSet)>> {
    let mut finished = Vec::new();
    for (id, stage, step) in planned.plan.steps() {
        let done = if step.assets.is_empty() {
            passed_partitions(definitions, state, planned, run, stage, step).await?
        } else {
            materialized_partitions(definitions, state, planned, run, stage, step).await?
        };
        if !done.is_empty() {
            finished.push((id, done));
        }
    }
    Ok(finished)
}

/// Returns the remaining part of a run's plan: the partitions that failed and those that were held
/// back.
///
/// # Errors
/// When the state store cannot be read, or the plan names something that the project no longer
/// declares.
pub async fn plan_retry(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    planned: &PlannedRun,
    run: RunId,
) -> Result<Plan, PlanRunError> {
    let finished = finished_partitions(definitions, state, planned, run).await?;
    let lineage = Lineage::new(definitions.graph(), &planned.context);
    Ok(planned.plan.without_partitions(lineage, &finished)?)
}

/// Returns the partitions of a step that a run has published without a failed blocking check.
async fn materialized_partitions(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    planned: &PlannedRun,
    run: RunId,
    stage: &Stage,
    step: &Step,
) -> StateResult<PartitionSet> {
    let mut done = stage.partitions.clone();
    for asset in &step.assets {
        // The status sets rule out most partitions before their records are read one by one.
        done &= &state.partition_statuses(asset).await?.materialized;
        let targets = partition_refs(definitions.graph(), &planned.context, asset, &done);
        let reads = targets.chunks(CHUNK).map(|chunk| async move {
            let latest = state
                .latest_materializations(chunk, ReadConsistency::Strong)
                .await?;
            let ours = chunk
                .iter()
                .zip(latest)
                .filter(|(_, latest)| is_finished(latest.as_ref(), run));
            StateResult::Ok(ours.map(|(target, _)| target.ordinal).collect::<Vec<_>>())
        });
        let ordinals: Vec<Vec<u64>> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        done &= &ordinals.into_iter().flatten().collect();
    }
    Ok(done)
}

/// Returns the partitions of a step that only checks, for which no check of a run failed.
async fn passed_partitions(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    planned: &PlannedRun,
    run: RunId,
    stage: &Stage,
    step: &Step,
) -> StateResult<PartitionSet> {
    let mut done = stage.partitions.clone();
    for check in &step.checks {
        let targets = partition_refs(definitions.graph(), &planned.context, &check.asset, &done);
        let reads = targets.iter().map(|target| async move {
            let latest = state.latest_checks(target).await?;
            let passed = has_passed(&latest, check, run);
            StateResult::Ok(passed.then_some(target.ordinal))
        });
        let ordinals: Vec<Option<u64>> =
            stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        done &= &ordinals.into_iter().flatten().collect();
    }
    Ok(done)
}

/// Returns `true` if a run published a partition without a failed blocking check.
pub(super) fn is_finished(latest: Option<&Latest>, run: RunId) -> bool {
    latest
        .filter(|latest| latest.is_published_by(run))
        .and_then(Latest::published)
        .is_some_and(|made| !made.checks.iter().any(CheckEvaluation::blocks_downstream))
}

/// Returns `true` if a check did not fail in a run, by the latest evaluations of its partition.
pub(super) fn has_passed(latest: &[CheckEvaluation], check: &CheckKey, run: RunId) -> bool {
    latest
        .iter()
        .any(|found| found.check == *check && found.run == run && !found.fails_run())
}
