//! Use of a stored plan by a project that may have changed since.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{
    key::AssetKey,
    plan::{Lineage, OutdatedWork, Plan, PlannedPartition, TranslatedPlan},
};
use serde_json::Value;

use super::{
    planning::{check_config, plan_context},
    retry_run::{has_passed, is_finished},
};
use crate::{
    definitions::Definitions,
    run::{PlanRunError, PlannedRun},
    run_id::RunId,
    state::{PartitionRef, ReadConsistency, StateResult, StateStore},
};

/// Number of records that are read concurrently.
const AT_ONCE: usize = 32;

/// Translates the stored plan of a run to the project as it is declared now: each partition is found
/// by its key. Work that the project no longer has is left out if the run has finished it, and is an
/// error otherwise.
///
/// The record must be numbered by the current declarations
/// ([`renumber_changed`](crate::run::renumber_changed)).
///
/// # Errors
/// [`PlanRunError::Plan`] names what has changed and what to do; the run cannot go on with this plan.
pub async fn translate_plan(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    plan: &Plan,
    run: RunId,
) -> Result<PlannedRun, PlanRunError> {
    let context = plan_context(definitions, state, plan).await?;
    let lineage = Lineage::new(definitions.graph(), &context);
    let TranslatedPlan { plan, outdated } = plan.translate(lineage)?;
    for mut work in outdated {
        work.partitions = unfinished_partitions(state, run, &work).await?;
        if !work.partitions.is_empty() {
            return Err(work.into_error().into());
        }
    }
    check_config(definitions, &config_of_plan(&plan))?;
    Ok(PlannedRun { plan, context })
}

/// Returns the partitions of outdated work that a run has not finished. They are looked up by key:
/// the record keeps the rows of keys that the definitions no longer have.
async fn unfinished_partitions(
    state: &Arc<dyn StateStore>,
    run: RunId,
    work: &OutdatedWork,
) -> StateResult<Vec<PlannedPartition>> {
    let reads = work.partitions.iter().map(|planned| async move {
        let finished = is_planned_finished(state, run, work, planned).await?;
        StateResult::Ok((!finished).then(|| planned.clone()))
    });
    // Collected first: the lazy iterator would borrow the work across an await.
    let reads: Vec<_> = reads.collect();
    let open: Vec<Option<PlannedPartition>> =
        stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    Ok(open.into_iter().flatten().collect())
}

async fn is_planned_finished(
    state: &Arc<dyn StateStore>,
    run: RunId,
    work: &OutdatedWork,
    planned: &PlannedPartition,
) -> StateResult<bool> {
    let target = |asset: &AssetKey| PartitionRef {
        asset: asset.clone(),
        partition: planned.key.clone(),
        ordinal: planned.ordinal,
    };
    for asset in &work.step.assets {
        let latest = state
            .latest_materialization(&target(asset), ReadConsistency::Strong)
            .await?;
        if !is_finished(latest.as_ref(), run) {
            return Ok(false);
        }
    }
    for check in work
        .step
        .checks
        .iter()
        .filter(|_| work.step.assets.is_empty())
    {
        let latest = state.latest_checks(&target(&check.asset)).await?;
        if !has_passed(&latest, check, run) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the part of a plan's config that its remaining ops read.
fn config_of_plan(plan: &Plan) -> Value {
    let Value::Object(config) = &plan.config else {
        return plan.config.clone();
    };
    let mut config = config.clone();
    config.retain(|op, _| plan.steps().any(|(_, _, step)| step.op == *op));
    Value::Object(config)
}
