//! The keys of partitions in the state store, and the steps of a plan, by number.

use precip_core::{
    graph::{AssetGraph, AssetId},
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet},
    plan::{Plan, Step, StepId},
};

use crate::state::PartitionRef;

/// Returns the key of a partition in the state store; `None` for an ordinal without a key.
pub(crate) fn partition_ref(
    graph: &AssetGraph,
    context: &PartitionContext,
    asset: AssetId,
    ordinal: u64,
) -> Option<PartitionRef> {
    let set = PartitionSet::single(ordinal);
    partition_refs(graph, context, graph.key(asset), &set).pop()
}

/// Returns the keys of some partitions of an asset in the state store.
pub(crate) fn partition_refs(
    graph: &AssetGraph,
    context: &PartitionContext,
    asset: &AssetKey,
    set: &PartitionSet,
) -> Vec<PartitionRef> {
    let definition = graph.id(asset).and_then(|id| graph.partitions(id));
    let partition_ref = |ordinal| match definition {
        None => Some(PartitionRef::unpartitioned(asset.clone())),
        Some(definition) => {
            // A key that was removed from a dynamic set meanwhile still has its record.
            let partition = definition.former_key(ordinal, context)?;
            Some(PartitionRef::new(asset.clone(), partition, ordinal))
        }
    };
    set.iter().filter_map(partition_ref).collect()
}

/// Returns a step of a plan.
///
/// # Panics
/// When the id belongs to another plan.
pub fn step_at(plan: &Plan, id: StepId) -> &Step {
    &plan.stages[id.stage].steps[id.step]
}
