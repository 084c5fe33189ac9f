//! [`MultiPartitions`]: the product of several dimensions.

mod boxes;
mod invalid;
mod layout;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::layout::Layout;
pub use self::{boxes::PartitionBox, invalid::InvalidMultiPartitions};
use super::{
    MultiPartitionKey, PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition,
    TimeWindowPartitions,
};

/// The separator of the dimensions' keys in a joined key.
pub(crate) const SEPARATOR: char = '|';

/// The product of two or more named dimensions, each a partitions definition of its own.
///
/// Dimensions are ordered by *name*, whatever order they were given in: a key is the dimensions'
/// keys joined by `|` in that order, and keys are enumerated with the last dimension fastest.
/// Dagster stops at two dimensions; here any number is allowed.
///
/// Ordinals have another order: an ordinal is a mixed-radix number in which the dimensions that
/// cannot grow are the fast digits, so a new window or a new dynamic key never changes an ordinal
/// in use.
///
/// ```
/// use precip_core::partitions::{
///     MultiPartitions, PartitionContext, PartitionsDefinition, StaticPartitions,
/// };
///
/// let by_size_and_color = PartitionsDefinition::from(MultiPartitions::new([
///     ("size", StaticPartitions::new(["S", "L"])?.into()),
///     ("color", StaticPartitions::new(["red", "blue"])?.into()),
/// ])?);
/// let context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH);
/// let all = by_size_and_color.all(&context);
/// let keys: Vec<String> =
///     by_size_and_color.keys(&all, &context).map(|key| key.to_string()).collect();
/// assert_eq!(keys, ["red|S", "red|L", "blue|S", "blue|L"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Repr", into = "Repr")]
pub struct MultiPartitions {
    dimensions: BTreeMap<String, Arc<PartitionsDefinition>>,
    layout: Layout,
}

/// The serialized form of a definition, before validation.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Repr {
    dimensions: BTreeMap<String, Arc<PartitionsDefinition>>,
}

impl TryFrom<Repr> for MultiPartitions {
    type Error = InvalidMultiPartitions;

    fn try_from(repr: Repr) -> Result<Self, InvalidMultiPartitions> {
        Self::from_shared(repr.dimensions)
    }
}

impl From<MultiPartitions> for Repr {
    fn from(partitions: MultiPartitions) -> Self {
        Self {
            dimensions: partitions.dimensions,
        }
    }
}

impl PartialEq for MultiPartitions {
    fn eq(&self, other: &Self) -> bool {
        self.dimensions == other.dimensions
    }
}

impl MultiPartitions {
    /// Creates the product of named dimensions.
    ///
    /// # Errors
    /// [`InvalidMultiPartitions`] for fewer than two dimensions, an empty or duplicate name, a
    /// dimension that is multi-dimensional itself, and keys that would make a joined key ambiguous.
    pub fn new<N: Into<String>>(
        dimensions: impl IntoIterator<Item = (N, PartitionsDefinition)>,
    ) -> Result<Self, InvalidMultiPartitions> {
        let mut by_name = BTreeMap::new();
        for (name, dimension) in dimensions {
            let dimension_name = name.into();
            let definition = Arc::new(dimension);
            if by_name.insert(dimension_name.clone(), definition).is_some() {
                return Err(InvalidMultiPartitions::DuplicateDimension {
                    dimension: dimension_name,
                });
            }
        }
        Self::from_shared(by_name)
    }

    fn from_shared(
        dimensions: BTreeMap<String, Arc<PartitionsDefinition>>,
    ) -> Result<Self, InvalidMultiPartitions> {
        invalid::check_dimensions(&dimensions)?;
        let layout = Layout::for_dimensions(&dimensions)?;
        Ok(Self { dimensions, layout })
    }

    /// Returns the names and definitions of the dimensions, ordered by name.
    pub fn dimensions(
        &self,
    ) -> impl ExactSizeIterator<Item = (&str, &PartitionsDefinition)> + DoubleEndedIterator {
        self.dimensions
            .iter()
            .map(|(name, dimension)| (name.as_str(), &**dimension))
    }

    /// Returns the definition of one dimension.
    pub fn dimension(&self, name: &str) -> Option<&PartitionsDefinition> {
        self.dimensions.get(name).map(|dimension| &**dimension)
    }

    /// Returns the position of a dimension in the order of names.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.dimensions
            .keys()
            .position(|dimension| dimension == name)
    }

    /// Returns the dimension of time windows, if there is exactly one.
    pub fn time_dimension(&self) -> Option<(&str, &TimeWindowPartitions)> {
        let mut windows = self
            .dimensions()
            .filter_map(|(name, dimension)| match dimension {
                PartitionsDefinition::TimeWindow(windows) => Some((name, windows)),
                _ => None,
            });
        windows.next().filter(|_| windows.next().is_none())
    }

    /// Splits a key, or returns `None` if it does not have one part for each dimension. The parts
    /// need not name existing partitions.
    pub fn keys_by_dimension(&self, key: &str) -> Option<MultiPartitionKey> {
        let parts = self.split_key(key)?;
        let keys = self
            .dimensions
            .keys()
            .cloned()
            .zip(parts.into_iter().map(PartitionKey::from));
        Some(MultiPartitionKey(keys.collect()))
    }

    /// Splits a key into its parts in the order of dimension names.
    pub(super) fn split_key<'k>(&self, key: &'k str) -> Option<Vec<&'k str>> {
        let parts: Vec<&str> = key.split(SEPARATOR).collect();
        (parts.len() == self.dimensions.len()).then_some(parts)
    }

    /// Returns the ordinal of a combination of dimension ordinals, given in the order of dimension
    /// names, or `None` if one of them is past the capacity of its dimension.
    pub fn ordinal_of(&self, ordinals: &[u64]) -> Option<u64> {
        self.layout.join_values(ordinals)
    }

    /// Returns the dimension ordinals of an ordinal, in the order of dimension names.
    pub fn ordinals_of(&self, ordinal: u64) -> Option<Vec<u64>> {
        self.layout.split_ordinal(ordinal)
    }

    /// Returns the ordinals of one dimension that occur in a set, in time linear in the set's runs.
    ///
    /// # Panics
    /// If `position` is not the position of a dimension.
    pub fn project(&self, set: &PartitionSet, position: usize) -> PartitionSet {
        self.layout.project_values(set, position)
    }

    /// Returns every combination of the given ordinals of each dimension (in the order of dimension
    /// names), in time linear in the runs of the result.
    ///
    /// # Panics
    /// If there is not one set for each dimension.
    pub fn product(&self, sets: &[PartitionSet]) -> PartitionSet {
        self.layout.multiply_values(sets)
    }

    /// Splits a set into disjoint products of sets of each dimension, in time linear in the set's
    /// runs. A set that is a product results in one box.
    pub fn split_into_boxes(&self, set: &PartitionSet) -> Vec<PartitionBox> {
        boxes::split_into_boxes(&self.layout, set)
    }

    /// Returns the combinations of existing keys of each dimension, without keys that contain `|`.
    /// As in Dagster, those are omitted because a joined key could not be split again.
    pub(super) fn all(&self, context: &PartitionContext) -> PartitionSet {
        self.product(&self.dimension_sets(context))
    }

    pub(super) fn count(&self, context: &PartitionContext) -> u64 {
        self.dimension_sets(context)
            .iter()
            .map(PartitionSet::len)
            .product()
    }

    /// Returns the partitions of each dimension that exist and can be part of a joined key, in the
    /// order of dimension names.
    pub fn dimension_sets(&self, context: &PartitionContext) -> Vec<PartitionSet> {
        self.dimensions
            .values()
            .map(|dimension| joinable_partitions(dimension, context))
            .collect()
    }

    pub(super) fn key(&self, ordinal: u64, context: &PartitionContext) -> Option<PartitionKey> {
        self.join_parts(ordinal, |dimension, ordinal| {
            dimension.key(ordinal, context)
        })
    }

    pub(super) fn former_key(
        &self,
        ordinal: u64,
        context: &PartitionContext,
    ) -> Option<PartitionKey> {
        self.join_parts(ordinal, |dimension, ordinal| {
            dimension.former_key(ordinal, context)
        })
    }

    /// Joins the keys that `key` returns for the dimensions of an ordinal.
    fn join_parts(
        &self,
        ordinal: u64,
        key: impl Fn(&PartitionsDefinition, u64) -> Option<PartitionKey>,
    ) -> Option<PartitionKey> {
        let ordinals = self.layout.split_ordinal(ordinal)?;
        let parts: Option<Vec<PartitionKey>> = self
            .dimensions
            .values()
            .zip(ordinals)
            .map(|(dimension, ordinal)| {
                key(dimension, ordinal).filter(|key| !key.as_str().contains(SEPARATOR))
            })
            .collect();
        Some(join_keys(&parts?))
    }

    pub(super) fn last(&self, context: &PartitionContext) -> Option<u64> {
        let last: Option<Vec<u64>> = self
            .dimension_sets(context)
            .iter()
            .map(PartitionSet::last)
            .collect();
        self.layout.join_values(&last?)
    }

    pub(super) fn keys<'a>(
        &'a self,
        set: &'a PartitionSet,
        context: &'a PartitionContext,
    ) -> Box<dyn Iterator<Item = PartitionKey> + 'a> {
        Box::new(
            self.layout
                .in_order_of_names(set)
                .filter_map(move |ordinal| self.key(ordinal, context)),
        )
    }
}

/// Returns the existing partitions of a dimension whose keys can be part of a joined key.
fn joinable_partitions(
    dimension: &PartitionsDefinition,
    context: &PartitionContext,
) -> PartitionSet {
    let mut set = dimension.all(context);
    if let PartitionsDefinition::Dynamic(dynamic) = dimension
        && let Some(slots) = dynamic.recorded_keys(context)
    {
        for (ordinal, key) in slots.iter() {
            if key.as_str().contains(SEPARATOR) {
                set.remove(ordinal);
            }
        }
    }
    set
}

fn join_keys(parts: &[PartitionKey]) -> PartitionKey {
    let mut key = String::with_capacity(parts.iter().map(|part| part.as_str().len() + 1).sum());
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            key.push(SEPARATOR);
        }
        key.push_str(part.as_str());
    }
    PartitionKey::from(key)
}
