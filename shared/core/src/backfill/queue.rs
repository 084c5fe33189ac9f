//! [`Queue`]: the partitions that a wave has yet to examine, upstream first.

use std::collections::BTreeMap;

use crate::{
    graph::{AssetGraph, AssetId},
    partitions::PartitionSet,
    plan::AssetPartitions,
};

/// Partitions to examine, those of upstream assets first. The assets of an op that materializes all
/// of them at once come together.
pub(super) struct Queue<'a> {
    graph: &'a AssetGraph,
    levels: &'a [u32],
    waiting: BTreeMap<(u32, AssetId), PartitionSet>,
}

/// Assets that are materialized together, with the same partitions of each.
pub(super) struct Unit {
    /// The assets, in the order of their keys.
    pub assets: Vec<AssetId>,
    /// The partitions of each.
    pub set: PartitionSet,
}

impl<'a> Queue<'a> {
    pub(super) fn new(graph: &'a AssetGraph, levels: &'a [u32], first: &AssetPartitions) -> Self {
        let mut queue = Self {
            graph,
            levels,
            waiting: BTreeMap::new(),
        };
        for (asset, set) in first.iter() {
            queue.push_partitions(asset, set);
        }
        queue
    }

    /// Adds partitions of an asset, at the level of the deepest asset of its op.
    pub(super) fn push_partitions(&mut self, asset: AssetId, set: &PartitionSet) {
        let together = made_together(self.graph, asset);
        let levels = together.iter().map(|asset| self.levels[asset.0 as usize]);
        let deepest = levels.max().unwrap_or_default();
        *self.waiting.entry((deepest, asset)).or_default() |= set;
    }

    /// Takes the partitions of the asset, or of the assets of one op, that are furthest upstream.
    pub(super) fn pop_unit(&mut self) -> Option<Unit> {
        let ((_, asset), set) = self.waiting.pop_first()?;
        let assets = made_together(self.graph, asset);
        Some(Unit { assets, set })
    }
}

/// Returns the assets that are materialized whenever this one is, in the order of their keys.
fn made_together(graph: &AssetGraph, asset: AssetId) -> Vec<AssetId> {
    match graph.op_of(asset) {
        Some(op) if !graph.op(op).can_subset => {
            let mut assets: Vec<AssetId> = graph.assets_of(op).collect();
            assets.sort_unstable();
            assets
        }
        _ => vec![asset],
    }
}

/// Returns the level of each asset in its graph, by id.
pub(super) fn asset_levels(graph: &AssetGraph) -> Vec<u32> {
    let mut depths = vec![0; graph.len()];
    for (depth, level) in (0..).zip(graph.levels(&graph.all_assets())) {
        for asset in level {
            depths[asset.0 as usize] = depth;
        }
    }
    depths
}
