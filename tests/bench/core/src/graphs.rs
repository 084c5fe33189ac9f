//! Layered graphs of assets that share one definition of days.

use std::sync::Arc;

use precip_core::{
    automation::AutomationCondition,
    graph::AssetGraph,
    key::AssetKey,
    mapping::PartitionMapping,
    partitions::PartitionsDefinition,
    spec::{AssetSpec, DepSpec, GroupName, OpSpec, TagKey, TagValue},
};

/// How deep the graphs are.
pub const LAYERS: usize = 10;

/// How the layers hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// Each day is made from the same day.
    SameDay,
    /// In every other layer, each day is made from the same day and the one before.
    DayBefore,
}

/// Declares so many assets in ten layers: each is made from two of the layer above, bears one of ten
/// groups and, every seventh, a tag.
///
/// # Panics
/// Never: every name is valid.
pub fn declare(
    assets: usize,
    definition: &PartitionsDefinition,
    edges: Edges,
    condition: Option<&AutomationCondition>,
) -> Vec<OpSpec> {
    let definition = Arc::new(definition.clone());
    let width = assets.div_ceil(LAYERS);
    let before = PartitionMapping::TimeWindow {
        start_offset: -1,
        end_offset: 0,
        allow_nonexistent_upstream_partitions: true,
    };
    (0..assets)
        .map(|number| {
            let (layer, place) = (number / width, number % width);
            let mut asset = AssetSpec::new(key(layer, place));
            asset.partitions = Some(Arc::clone(&definition));
            asset.group = GroupName::new(format!("group_{}", number % 10)).expect("a group");
            if number % 7 == 0 {
                let name = TagKey::new("sensitive").expect("a tag");
                asset.tags.insert(name, TagValue::new("").expect("a value"));
            }
            asset.automation = condition.cloned();
            if layer > 0 {
                let above = [place, (place * 7 + layer) % width];
                let mapping = (edges == Edges::DayBefore && layer % 2 == 1).then_some(&before);
                let mut keys: Vec<AssetKey> = above.map(|above| key(layer - 1, above)).into();
                keys.dedup();
                asset.deps = keys
                    .into_iter()
                    .map(|asset| DepSpec::new(asset).with_mapping(mapping.cloned()))
                    .collect();
            }
            OpSpec::single(asset)
        })
        .collect()
}

/// The graph of [`declare`].
///
/// # Panics
/// Never: what is declared is a graph.
pub fn layered(
    assets: usize,
    definition: &PartitionsDefinition,
    edges: Edges,
    condition: Option<&AutomationCondition>,
) -> AssetGraph {
    AssetGraph::new(declare(assets, definition, edges, condition), Vec::new()).expect("a graph")
}

/// The key of an asset by its place.
///
/// # Panics
/// Never: the key is valid.
pub fn key(layer: usize, place: usize) -> AssetKey {
    AssetKey::new(format!("layer_{layer}/asset_{place:05}")).expect("a key")
}
