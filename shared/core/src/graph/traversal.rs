//! Traversing a graph: ancestors, descendants, roots, sinks and levels.

use crate::graph::{AssetGraph, AssetId, AssetSet, Edge};

impl AssetGraph {
    /// Returns every asset.
    pub fn all_assets(&self) -> AssetSet {
        AssetSet::first_assets(AssetId::from_index(self.len()).0)
    }

    /// Returns `from` and its upstream assets, up to `depth` edges away (`None` for no limit).
    pub fn ancestors(&self, from: &AssetSet, depth: Option<u32>) -> AssetSet {
        reachable_assets(from, depth, &self.upstream)
    }

    /// Returns `from` and its downstream assets, up to `depth` edges away (`None` for no limit).
    pub fn descendants(&self, from: &AssetSet, depth: Option<u32>) -> AssetSet {
        reachable_assets(from, depth, &self.downstream)
    }

    /// Returns every asset of an op: all but the external ones.
    pub fn materializable(&self) -> AssetSet {
        self.ids().filter(|id| !self.is_external(*id)).collect()
    }

    /// Returns the assets of `of` with no other asset of `of` upstream, directly or through assets
    /// outside `of`. As Dagster's `roots`.
    pub fn roots(&self, of: &AssetSet) -> AssetSet {
        outermost_assets(of, self.order.iter().copied(), &self.upstream)
    }

    /// Returns the assets of `of` with no other asset of `of` downstream, directly or through
    /// assets outside `of`. As Dagster's `sinks`.
    pub fn sinks(&self, of: &AssetSet) -> AssetSet {
        outermost_assets(of, self.order.iter().rev().copied(), &self.downstream)
    }

    /// Divides the assets of `of` into levels: each asset is in the first level after all of its
    /// upstream assets in `of`. Paths through assets outside `of` do not count.
    pub fn levels(&self, of: &AssetSet) -> Vec<Vec<AssetId>> {
        let mut depth = vec![0; self.len()];
        let mut levels: Vec<Vec<AssetId>> = Vec::new();
        for id in self.order.iter().copied().filter(|id| of.contains(*id)) {
            let upstream = self.upstream(id).iter().map(|edge| edge.asset);
            let level = upstream
                .filter(|other| *other != id && of.contains(*other))
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

/// Returns `from` and everything that edges lead to, breadth first, up to a depth.
fn reachable_assets(from: &AssetSet, depth: Option<u32>, edges: &[Vec<Edge>]) -> AssetSet {
    // Each round advances the front by one edge; reached assets are not visited again.
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

/// Returns the assets of `of` that no other asset of `of` precedes. `order` visits the assets, and
/// `edges` leads from each to those before it.
fn outermost_assets(
    of: &AssetSet,
    order: impl Iterator<Item = AssetId>,
    edges: &[Vec<Edge>],
) -> AssetSet {
    let mut behind = vec![false; edges.len()];
    let mut outermost = AssetSet::new();
    for id in order {
        // In topological order, so that `behind` is known for every neighbour before.
        let mut before = edges[id.index()]
            .iter()
            .map(|edge| edge.asset)
            .filter(|other| *other != id);
        behind[id.index()] = before.any(|other| behind[other.index()] || of.contains(other));
        if !behind[id.index()] && of.contains(id) {
            outermost.insert(id);
        }
    }
    outermost
}
