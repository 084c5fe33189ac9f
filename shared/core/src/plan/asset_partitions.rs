//! [`AssetPartitions`]: some of the (asset, partition) pairs of one graph.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::OnceLock,
};

use crate::{
    graph::{AssetGraph, AssetId, AssetSet},
    partitions::{PartitionContext, PartitionSet},
};

/// Some of the (asset, partition) pairs of one graph: a partition set for each asset that has any.
/// An unpartitioned asset has the one ordinal 0.
///
/// ```
/// use precip_core::{graph::AssetId, partitions::PartitionSet, plan::AssetPartitions};
///
/// let mut january = AssetPartitions::new();
/// january.add(AssetId(0), &PartitionSet::from(0..31));
/// january.add(AssetId(1), &PartitionSet::from(0..31));
/// let done = AssetPartitions::from_iter([(AssetId(0), PartitionSet::from(0..30))]);
/// assert_eq!(january.minus(&done).len(), 32);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AssetPartitions(BTreeMap<AssetId, PartitionSet>);

impl AssetPartitions {
    /// No pair.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every partition that exists of these assets.
    pub fn all(graph: &AssetGraph, assets: &AssetSet, context: &PartitionContext) -> Self {
        assets
            .iter()
            .map(|asset| (asset, every(graph, asset, context)))
            .collect()
    }

    /// The partitions of one asset.
    pub fn of(&self, asset: AssetId) -> &PartitionSet {
        static NONE: OnceLock<PartitionSet> = OnceLock::new();
        self.0
            .get(&asset)
            .unwrap_or_else(|| NONE.get_or_init(PartitionSet::empty))
    }

    /// Whether one pair is in.
    pub fn contains(&self, asset: AssetId, ordinal: u64) -> bool {
        self.of(asset).contains(ordinal)
    }

    /// Whether any partition of an asset is in.
    pub fn has(&self, asset: AssetId) -> bool {
        self.0.contains_key(&asset)
    }

    /// Puts partitions of an asset in.
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

    /// Puts one pair in; answers whether it was new.
    pub fn insert(&mut self, asset: AssetId, ordinal: u64) -> bool {
        self.0.entry(asset).or_default().insert(ordinal)
    }

    /// Replaces the partitions of an asset.
    pub fn set(&mut self, asset: AssetId, partitions: PartitionSet) {
        if partitions.is_empty() {
            self.0.remove(&asset);
        } else {
            self.0.insert(asset, partitions);
        }
    }

    /// How many pairs there are.
    pub fn len(&self) -> u64 {
        self.0.values().map(PartitionSet::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The assets that have any, in the order of their keys.
    pub fn assets(&self) -> impl Iterator<Item = AssetId> + '_ {
        self.0.keys().copied()
    }

    /// Each asset that has any with its partitions, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (AssetId, &PartitionSet)> {
        self.0.iter().map(|(asset, set)| (*asset, set))
    }

    /// What is in either.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        for (asset, set) in other.iter() {
            self.add(asset, set);
        }
        self
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.iter()
            .map(|(asset, set)| (asset, set & other.of(asset)))
            .collect()
    }

    /// What is in this and not in the other.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
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

/// Every partition of an asset that exists.
pub(crate) fn every(
    graph: &AssetGraph,
    asset: AssetId,
    context: &PartitionContext,
) -> PartitionSet {
    match graph.partitions(asset) {
        Some(definition) => definition.all(context),
        None => PartitionSet::single(0),
    }
}
