//! Planning of a run from its request.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{
    graph::{AssetId, AssetSet},
    partitions::{PartitionContext, PartitionsDefinition},
    plan::{
        AssetPartitions, AssetStatuses, CheckSelection, Lineage, PartitionSelector, Plan,
        PlanRequest, StatusFilter,
    },
    prose::did_you_mean,
    selection::Selection,
};

use crate::{
    definitions::Definitions,
    run::{PlanRunError, partitions_with_failed_checks},
    state::{RequestedWork, StateResult, StateStore},
};

/// Number of assets whose statuses are read concurrently.
const AT_ONCE: usize = 32;

/// A plan, with the time and the dynamic keys it was made with.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRun {
    /// The plan.
    pub plan: Plan,
    /// The time, and the keys of every dynamic partition set of the project.
    pub context: PartitionContext,
}

/// Plans a request: parses the selection and the partitions, reads the recorded statuses, and
/// resolves them to a plan. Changes nothing, so it also serves previews.
///
/// # Errors
/// [`PlanRunError`], whose message says what to write instead.
pub async fn plan_run(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    now: DateTime<Utc>,
    request: &RequestedWork,
    checks: CheckSelection,
) -> Result<PlannedRun, PlanRunError> {
    let graph = definitions.graph();
    let assets = Selection::parse(&request.selection)?.resolve(graph)?;
    let partitions = match &request.partitions {
        Some(written) => written.parse()?,
        None => PartitionSelector::default(),
    };
    check_config(definitions, &request.config)?;
    let context = partition_context(definitions, state, now).await?;
    let record = match partitions.status {
        Some(StatusFilter::Failed) => read_statuses(definitions, state, &assets, &context).await?,
        // Nothing else in a plan depends on checks.
        _ => read_attempts(definitions, state, &assets, &context).await?,
    };
    let request = PlanRequest {
        assets,
        checks,
        partitions,
        config: request.config.clone(),
        tags: request.tags.clone(),
        run_key: None,
    };
    let plan = Plan::new(Lineage::new(graph, &context), &request, &record)?;
    Ok(PlannedRun { plan, context })
}

/// Reads the keys of every dynamic partition set of the project, and returns them with the time
/// `now`.
///
/// # Errors
/// When the state store cannot be read.
pub async fn partition_context(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    now: DateTime<Utc>,
) -> StateResult<PartitionContext> {
    read_context(state, now, declared_sets(definitions)).await
}

/// Returns the context of a stored plan: its time, and the keys of every dynamic partition set that
/// the project uses or that the plan was made with.
///
/// # Errors
/// When the state store cannot be read.
pub(crate) async fn plan_context(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    plan: &Plan,
) -> StateResult<PartitionContext> {
    let mut names = declared_sets(definitions);
    names.extend(plan.basis.dynamic_sets());
    read_context(state, plan.at, names).await
}

/// Returns the names of the dynamic partition sets that the project uses.
fn declared_sets(definitions: &Definitions) -> BTreeSet<&str> {
    let graph = definitions.graph();
    graph
        .ids()
        .filter_map(|asset| graph.partitions(asset))
        .flat_map(PartitionsDefinition::dynamic_sets)
        .collect()
}

async fn read_context(
    state: &Arc<dyn StateStore>,
    now: DateTime<Utc>,
    dynamic_sets: BTreeSet<&str>,
) -> StateResult<PartitionContext> {
    let mut context = PartitionContext::at(now);
    for name in dynamic_sets {
        let keys = state.dynamic_keys(name).await?;
        context.dynamic.insert(name.to_owned(), keys);
    }
    Ok(context)
}

/// Reads the statuses of some assets and of their direct upstream, and further upstream wherever a
/// partition has no data: the reason may be there. Of the assets themselves, partitions whose data a
/// blocking check did not pass count as failed.
///
/// # Errors
/// When the state store cannot be read.
pub async fn read_statuses(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    assets: &AssetSet,
    context: &PartitionContext,
) -> StateResult<AssetStatuses> {
    let mut statuses = read_attempts(definitions, state, assets, context).await?;
    let lineage = Lineage::new(definitions.graph(), context);
    let made = &statuses.materialized;
    let reads = assets.iter().map(|asset| async move {
        let made = made.of(asset);
        let refused = partitions_with_failed_checks(lineage, state.as_ref(), asset, made).await?;
        StateResult::Ok((asset, refused))
    });
    let reads: Vec<_> = reads.collect();
    let refused: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    for (asset, refused) in refused {
        statuses.failed.add(asset, &refused);
    }
    Ok(statuses)
}

/// Reads the statuses of some assets and further upstream, by their last attempts alone.
async fn read_attempts(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    assets: &AssetSet,
    context: &PartitionContext,
) -> StateResult<AssetStatuses> {
    let graph = definitions.graph();
    let wanted = graph.ancestors(assets, Some(1));
    let lineage = Lineage::new(graph, context);
    let mut statuses = AssetStatuses::default();
    add_statuses(
        lineage,
        state.as_ref(),
        wanted,
        AssetSet::new(),
        &mut statuses,
    )
    .await?;
    Ok(statuses)
}

/// Adds the statuses of the `wanted` assets that are not `known` yet, and further upstream of those
/// wherever a partition has no data.
///
/// # Errors
/// When the state store cannot be read.
pub(crate) async fn add_statuses(
    lineage: Lineage<'_>,
    state: &dyn StateStore,
    mut wanted: AssetSet,
    mut known: AssetSet,
    statuses: &mut AssetStatuses,
) -> StateResult<()> {
    let graph = lineage.graph;
    let mut expanded = AssetSet::new();
    loop {
        // Of what is known, only assets with gaps lead further up.
        for asset in (&known - &expanded).iter() {
            expanded.insert(asset);
            let one = AssetSet::from(asset);
            let all = AssetPartitions::all_existing(graph, &one, lineage.context);
            if !all.of(asset).is_subset(statuses.materialized.of(asset)) {
                wanted |= &graph.ancestors(&one, Some(1));
            }
        }
        let next: Vec<AssetId> = (&wanted - &known).iter().collect();
        if next.is_empty() {
            return Ok(());
        }
        let reads = next.into_iter().map(|asset| async move {
            let statuses = state.partition_statuses(graph.key(asset)).await?;
            StateResult::Ok((asset, statuses))
        });
        let mut results = stream::iter(reads).buffered(AT_ONCE);
        while let Some((asset, read)) = results.try_next().await? {
            known.insert(asset);
            statuses
                .materialized
                .set_partitions(asset, read.materialized);
            statuses.failed.set_partitions(asset, read.failed);
            statuses.skipped.set_partitions(asset, read.skipped);
        }
    }
}

/// Checks a run config: an object with a value for each op that takes config, by the op's name.
///
/// # Errors
/// [`PlanRunError::Config`], whose message says what to write instead.
pub(crate) fn check_config(
    definitions: &Definitions,
    config: &serde_json::Value,
) -> Result<(), PlanRunError> {
    let ops = match config {
        serde_json::Value::Null => return Ok(()),
        serde_json::Value::Object(ops) => ops,
        other => {
            return Err(PlanRunError::Config(format!(
                "the run config is `{other}`: write an object with the config of each op under \
                 the op's name, like {{\"daily_flights\": {{\"limit\": 10}}}}"
            )));
        }
    };
    for (name, value) in ops {
        let Some(op) = definitions.op_named(name) else {
            let ops = definitions.ops().map(|op| op.spec.name.as_str());
            let instead = did_you_mean(name, ops).unwrap_or_else(|| "leave it out".to_owned());
            return Err(PlanRunError::Config(format!(
                "the run config names op `{name}`, which is not declared: {instead}"
            )));
        };
        let Some(spec) = &op.config else {
            return Err(PlanRunError::Config(format!(
                "the run config has a value for op `{name}`, which takes no config: leave it out"
            )));
        };
        spec.check_config(value).map_err(|invalid| {
            PlanRunError::Config(format!("the run config of op `{name}`: {invalid}"))
        })?;
    }
    Ok(())
}
