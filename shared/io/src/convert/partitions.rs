//! [`Partitions`].

use indexmap::IndexMap;
use precip_core::partitions::PartitionKey;
use precip_engine::asset::{InputNeeds, LoadedInput};

use super::{ConvertError, FromAsset, error::short_type_name};

/// Values by partition key, in order: several upstream partitions as one parameter, or the partitions
/// that one invocation returns under a batching backfill policy.
///
/// ```
/// use precip_io::Partitions;
///
/// let mut made = Partitions::new();
/// made.insert("2013-01-01", vec![842]);
/// made.insert("2013-01-02", vec![943]);
/// assert_eq!(made["2013-01-02"], [943]);
/// let keys: Vec<&str> = made.keys().map(|key| key.as_str()).collect();
/// assert_eq!(keys, ["2013-01-01", "2013-01-02"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partitions<T>(IndexMap<PartitionKey, T>);

impl<T> Partitions<T> {
    /// Creates an empty collection.
    pub fn new() -> Self {
        Self(IndexMap::new())
    }

    /// Adds a partition at the end, and returns the previous value of the same key.
    pub fn insert(&mut self, key: impl Into<PartitionKey>, value: T) -> Option<T> {
        self.0.insert(key.into(), value)
    }

    /// Returns the value of a partition.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.0.get(key)
    }

    /// Returns the number of partitions.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns `true` if there are no partitions.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Iterates over keys and values, in order.
    pub fn iter(&self) -> indexmap::map::Iter<'_, PartitionKey, T> {
        self.0.iter()
    }

    /// Iterates over the keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &PartitionKey> {
        self.0.keys()
    }

    /// Iterates over the values, in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &T> {
        self.0.values()
    }
}

impl<T> Default for Partitions<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> std::ops::Index<&str> for Partitions<T> {
    type Output = T;

    fn index(&self, key: &str) -> &T {
        &self.0[key]
    }
}

impl<T> IntoIterator for Partitions<T> {
    type Item = (PartitionKey, T);
    type IntoIter = indexmap::map::IntoIter<PartitionKey, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Partitions<T> {
    type Item = (&'a PartitionKey, &'a T);
    type IntoIter = indexmap::map::Iter<'a, PartitionKey, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<K: Into<PartitionKey>, T> FromIterator<(K, T)> for Partitions<T> {
    fn from_iter<I: IntoIterator<Item = (K, T)>>(partitions: I) -> Self {
        Self(
            partitions
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
    }
}

impl<P: FromAsset> FromAsset for Partitions<P> {
    fn needs() -> InputNeeds {
        InputNeeds {
            many: true,
            ..P::needs()
        }
    }

    fn from_asset(input: LoadedInput) -> Result<Self, ConvertError> {
        let asset = input.asset;
        let read = |part: precip_engine::asset::LoadedPart| {
            let key = part.partition.clone().ok_or_else(|| {
                ConvertError::new(format!(
                    "it has no partitions; take `{}`",
                    short_type_name::<P>()
                ))
                .at(&asset, None)
            })?;
            // Each partition is read as if it were the only one: `P` then refuses what it would refuse alone.
            let alone = LoadedInput {
                asset: asset.clone(),
                parts: vec![part],
            };
            P::from_asset(alone).map(|value| (key, value))
        };
        input.parts.into_iter().map(read).collect()
    }
}
