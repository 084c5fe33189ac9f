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

/// The number of layers.
pub const LAYERS: usize = 10;

/// The dependencies between layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// Each day depends on the same day.
    SameDay,
    /// In every other layer, each day depends on the same day and the day before.
    DayBefore,
}

/// Declares so many assets in ten layers. Each depends on two assets of the layer above and is in one of
/// ten groups; every seventh has a tag.
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

/// Builds the graph of [`declare`].
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

/// Returns the key of an asset by its layer and index.
///
/// # Panics
/// Never: the key is valid.
pub fn key(layer: usize, place: usize) -> AssetKey {
    AssetKey::new(format!("layer_{layer}/asset_{place:05}")).expect("a key")
}
