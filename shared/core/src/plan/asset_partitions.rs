//! [`AssetPartitions`]: a set of (asset, partition) pairs of one graph.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::OnceLock,
};

use crate::{
    graph::{AssetGraph, AssetId, AssetSet},
    partitions::{PartitionContext, PartitionSet},
};

/// A set of (asset, partition) pairs of one graph, kept as one partition set for each asset. An
/// unpartitioned asset has the single ordinal 0.
///
/// ```
/// use precip_core::{graph::AssetId, partitions::PartitionSet, plan::AssetPartitions};
///
/// let mut january = AssetPartitions::new();
/// january.add(AssetId(0), &PartitionSet::from(0..31));
/// january.add(AssetId(1), &PartitionSet::from(0..31));
/// let done = AssetPartitions::from_iter([(AssetId(0), PartitionSet::from(0..30))]);
/// assert_eq!(january.difference(&done).len(), 32);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AssetPartitions(BTreeMap<AssetId, PartitionSet>);

impl AssetPartitions {
    /// Creates an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns every existing partition of some assets.
    pub fn all_existing(graph: &AssetGraph, assets: &AssetSet, context: &PartitionContext) -> Self {
        assets
            .iter()
            .map(|asset| (asset, all_partitions(graph, asset, context)))
            .collect()
    }

    /// Returns the partitions of one asset; the empty set when it has none here.
    pub fn of(&self, asset: AssetId) -> &PartitionSet {
        static NONE: OnceLock<PartitionSet> = OnceLock::new();
        self.0
            .get(&asset)
            .unwrap_or_else(|| NONE.get_or_init(PartitionSet::empty))
    }

    /// Returns `true` if the set contains one pair.
    pub fn contains(&self, asset: AssetId, ordinal: u64) -> bool {
        self.of(asset).contains(ordinal)
    }

    /// Returns `true` if the set contains any partition of an asset.
    pub fn contains_asset(&self, asset: AssetId) -> bool {
        self.0.contains_key(&asset)
    }

    /// Adds partitions of an asset.
    pub fn add(&mut self, asset: AssetId, partitions: &PartitionSet) {
        if partitions.is_empty() {
            return;
        }
        match self.0.entry(asset) {
            Entry::Vacant(free) => {
                free.insert(partitions.clone());
            }
            Entry::Occupied(mut set) => *set.get_mut() |= partitions,
        }
    }

    /// Adds one pair. Returns `false` if it was present already.
    pub fn insert(&mut self, asset: AssetId, ordinal: u64) -> bool {
        self.0.entry(asset).or_default().insert(ordinal)
    }

    /// Replaces the partitions of an asset; an empty set removes the asset.
    pub fn set_partitions(&mut self, asset: AssetId, partitions: PartitionSet) {
        if partitions.is_empty() {
            self.0.remove(&asset);
        } else {
            self.0.insert(asset, partitions);
        }
    }

    /// Returns the number of pairs.
    pub fn len(&self) -> u64 {
        self.0.values().map(PartitionSet::len).sum()
    }

    /// Returns `true` if the set contains no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Iterates over the assets that have any partition, in the order of their keys.
    pub fn assets(&self) -> impl Iterator<Item = AssetId> + '_ {
        self.0.keys().copied()
    }

    /// Iterates over the assets and their partitions, in the order of the asset keys.
    pub fn iter(&self) -> impl Iterator<Item = (AssetId, &PartitionSet)> {
        self.0.iter().map(|(asset, set)| (*asset, set))
    }

    /// Returns the pairs in `self`, in `other` or in both.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        for (asset, set) in other.iter() {
            self.add(asset, set);
        }
        self
    }

    /// Returns the pairs in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.iter()
            .map(|(asset, set)| (asset, set & other.of(asset)))
            .collect()
    }

    /// Returns the pairs in `self` that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.iter()
            .map(|(asset, set)| match other.0.get(&asset) {
                Some(taken) => (asset, set - taken),
                None => (asset, set.clone()),
            })
            .collect()
    }
}

impl FromIterator<(AssetId, PartitionSet)> for AssetPartitions {
    fn from_iter<I: IntoIterator<Item = (AssetId, PartitionSet)>>(pairs: I) -> Self {
        let mut all = Self::new();
        for (asset, set) in pairs {
            all.add(asset, &set);
        }
        all
    }
}

/// Returns every existing partition of an asset.
pub(crate) fn all_partitions(
    graph: &AssetGraph,
    asset: AssetId,
    context: &PartitionContext,
) -> PartitionSet {
    match graph.partitions(asset) {
        Some(definition) => definition.all(context),
        None => PartitionSet::single(0),
    }
}
