//! The roots of a backfill.

use crate::{
    backfill::{BackfillError, target::spread_downstream},
    graph::{AssetGraph, AssetSet},
    plan::{AssetPartitions, Lineage},
};

/// Returns the assets of `of` with no other asset of `of` upstream, directly or through assets
/// outside.
pub(super) fn source_assets(graph: &AssetGraph, of: &AssetSet) -> AssetSet {
    let mut below = AssetSet::new();
    for &asset in graph.topological() {
        let mut above = graph
            .upstream(asset)
            .iter()
            .map(|edge| edge.asset)
            .filter(|other| *other != asset);
        if above.any(|other| of.contains(other) || below.contains(other)) {
            below.insert(asset);
        }
    }
    of - &below
}

/// Returns the targeted partitions that the first wave considers: all partitions of the assets
/// without an upstream asset in the target; and, as long as these do not lead to every targeted
/// partition, the unreached partitions of the assets furthest upstream.
pub(super) fn target_roots(
    lineage: Lineage<'_>,
    target: &AssetPartitions,
) -> Result<AssetPartitions, BackfillError> {
    let graph = lineage.graph;
    let assets: AssetSet = target.assets().collect();
    let mut roots = AssetPartitions::new();
    let mut reached = AssetPartitions::new();
    let mut starts: AssetPartitions = graph
        .roots(&assets)
        .iter()
        .map(|asset| (asset, target.of(asset).clone()))
        .collect();
    // Each round reaches at least its own starts, so the unreached rest shrinks and the loop ends.
    loop {
        for (asset, set) in starts.iter() {
            reached = reached
                .union(&spread_downstream(lineage, asset, set, &assets)?.intersection(target));
        }
        roots = roots.union(&starts);
        let unreached = target.difference(&reached);
        if unreached.is_empty() {
            return Ok(roots);
        }
        let first = source_assets(graph, &unreached.assets().collect());
        let next: AssetPartitions = first
            .iter()
            .map(|asset| (asset, unreached.of(asset).clone()))
            .collect();
        if next.is_empty() {
            return match unreached.assets().next() {
                Some(asset) => Err(BackfillError::NoRoots {
                    asset: graph.key(asset).clone(),
                }),
                None => Ok(roots),
            };
        }
        starts = next;
    }
}
