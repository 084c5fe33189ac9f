//! The finished and the remaining part of a run.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{
    partitions::PartitionSet,
    plan::{Lineage, Plan, Stage, Step, StepId},
};

use crate::{
    definitions::Definitions,
    run::{PlanRunError, PlannedRun, partition_refs},
    run_id::RunId,
    state::{CheckEvaluation, ReadConsistency, StateResult, StateStore},
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
            let ours = chunk.iter().zip(latest).filter(|(_, latest)| {
                let latest = latest.as_ref().filter(|latest| latest.is_published_by(run));
                latest
                    .and_then(|latest| latest.published())
                    .is_some_and(|made| !made.checks.iter().any(CheckEvaluation::blocks_downstream))
            });
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
            let passed = latest
                .iter()
                .any(|found| found.check == *check && found.run == run && !found.fails_run());
            StateResult::Ok(passed.then_some(target.ordinal))
        });
        let ordinals: Vec<Option<u64>> =
            stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        done &= &ordinals.into_iter().flatten().collect();
    }
    Ok(done)
}
