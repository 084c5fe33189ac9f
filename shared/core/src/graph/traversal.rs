//! Walking the graph: what is above, what is below, and how deep.

use crate::graph::{AssetGraph, AssetId, AssetSet, Edge};

impl AssetGraph {
    /// Every asset.
    pub fn all(&self) -> AssetSet {
        AssetSet::first(AssetId::at(self.len()).0)
    }

    /// `from`, and what it is made from, up to `depth` edges away (`None`: all the way).
    pub fn ancestors(&self, from: &AssetSet, depth: Option<u32>) -> AssetSet {
        reach(from, depth, &self.upstream)
    }

    /// `from`, and what is made from it, up to `depth` edges away (`None`: all the way).
    pub fn descendants(&self, from: &AssetSet, depth: Option<u32>) -> AssetSet {
        reach(from, depth, &self.downstream)
    }

    /// Every asset that an op makes: all but the external ones.
    pub fn materializable(&self) -> AssetSet {
        self.ids().filter(|id| !self.is_external(*id)).collect()
    }

    /// The assets of `of` with none of the others in `of` anywhere upstream, be it by way of assets
    /// outside `of`. As Dagster's `roots`.
    pub fn roots(&self, of: &AssetSet) -> AssetSet {
        outermost(of, self.order.iter().copied(), &self.upstream)
    }

    /// The assets of `of` with none of the others in `of` anywhere downstream, be it by way of
    /// assets outside `of`. As Dagster's `sinks`.
    pub fn sinks(&self, of: &AssetSet) -> AssetSet {
        outermost(of, self.order.iter().rev().copied(), &self.downstream)
    }

    /// The assets of `of` in levels: each level is made from the earlier ones only, and each asset
    /// is in the first level it can be in. Paths through assets outside `of` do not count.
    pub fn levels(&self, of: &AssetSet) -> Vec<Vec<AssetId>> {
        let mut depth = vec![0; self.len()];
        let mut levels: Vec<Vec<AssetId>> = Vec::new();
        for id in self.order.iter().copied().filter(|id| of.contains(*id)) {
            let above = self.upstream(id).iter().map(|edge| edge.asset);
            let above = above.filter(|other| *other != id && of.contains(*other));
            let level = above
                .map(|other| depth[other.index()] + 1)
                .max()
                .unwrap_or(0);
            depth[id.index()] = level;
            if levels.len() <= level {
                levels.push(Vec::new());
            }
            levels[level].push(id);
        }
        levels.iter_mut().for_each(|level| level.sort_unstable());
        levels
    }
}

fn reach(from: &AssetSet, depth: Option<u32>, edges: &[Vec<Edge>]) -> AssetSet {
    let mut reached = from.clone();
    let mut front: Vec<AssetId> = from.iter().collect();
    let mut left = depth;
    while !front.is_empty() && left != Some(0) {
        let next = front
            .iter()
            .flat_map(|id| &edges[id.index()])
            .map(|edge| edge.asset);
        front = next.filter(|id| reached.insert(*id)).collect();
        left = left.map(|left| left - 1);
    }
    reached
}

/// Those of `of` that no other of `of` comes before; `order` and `edges` say what is before.
fn outermost(of: &AssetSet, order: impl Iterator<Item = AssetId>, edges: &[Vec<Edge>]) -> AssetSet {
    let mut behind = vec![false; edges.len()];
    let mut outermost = AssetSet::new();
    for id in order {
        let before = edges[id.index()]
            .iter()
            .map(|edge| edge.asset)
            .filter(|other| *other != id);
        behind[id.index()] = before
            .into_iter()
            .any(|other| behind[other.index()] || of.contains(other));
        if !behind[id.index()] && of.contains(id) {
            outermost.insert(id);
        }
    }
    outermost
}
