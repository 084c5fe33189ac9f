//! [`Queue`]: what a wave still has to look at, upstream first.

use std::collections::BTreeMap;

use crate::{
    graph::{AssetGraph, AssetId},
    partitions::PartitionSet,
    plan::AssetPartitions,
};

/// Partitions to look at, those of upstream assets first. The assets of an op that has to make all
/// of them at once come together.
pub(super) struct Queue<'a> {
    graph: &'a AssetGraph,
    levels: &'a [u32],
    waiting: BTreeMap<(u32, AssetId), PartitionSet>,
}

/// Partitions of assets that have to be made together: the same of each.
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
            queue.push(asset, set);
        }
        queue
    }

    pub(super) fn push(&mut self, asset: AssetId, set: &PartitionSet) {
        let together = made_together(self.graph, asset);
        let level = together.iter().map(|asset| self.levels[asset.0 as usize]);
        let level = level.max().unwrap_or_default();
        *self.waiting.entry((level, asset)).or_default() |= set;
    }

    pub(super) fn pop(&mut self) -> Option<Unit> {
        let ((_, asset), set) = self.waiting.pop_first()?;
        let assets = made_together(self.graph, asset);
        Some(Unit { assets, set })
    }
}

/// The assets that are made whenever this one is, in the order of their keys.
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

/// How deep in its graph each asset is, by id.
pub(super) fn levels(graph: &AssetGraph) -> Vec<u32> {
    let mut depths = vec![0; graph.len()];
    for (depth, level) in (0..).zip(graph.levels(&graph.all())) {
        for asset in level {
            depths[asset.0 as usize] = depth;
        }
    }
    depths
}
