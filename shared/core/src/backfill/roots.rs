//! Where a backfill begins.

use crate::{
    backfill::{BackfillError, target::spread},
    graph::{AssetGraph, AssetSet},
    plan::{AssetPartitions, Lineage},
};

/// The assets of `of` that none of the others in `of` precedes, directly or through assets outside.
pub(super) fn sources(graph: &AssetGraph, of: &AssetSet) -> AssetSet {
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

/// The targeted partitions that the first wave considers: all of the assets without an upstream
/// asset in the target, and, as long as some targeted partitions are made from none of those, of the
/// first assets that have such partitions.
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
    loop {
        for (asset, set) in starts.iter() {
            reached = reached.or(&spread(lineage, asset, set, &assets)?.and(target));
        }
        roots = roots.or(&starts);
        let unreached = target.minus(&reached);
        if unreached.is_empty() {
            return Ok(roots);
        }
        let first = sources(graph, &unreached.assets().collect());
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
