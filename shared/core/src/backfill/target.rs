//! The target of a backfill.

use std::collections::VecDeque;

use crate::{
    backfill::{BackfillError, roots::source_assets},
    graph::{AssetId, AssetSet},
    partitions::{PartitionKey, PartitionSet},
    plan::{AssetPartitions, Lineage},
};

/// Returns the target of a backfill that names assets and partition keys. As in Dagster, the keys
/// are those of the partitioned root assets, which have to share one definition; the other
/// partitioned assets get the partitions downstream of those. Unpartitioned assets are always part
/// of the target.
///
/// # Errors
/// [`BackfillError`] when the root assets differ, or a key names none of their partitions.
pub fn target_by_keys(
    lineage: Lineage<'_>,
    assets: &AssetSet,
    keys: &[PartitionKey],
) -> Result<AssetPartitions, BackfillError> {
    let graph = lineage.graph;
    let partitioned: AssetSet = assets
        .iter()
        .filter(|asset| graph.partitions(*asset).is_some())
        .collect();
    let roots = source_assets(graph, &partitioned);
    let mut all = roots.iter();
    let first = all.next().ok_or(BackfillError::NotPartitioned)?;
    if let Some(second) = all.find(|other| graph.partitions(*other) != graph.partitions(first)) {
        return Err(BackfillError::RootsDiffer {
            first: graph.key(first).clone(),
            second: graph.key(second).clone(),
        });
    }
    let definition = graph
        .partitions(first)
        .ok_or(BackfillError::NotPartitioned)?;
    let mut set = PartitionSet::empty();
    for key in keys {
        let ordinal = definition.ordinal(key, lineage.context).map_err(|source| {
            BackfillError::UnknownPartition {
                asset: graph.key(first).clone(),
                source,
            }
        })?;
        set.insert(ordinal);
    }
    let unpartitioned = assets - &partitioned;
    let mut target: AssetPartitions = unpartitioned
        .iter()
        .map(|asset| (asset, PartitionSet::single(0)))
        .collect();
    for root in roots.iter() {
        target = target.union(&spread_downstream(lineage, root, &set, &partitioned)?);
    }
    Ok(target)
}

/// Returns `set` of `root`, and everything downstream of it without leaving `within`.
pub(super) fn spread_downstream(
    lineage: Lineage<'_>,
    root: AssetId,
    set: &PartitionSet,
    within: &AssetSet,
) -> Result<AssetPartitions, BackfillError> {
    // As in Dagster, an asset is visited once: partitions that a second path adds later do not
    // propagate further.
    let mut queued = AssetPartitions::from_iter([(root, set.clone())]);
    let mut seen = AssetSet::from(root);
    let mut queue = VecDeque::from([root]);
    let mut reached = AssetPartitions::new();
    while let Some(asset) = queue.pop_front() {
        if !within.contains(asset) {
            continue;
        }
        let set = queued.of(asset).clone();
        reached.add(asset, &set);
        for edge in lineage.graph.downstream(asset) {
            let below = lineage.to_downstream(asset, &set, edge)?;
            queued.add(edge.asset, &below);
            if seen.insert(edge.asset) {
                queue.push_back(edge.asset);
            }
        }
    }
    Ok(reached)
}
