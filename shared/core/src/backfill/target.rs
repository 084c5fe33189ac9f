//! What a backfill is asked to make.

use std::collections::VecDeque;

use crate::{
    backfill::{BackfillError, roots::sources},
    graph::{AssetId, AssetSet},
    partitions::{PartitionKey, PartitionSet},
    plan::{AssetPartitions, Lineage},
};

/// The target of a backfill that is given by assets and partition keys. As in Dagster the keys are
/// those of the partitioned assets that come first, which have to share one definition; the other
/// assets get the partitions that are made from those. Unpartitioned assets are always in.
///
/// # Errors
/// [`BackfillError`] when the first assets differ, or a key names none of their partitions.
pub fn named(
    lineage: Lineage<'_>,
    assets: &AssetSet,
    keys: &[PartitionKey],
) -> Result<AssetPartitions, BackfillError> {
    let graph = lineage.graph;
    let partitioned: AssetSet = assets
        .iter()
        .filter(|asset| graph.partitions(*asset).is_some())
        .collect();
    let roots = sources(graph, &partitioned);
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
        target = target.or(&spread(lineage, root, &set, &partitioned)?);
    }
    Ok(target)
}

/// `set` of `root`, and what is made from it without leaving `within`. An asset that two ways lead to
/// is followed on with what the earlier way brought, which is how Dagster does it.
pub(super) fn spread(
    lineage: Lineage<'_>,
    root: AssetId,
    set: &PartitionSet,
    within: &AssetSet,
) -> Result<AssetPartitions, BackfillError> {
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
