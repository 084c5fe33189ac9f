//! [`may_wait_for_upstream`].

use crate::{graph::AssetGraph, selection::Selection};

/// Returns `true` if a target holds an asset whose partitions may exist before an upstream window that
/// they need, so that a run of it may have to wait.
///
/// A trigger without a declared target may request anything, and so does one whose target is invalid,
/// which is reported elsewhere.
pub fn may_wait_for_upstream(graph: &AssetGraph, target: Option<&Selection>) -> bool {
    let assets = target
        .and_then(|target| target.resolve(graph).ok())
        .unwrap_or_else(|| graph.all_assets());
    assets.iter().any(|asset| {
        graph.upstream(asset).iter().any(|edge| {
            edge.mapping
                .can_wait(graph.partitions(edge.asset), graph.partitions(asset))
        })
    })
}
