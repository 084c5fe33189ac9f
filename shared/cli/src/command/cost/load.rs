//! [`Workload`] of a plan: the numbers that its cost is estimated from.

use precip_asl::{compile::execution_type, model::ExecutionType};
use precip_core::{
    cost::{StageLoad, StepLoad, Workload},
    graph::{AssetGraph, AssetId},
    machine::Layout,
    partitions::PartitionSet,
    plan::{Lineage, Stage, Step, divide_into_batches},
};
use precip_engine::run::PlannedRun;

use super::measured;
use crate::{exit::Exit, failure::Failure, session::Session};

/// Number of partitions sampled to estimate how many upstream partitions each loads.
const SAMPLE_SIZE: u64 = 100;

/// Returns a plan in numbers, with the durations of its ops from the record.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(super) async fn build_workload(
    session: &Session,
    planned: &PlannedRun,
    arm64: bool,
) -> Result<Workload, Failure> {
    let graph = session.definitions.graph();
    // The layout decides which stages run in Express children, which are billed differently.
    let layout = Layout::from_graph(graph)
        .map_err(|error| Failure::new(Exit::Definitions, error.to_string()))?;
    let mut stages = Vec::new();
    for stage in &planned.plan.stages {
        let items = count_items(graph, stage, planned);
        let mut steps = Vec::new();
        for step in &stage.steps {
            steps.push(load_step(session, planned, stage, step).await?);
        }
        stages.push(StageLoad {
            wave: stage.wave,
            items,
            in_order: stage.in_order,
            express: is_express(graph, &layout, stage),
            steps,
        });
    }
    Ok(Workload { stages, arm64 })
}

/// Returns the number of items of a stage: partitions, or batches when its op takes several at once.
fn count_items(graph: &AssetGraph, stage: &Stage, planned: &PlannedRun) -> u64 {
    let asset = stage.steps.iter().find_map(|step| {
        let checked = step.checks.first().map(|check| &check.asset);
        step.assets.first().or(checked)
    });
    let definition = asset
        .and_then(|key| graph.id(key))
        .and_then(|id| graph.partitions(id));
    let set = &stage.partitions;
    match definition {
        Some(_) => {
            divide_into_batches(stage.batching, definition, set, &planned.context).len() as u64
        }
        None => set.len(),
    }
}

/// Returns true when the state machine runs the items of a stage in Express children.
fn is_express(graph: &AssetGraph, layout: &Layout, stage: &Stage) -> bool {
    let op = |name: &str| graph.op_id(name).map(|id| graph.op(id));
    let first = stage.steps.first().map(|step| step.op.as_str());
    let mut stages = layout.stages.iter();
    let layout_stage = stages.find(|stage| stage.steps.iter().any(|step| Some(&*step.op) == first));
    layout_stage.is_some_and(|stage| execution_type(stage, op) == ExecutionType::Express)
}

async fn load_step(
    session: &Session,
    planned: &PlannedRun,
    stage: &Stage,
    step: &Step,
) -> Result<StepLoad, Failure> {
    let graph = session.definitions.graph();
    let compute = graph
        .op_id(&step.op)
        .map(|id| graph.op(id).compute.clone())
        .unwrap_or_default();
    let partitions = &stage.partitions;
    let lineage = Lineage::new(graph, &planned.context);
    let (mut made, mut replaced, mut loaded) = (0, 0, 0);
    for key in &step.assets {
        let statuses = session.store.partition_statuses(key).await?;
        made += partitions.len();
        replaced += (&statuses.materialized & partitions).len();
        if let Some(id) = graph.id(key) {
            loaded += count_upstream(lineage, id, partitions)?;
        }
    }
    if step.assets.is_empty() {
        // A step of checks alone loads the partitions that it checks.
        loaded += partitions.len();
    }
    Ok(StepLoad {
        op: step.op.clone(),
        memory_mib: compute.memory_mib,
        disk_mib: compute.ephemeral_storage_mib,
        time: measured::step_time(session, step, compute.timeout).await?,
        made,
        replaced,
        loaded,
    })
}

/// Estimates how many upstream partitions are loaded for a set, counting one again for each partition
/// that loads it. Extrapolates from a sample.
pub(in crate::command) fn count_upstream(
    lineage: Lineage<'_>,
    asset: AssetId,
    set: &PartitionSet,
) -> Result<u64, Failure> {
    let stride = set.len().div_ceil(SAMPLE_SIZE).max(1);
    let positions = (0..set.len()).step_by(usize::try_from(stride).unwrap_or(usize::MAX));
    let sample: Vec<u64> = positions.filter_map(|position| set.nth(position)).collect();
    let mut found = 0;
    for edge in lineage.graph.upstream(asset) {
        for ordinal in &sample {
            let one = PartitionSet::single(*ordinal);
            let upstream = lineage
                .to_upstream(asset, &one, edge)
                .map_err(|error| Failure::new(Exit::Definitions, error.to_string()))?;
            found += upstream.existing.len();
        }
    }
    // The sample is representative of the set.
    Ok(match sample.len() as u64 {
        0 => 0,
        sampled => found * set.len() / sampled,
    })
}
