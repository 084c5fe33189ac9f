//! Partitions that wait: an upstream window that they need is to come.

use std::collections::BTreeSet;

use crate::{
    graph::{AssetId, Edge},
    mapping::PartitionMapping,
    partitions::PartitionSet,
    plan::{
        AssetPartitions, AssetStatuses, InclusionReason, LeftOut, LeftOutReason, Lineage,
        PlanError, lineage::AbsentUpstream, target::Target,
    },
};

/// Leaves out the partitions of a target that need an upstream window that is to come, and what
/// depends on them. They can be made once it exists; without it they would be made from a part of
/// their input.
///
/// # Errors
/// [`PlanError::UpstreamToCome`] when the request names such a partition itself, and
/// [`PlanError::NonexistentUpstream`] when an upstream partition can never exist.
pub(super) fn leave_out_waiting(
    lineage: Lineage<'_>,
    target: &mut Target,
    statuses: &AssetStatuses,
) -> Result<(), PlanError> {
    let graph = lineage.graph;
    let mut waiting = AssetPartitions::new();
    // An op that makes several assets at once may leave out partitions of an asset that was visited
    // already, so this repeats until nothing is added.
    loop {
        let before = waiting.len();
        for &asset in graph.topological() {
            if !target.pairs.contains_asset(asset) {
                continue;
            }
            for edge in graph.upstream(asset) {
                let set = target.pairs.of(asset).clone();
                if set.is_empty() {
                    break;
                }
                let Some((held, reason)) =
                    held_by(lineage, asset, &set, edge, target, &waiting, statuses)?
                else {
                    continue;
                };
                for member in made_together(lineage, asset) {
                    let left = target.pairs.of(member) & &held;
                    let rest = target.pairs.of(member) - &held;
                    target.pairs.set_partitions(member, rest);
                    waiting.add(member, &left);
                    add_left_out(lineage, target, member, left, &reason);
                }
            }
        }
        if waiting.len() == before {
            return Ok(());
        }
    }
}

/// Returns the partitions in `set` of an asset that wait along one edge, and the reason.
fn held_by(
    lineage: Lineage<'_>,
    asset: AssetId,
    set: &PartitionSet,
    edge: &Edge,
    target: &Target,
    waiting: &AssetPartitions,
    statuses: &AssetStatuses,
) -> Result<Option<(PartitionSet, LeftOutReason)>, PlanError> {
    let graph = lineage.graph;
    let (key, upstream) = (graph.key(asset).clone(), graph.key(edge.asset).clone());
    match lineage.absent_upstream(asset, set, edge)? {
        Some(AbsentUpstream {
            key: absent,
            to_come: false,
        }) => {
            return Err(PlanError::NonexistentUpstream {
                asset: key,
                upstream,
                key: absent,
                advice: edge
                    .mapping
                    .nonexistent_advice(graph.partitions(edge.asset)),
            });
        }
        Some(AbsentUpstream { key: absent, .. }) if is_named(lineage, asset, target) => {
            return Err(PlanError::UpstreamToCome {
                asset: key,
                upstream,
                key: absent,
            });
        }
        Some(AbsentUpstream { key: absent, .. }) => {
            let held = lineage.without_upstream_of(asset, set, edge)?;
            let reason = LeftOutReason::UpstreamToCome {
                upstream,
                key: absent,
            };
            return Ok((!held.is_empty()).then_some((held, reason)));
        }
        None => {}
    }
    // An upstream partition that waits itself, and has no earlier data to read. All of an asset's
    // partitions, or the last one, are those of the moment: they do not wait for each other.
    let missing = waiting.of(edge.asset) - statuses.materialized.of(edge.asset);
    let of_the_moment = matches!(edge.mapping, PartitionMapping::All | PartitionMapping::Last)
        || graph.partitions(asset).is_none();
    if of_the_moment || missing.is_empty() {
        return Ok(None);
    }
    let down = graph
        .downstream(edge.asset)
        .iter()
        .find(|e| e.asset == asset);
    let Some(down) = down else { return Ok(None) };
    let held = &lineage.to_downstream(edge.asset, &missing, down)? & set;
    let reason = LeftOutReason::UpstreamWaits { upstream };
    Ok((!held.is_empty()).then_some((held, reason)))
}

/// Returns true if the request names partitions of this asset and of nothing upstream of it: then
/// leaving one out would not be what was asked for.
fn is_named(lineage: Lineage<'_>, asset: AssetId, target: &Target) -> bool {
    let by_name = |asset: &AssetId| {
        matches!(
            target.why.get(asset),
            Some(InclusionReason::Keys | InclusionReason::Latest)
        )
    };
    let upstream = lineage.graph.upstream(asset).iter();
    by_name(&asset)
        && !upstream
            .map(|edge| edge.asset)
            .filter(|upstream| *upstream != asset)
            .any(|upstream| by_name(&upstream))
}

/// Returns an asset and those that its op makes at once with it.
fn made_together(lineage: Lineage<'_>, asset: AssetId) -> BTreeSet<AssetId> {
    let graph = lineage.graph;
    match graph.op_of(asset).filter(|op| !graph.op(*op).can_subset) {
        Some(op) => graph.assets_of(op).collect(),
        None => [asset].into(),
    }
}

fn add_left_out(
    lineage: Lineage<'_>,
    target: &mut Target,
    asset: AssetId,
    partitions: PartitionSet,
    reason: &LeftOutReason,
) {
    if !partitions.is_empty() {
        target.left_out.push(LeftOut {
            asset: lineage.graph.key(asset).clone(),
            partitions,
            reason: reason.clone(),
        });
    }
}

#[cfg(test)]
mod tests;
