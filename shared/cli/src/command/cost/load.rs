//! From a plan to the numbers that its cost is estimated from.

use precip_asl::{compile::execution_type, model::ExecutionType};
use precip_core::{
    cost::{StageLoad, StepLoad, Workload},
    graph::{AssetGraph, AssetId},
    machine::Layout,
    partitions::PartitionSet,
    plan::{Lineage, Stage, Step, batches},
};
use precip_engine::run::PlannedRun;

use super::measured;
use crate::{exit::Exit, failure::Failure, session::Session};

/// How many partitions are looked at to learn how many upstream partitions each is made from.
const SAMPLED: u64 = 100;

/// A plan in numbers, with what the record knows of the time that its ops take.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(super) async fn workload(
    session: &Session,
    planned: &PlannedRun,
    arm64: bool,
) -> Result<Workload, Failure> {
    let graph = session.definitions.graph();
    let layout =
        Layout::of(graph).map_err(|error| Failure::new(Exit::Definitions, error.to_string()))?;
    let mut stages = Vec::new();
    for stage in &planned.plan.stages {
        let items = items(graph, stage, planned);
        let mut steps = Vec::new();
        for step in &stage.steps {
            steps.push(load(session, planned, stage, step).await?);
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

/// How many items a stage has: partitions, or the batches that its op takes.
fn items(graph: &AssetGraph, stage: &Stage, planned: &PlannedRun) -> u64 {
    let asset = stage.steps.iter().find_map(|step| {
        let checked = step.checks.first().map(|check| &check.asset);
        step.assets.first().or(checked)
    });
    let definition = asset
        .and_then(|key| graph.id(key))
        .and_then(|id| graph.partitions(id));
    let set = &stage.partitions;
    match definition {
        Some(_) => batches(stage.batching, definition, set, &planned.context).len() as u64,
        None => set.len(),
    }
}

/// Whether the state machine runs the items of a stage in Express children.
fn is_express(graph: &AssetGraph, layout: &Layout, stage: &Stage) -> bool {
    let op = |name: &str| graph.op_id(name).map(|id| graph.op(id));
    let first = stage.steps.first().map(|step| step.op.as_str());
    let mut stages = layout.stages.iter();
    let laid_out = stages.find(|stage| stage.steps.iter().any(|step| Some(&*step.op) == first));
    laid_out.is_some_and(|stage| execution_type(stage, op) == ExecutionType::Express)
}

async fn load(
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
        let statuses = session.store.statuses(key).await?;
        made += partitions.len();
        replaced += (&statuses.materialized & partitions).len();
        if let Some(id) = graph.id(key) {
            loaded += upstream(lineage, id, partitions)?;
        }
    }
    if step.assets.is_empty() {
        // A check loads what it looks at.
        loaded += partitions.len();
    }
    Ok(StepLoad {
        op: step.op.clone(),
        memory_mib: compute.memory_mib,
        disk_mib: compute.ephemeral_storage_mib,
        time: measured::time(session, step, compute.timeout).await?,
        made,
        replaced,
        loaded,
    })
}

/// How many upstream partitions those of a set are made from, each counted for itself: what a sample
/// of them is made from, for all.
fn upstream(lineage: Lineage<'_>, asset: AssetId, set: &PartitionSet) -> Result<u64, Failure> {
    let stride = set.len().div_ceil(SAMPLED).max(1);
    let places = (0..set.len()).step_by(usize::try_from(stride).unwrap_or(usize::MAX));
    let sample: Vec<u64> = places.filter_map(|place| set.nth(place)).collect();
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
    Ok(match sample.len() as u64 {
        0 => 0,
        sampled => found * set.len() / sampled,
    })
}
