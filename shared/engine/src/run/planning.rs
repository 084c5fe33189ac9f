//! From a request, as it was written, to a plan.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{
    graph::{AssetId, AssetSet},
    nearest::{nearest, or_list},
    partitions::{PartitionContext, PartitionsDefinition},
    plan::{CheckSelection, Lineage, PartitionSelector, Plan, PlanRequest, Record},
    selection::Selection,
};

use crate::{
    definitions::Definitions,
    run::PlanRunError,
    state::{RunRequest, StateResult, StateStore},
};

/// How many assets' statuses are read at a time.
const AT_ONCE: usize = 32;

/// A plan, with the moment and the dynamic keys it was made with.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRun {
    /// The plan.
    pub plan: Plan,
    /// The moment, and the keys of every dynamic set of the project.
    pub context: PartitionContext,
}

/// Plans a request: reads the selection and the partitions, looks up what is on record, and resolves.
/// It changes nothing, so it also answers what *would* run.
///
/// # Errors
/// [`PlanRunError`], which says what to write instead.
pub async fn plan_run(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    now: DateTime<Utc>,
    request: &RunRequest,
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
    let record = record_of(definitions, state, &assets).await?;
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

/// The moment `now`, and the keys of every dynamic set that a definition of the project names.
///
/// # Errors
/// When the record cannot be read.
pub async fn partition_context(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    now: DateTime<Utc>,
) -> StateResult<PartitionContext> {
    let graph = definitions.graph();
    let mut context = PartitionContext::at(now);
    let mut names = Vec::new();
    for definition in graph.ids().filter_map(|asset| graph.partitions(asset)) {
        dynamic_sets(definition, &mut names);
    }
    names.sort();
    names.dedup();
    for name in names {
        let keys = state.partitions(&name).await?;
        context.dynamic.insert(name, keys);
    }
    Ok(context)
}

fn dynamic_sets(definition: &PartitionsDefinition, names: &mut Vec<String>) {
    match definition {
        PartitionsDefinition::Dynamic(dynamic) => names.push(dynamic.name.clone()),
        PartitionsDefinition::Multi(multi) => {
            multi
                .dimensions()
                .for_each(|(_, dimension)| dynamic_sets(dimension, names));
        }
        PartitionsDefinition::Static(_) | PartitionsDefinition::TimeWindow(_) => {}
    }
}

/// What is on record of some assets and of what they are made from.
///
/// # Errors
/// When the record cannot be read.
pub async fn record_of(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    assets: &AssetSet,
) -> StateResult<Record> {
    let graph = definitions.graph();
    let concerned: Vec<AssetId> = graph.ancestors(assets, Some(1)).iter().collect();
    let reads = concerned.into_iter().map(|asset| async move {
        let statuses = state.statuses(graph.key(asset)).await?;
        StateResult::Ok((asset, statuses))
    });
    let mut reads = stream::iter(reads).buffered(AT_ONCE);
    let mut record = Record::default();
    while let Some((asset, statuses)) = reads.try_next().await? {
        record.materialized.set(asset, statuses.materialized);
        record.failed.set(asset, statuses.failed);
    }
    Ok(record)
}

/// The config is an object with a value for each op that takes config, by the op's name.
fn check_config(definitions: &Definitions, config: &serde_json::Value) -> Result<(), PlanRunError> {
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
            let near = nearest(name, definitions.ops().map(|op| op.spec.name.as_str()));
            let instead = match near.as_slice() {
                [] => "leave it out".to_owned(),
                near => format!("did you mean {}?", or_list(near)),
            };
            return Err(PlanRunError::Config(format!(
                "the run config names op `{name}`, which is not declared: {instead}"
            )));
        };
        let Some(spec) = &op.config else {
            return Err(PlanRunError::Config(format!(
                "the run config has a value for op `{name}`, which takes no config: leave it out"
            )));
        };
        spec.check(value).map_err(|invalid| {
            PlanRunError::Config(format!("the run config of op `{name}`: {invalid}"))
        })?;
    }
    Ok(())
}
