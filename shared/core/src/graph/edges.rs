//! Building the edges of a graph, each with its mapping.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    graph::{AssetId, Edge, GraphError, build::Assets},
    mapping::PartitionMapping,
};

/// The edges by the asset at one end, ordered by the asset at the other.
pub(super) struct Edges {
    pub(super) upstream: Vec<Vec<Edge>>,
    pub(super) downstream: Vec<Vec<Edge>>,
}

/// Connects every asset to its upstream assets.
pub(super) fn connect_assets(assets: &Assets<'_>, errors: &mut Vec<GraphError>) -> Edges {
    let mut upstream = Vec::with_capacity(assets.declared_at.len());
    let mut downstream = vec![Vec::new(); assets.declared_at.len()];
    for id in assets.ids() {
        let edges = edges_of(assets, id, errors);
        // Assets are visited in the order of their ids, so the lists downstream are sorted as well.
        for edge in &edges {
            downstream[edge.asset.index()].push(Edge {
                asset: id,
                ..edge.clone()
            });
        }
        upstream.push(edges);
    }
    Edges {
        upstream,
        downstream,
    }
}

/// Returns the edges from an asset to its upstream assets, one for each of them.
fn edges_of(assets: &Assets<'_>, id: AssetId, errors: &mut Vec<GraphError>) -> Vec<Edge> {
    let asset = assets.spec(id);
    let mut edges: BTreeMap<AssetId, Edge> = BTreeMap::new();
    for dep in &asset.deps {
        let key = || (asset.key.clone(), dep.asset.clone());
        let Some(&other) = assets.ids.get(&dep.asset) else {
            let (asset, upstream) = key();
            let nearest = assets.nearest(&upstream);
            errors.push(GraphError::UnknownUpstream {
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
        // An edge with an error is kept: later checks can still see its ends.
        if let Err(refusal) = mapping.validate(above, below) {
            let (asset, upstream) = key();
            let reason = refusal.to_string();
            errors.push(GraphError::Mapping {
                asset,
                upstream,
                reason,
            });
        }
        if other == id && !is_earlier_only(&mapping) {
            errors.push(GraphError::DependsOnItself {
                asset: asset.key.clone(),
            });
        }
        // The same dependency twice is harmless, with two mappings it is ambiguous.
        if edges
            .get(&other)
            .is_some_and(|first| first.mapping != *mapping)
        {
            let (asset, upstream) = key();
            errors.push(GraphError::ConflictingDeps { asset, upstream });
        }
        let edge = edges.entry(other).or_insert_with(|| Edge {
            asset: other,
            mapping: mapping.into_owned(),
            need: dep.need,
        });
        edge.need = edge.need.max(dep.need);
    }
    edges.into_values().collect()
}

/// Returns `true` if every partition is mapped to earlier ones only, so that an asset can depend on
/// itself. As in Dagster, both offsets have to be negative; with several dimensions, those of time.
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
