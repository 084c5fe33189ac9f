//! Cutting a whole graph into stages, whatever its partitions are.

use crate::{
    graph::AssetGraph,
    partitions::{PartitionContext, PartitionSet},
    plan::{
        CheckSelection, Lineage, PlanError, Stage, node::finest, stages::stages, target::Target,
    },
    spec::BackfillPolicy,
};

/// The stages of a run of everything: assets that *could* run one after the other for each partition
/// are together. The partition sets in the answer mean nothing.
///
/// Ops that take several partitions at a time stay alone: two of them cut different sets into
/// different batches.
pub(crate) fn whole(graph: &AssetGraph) -> Result<Vec<Stage>, PlanError> {
    let context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH);
    let lineage = Lineage::new(graph, &context);
    let mut target = Target::default();
    for (op, spec) in graph.ops() {
        // Assets with different sets never share a stage.
        let set = match spec.backfill {
            BackfillPolicy::PerPartition => 0,
            BackfillPolicy::SingleRun | BackfillPolicy::MultiRun(_) => 1 + op.0 as u64,
        };
        for asset in graph.assets_of(op) {
            target.pairs.set(asset, PartitionSet::single(set));
        }
    }
    let nodes = finest(lineage, &target, &CheckSelection::All)?;
    stages(lineage, &nodes)
}
