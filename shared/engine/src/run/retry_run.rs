//! What a run has done, and what it left.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{
    partitions::PartitionSet,
    plan::{Lineage, Plan, Stage, Step, StepId},
};

use crate::{
    definitions::Definitions,
    run::{PlanRunError, PlannedRun},
    run_id::RunId,
    state::{CheckEvaluation, PartitionRef, ReadConsistency, StateResult, StateStore},
};

/// How many records are read with one call.
const CHUNK: usize = 500;
/// How many calls are under way at a time.
const AT_ONCE: usize = 8;

/// For each step of a plan, the partitions for which a run has nothing left to do: they are made, and
/// no blocking check found something wrong with them. It is what does not run again when the run is
/// taken up again or retried.
///
/// # Errors
/// When the record cannot be read.
pub async fn finished_in(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    planned: &PlannedRun,
    run: RunId,
) -> StateResult<Vec<(StepId, PartitionSet)>> {
    let mut finished = Vec::new();
    for (id, stage, step) in planned.plan.steps() {
        let done = if step.assets.is_empty() {
            checked(definitions, state, planned, run, stage, step).await?
        } else {
            made(definitions, state, planned, run, stage, step).await?
        };
        if !done.is_empty() {
            finished.push((id, done));
        }
    }
    Ok(finished)
}

/// The part of a plan that a run left: what failed, and what was not run because of that.
///
/// # Errors
/// When the record cannot be read, or the plan names what the project does not declare any more.
pub async fn plan_retry(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    planned: &PlannedRun,
    run: RunId,
) -> Result<Plan, PlanRunError> {
    let finished = finished_in(definitions, state, planned, run).await?;
    let lineage = Lineage::new(definitions.graph(), &planned.context);
    Ok(planned.plan.without(lineage, &finished)?)
}

async fn made(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    planned: &PlannedRun,
    run: RunId,
    stage: &Stage,
    step: &Step,
) -> StateResult<PartitionSet> {
    let mut done = stage.partitions.clone();
    for asset in &step.assets {
        done &= &state.statuses(asset).await?.materialized;
        let targets = targets(definitions, planned, asset, &done);
        let reads = targets.chunks(CHUNK).map(|chunk| async move {
            let latest = state.latest_many(chunk, ReadConsistency::Strong).await?;
            let ours = chunk.iter().zip(latest).filter(|(_, latest)| {
                let latest = latest.as_ref().filter(|latest| latest.is_done_by(run));
                latest
                    .and_then(|latest| latest.published())
                    .is_some_and(|made| !made.checks.iter().any(CheckEvaluation::blocks))
            });
            StateResult::Ok(ours.map(|(target, _)| target.ordinal).collect::<Vec<_>>())
        });
        let ordinals: Vec<Vec<u64>> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        done &= &ordinals.into_iter().flatten().collect();
    }
    Ok(done)
}

async fn checked(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    planned: &PlannedRun,
    run: RunId,
    stage: &Stage,
    step: &Step,
) -> StateResult<PartitionSet> {
    let mut done = stage.partitions.clone();
    for check in &step.checks {
        let targets = targets(definitions, planned, &check.asset, &done);
        let reads = targets.iter().map(|target| async move {
            let latest = state.latest_checks(target).await?;
            let fine = latest
                .iter()
                .any(|found| found.check == *check && found.run == run && !found.fails_run());
            StateResult::Ok(fine.then_some(target.ordinal))
        });
        let ordinals: Vec<Option<u64>> =
            stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        done &= &ordinals.into_iter().flatten().collect();
    }
    Ok(done)
}

fn targets(
    definitions: &Definitions,
    planned: &PlannedRun,
    asset: &precip_core::key::AssetKey,
    set: &PartitionSet,
) -> Vec<PartitionRef> {
    let graph = definitions.graph();
    let definition = graph.id(asset).and_then(|asset| graph.partitions(asset));
    set.iter()
        .filter_map(|ordinal| match definition {
            None => Some(PartitionRef::unpartitioned(asset.clone())),
            Some(definition) => {
                let partition = definition.key(ordinal, &planned.context)?;
                Some(PartitionRef::new(asset.clone(), partition, ordinal))
            }
        })
        .collect()
}
