//! The edges of the graph, each with its mapping.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    graph::{AssetId, Edge, GraphProblem, build::Assets},
    mapping::PartitionMapping,
};

/// The edges by the asset at one end, ordered by the asset at the other.
pub(super) struct Edges {
    pub(super) upstream: Vec<Vec<Edge>>,
    pub(super) downstream: Vec<Vec<Edge>>,
}

/// Joins every asset to what it is made from.
pub(super) fn connect(assets: &Assets<'_>, problems: &mut Vec<GraphProblem>) -> Edges {
    let mut upstream = Vec::with_capacity(assets.places.len());
    let mut downstream = vec![Vec::new(); assets.places.len()];
    for id in assets.ids() {
        let edges = edges_of(assets, id, problems);
        for edge in &edges {
            let mapping = edge.mapping.clone();
            downstream[edge.asset.index()].push(Edge { asset: id, mapping });
        }
        upstream.push(edges);
    }
    Edges {
        upstream,
        downstream,
    }
}

fn edges_of(assets: &Assets<'_>, id: AssetId, problems: &mut Vec<GraphProblem>) -> Vec<Edge> {
    let asset = assets.spec(id);
    let mut edges: BTreeMap<AssetId, PartitionMapping> = BTreeMap::new();
    for dep in &asset.deps {
        let key = || (asset.key.clone(), dep.asset.clone());
        let Some(&other) = assets.ids.get(&dep.asset) else {
            let (asset, upstream) = key();
            let nearest = assets.nearest(&upstream);
            problems.push(GraphProblem::UnknownUpstream {
                asset,
                upstream,
                nearest,
            });
            continue;
        };
        let above = assets.spec(other).partitions.as_deref();
        let below = asset.partitions.as_deref();
        let mapping = match &dep.mapping {
            Some(mapping) => Cow::Borrowed(mapping),
            None => Cow::Owned(PartitionMapping::infer(above, below)),
        };
        if let Err(refusal) = mapping.validate(above, below) {
            let (asset, upstream) = key();
            let reason = refusal.to_string();
            problems.push(GraphProblem::Mapping {
                asset,
                upstream,
                reason,
            });
        }
        if other == id && !is_earlier_only(&mapping) {
            problems.push(GraphProblem::DependsOnItself {
                asset: asset.key.clone(),
            });
        }
        if edges.get(&other).is_some_and(|first| *first != *mapping) {
            let (asset, upstream) = key();
            problems.push(GraphProblem::ConflictingDeps { asset, upstream });
        }
        edges.entry(other).or_insert_with(|| mapping.into_owned());
    }
    edges
        .into_iter()
        .map(|(asset, mapping)| Edge { asset, mapping })
        .collect()
}

/// Whether every partition is mapped to earlier ones only, which is what lets an asset depend on
/// itself. As in Dagster, both offsets have to be negative; of several dimensions, that of time.
fn is_earlier_only(mapping: &PartitionMapping) -> bool {
    match mapping {
        PartitionMapping::TimeWindow {
            start_offset,
            end_offset,
            ..
        } => *start_offset < 0 && *end_offset < 0,
        PartitionMapping::Multi { dims } => dims.iter().any(|(name, dimension)| {
            dimension.downstream_dimension == *name
                && matches!(dimension.mapping, PartitionMapping::TimeWindow { .. })
                && is_earlier_only(&dimension.mapping)
        }),
        _ => false,
    }
}
