//! Dividing a whole graph into stages, independent of its partitions.

use crate::{
    graph::AssetGraph,
    partitions::{PartitionContext, PartitionSet},
    plan::{
        CheckSelection, Lineage, PlanError, Stage, node::finest_nodes, stages::divide_into_stages,
        target::Target,
    },
    spec::BackfillPolicy,
};

/// Returns the stages of a run of every asset: assets that *could* run one after the other for each
/// partition share a stage. The partition sets in the result have no meaning.
///
/// Ops that take several partitions at a time have stages of their own: two of them divide
/// different sets into different batches.
pub(crate) fn stages_of_graph(graph: &AssetGraph) -> Result<Vec<Stage>, PlanError> {
    let context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH);
    let lineage = Lineage::new(graph, &context);
    let mut target = Target::default();
    for (op, spec) in graph.ops() {
        // Assets share a stage only if their sets are equal: one set for all ops that take
        // partitions one by one, a set of its own for every other op.
        let set = match spec.backfill {
            BackfillPolicy::PerPartition => 0,
            BackfillPolicy::SingleRun | BackfillPolicy::MultiRun(_) => 1 + op.0 as u64,
        };
        for asset in graph.assets_of(op) {
            target
                .pairs
                .set_partitions(asset, PartitionSet::single(set));
        }
    }
    let nodes = finest_nodes(lineage, &target, &CheckSelection::All)?;
    divide_into_stages(lineage, &nodes)
}
