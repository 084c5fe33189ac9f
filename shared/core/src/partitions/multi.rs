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

/// What parts the keys of the dimensions in a key.
pub(super) const SEPARATOR: char = '|';

/// The product of two or more named dimensions, each a partitions definition of its own.
///
/// Dimensions are ordered by *name*, however they were given: a key is the dimensions' keys joined by
/// `|` in that order, and the keys are enumerated with the last dimension fastest. Dagster stops at
/// two dimensions; here there may be any number.
///
/// Ordinals are another matter: they are a mixed-radix number in which the dimensions that cannot
/// grow are the fast digits, so that a new window or a new dynamic key never moves an ordinal that
/// is in use.
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
#[serde(try_from = "Written", into = "Written")]
pub struct MultiPartitions {
    dimensions: BTreeMap<String, Arc<PartitionsDefinition>>,
    layout: Layout,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Written {
    dimensions: BTreeMap<String, Arc<PartitionsDefinition>>,
}

impl TryFrom<Written> for MultiPartitions {
    type Error = InvalidMultiPartitions;

    fn try_from(written: Written) -> Result<Self, InvalidMultiPartitions> {
        Self::from_shared(written.dimensions)
    }
}

impl From<MultiPartitions> for Written {
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
    /// Multiplies named dimensions.
    ///
    /// # Errors
    /// [`InvalidMultiPartitions`] for fewer than two dimensions, a name that comes twice or cannot
    /// be written, a dimension that has dimensions itself, and keys that would make a joined key
    /// ambiguous.
    pub fn new<N: Into<String>>(
        dimensions: impl IntoIterator<Item = (N, PartitionsDefinition)>,
    ) -> Result<Self, InvalidMultiPartitions> {
        let mut by_name = BTreeMap::new();
        for (name, dimension) in dimensions {
            let name = name.into();
            if by_name.insert(name.clone(), Arc::new(dimension)).is_some() {
                return Err(InvalidMultiPartitions::DuplicateDimension { dimension: name });
            }
        }
        Self::from_shared(by_name)
    }

    fn from_shared(
        dimensions: BTreeMap<String, Arc<PartitionsDefinition>>,
    ) -> Result<Self, InvalidMultiPartitions> {
        invalid::check(&dimensions)?;
        let layout = Layout::of(&dimensions)?;
        Ok(Self { dimensions, layout })
    }

    /// Names and definitions of the dimensions, by name.
    pub fn dimensions(
        &self,
    ) -> impl ExactSizeIterator<Item = (&str, &PartitionsDefinition)> + DoubleEndedIterator {
        self.dimensions
            .iter()
            .map(|(name, dimension)| (name.as_str(), &**dimension))
    }

    /// The definition of one dimension.
    pub fn dimension(&self, name: &str) -> Option<&PartitionsDefinition> {
        self.dimensions.get(name).map(|dimension| &**dimension)
    }

    /// The place of a dimension in the order of names.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.dimensions
            .keys()
            .position(|dimension| dimension == name)
    }

    /// The dimension of time windows, when there is exactly one.
    pub fn time_dimension(&self) -> Option<(&str, &TimeWindowPartitions)> {
        let mut windows = self
            .dimensions()
            .filter_map(|(name, dimension)| match dimension {
                PartitionsDefinition::TimeWindow(windows) => Some((name, windows)),
                _ => None,
            });
        windows.next().filter(|_| windows.next().is_none())
    }

    /// Takes a key apart; `None` when it has not one part for each dimension. Whether the parts
    /// name partitions is another question.
    pub fn keys_by_dimension(&self, key: &str) -> Option<MultiPartitionKey> {
        let parts = self.parts(key)?;
        let keys = self
            .dimensions
            .keys()
            .cloned()
            .zip(parts.into_iter().map(PartitionKey::from));
        Some(MultiPartitionKey(keys.collect()))
    }

    pub(super) fn parts<'k>(&self, key: &'k str) -> Option<Vec<&'k str>> {
        let parts: Vec<&str> = key.split(SEPARATOR).collect();
        (parts.len() == self.dimensions.len()).then_some(parts)
    }

    /// The ordinal of a combination of dimension ordinals, in the order of dimension names; `None`
    /// when one of them is past what its dimension may hold.
    pub fn ordinal_of(&self, ordinals: &[u64]) -> Option<u64> {
        self.layout.join(ordinals)
    }

    /// The dimension ordinals of an ordinal, in the order of dimension names.
    pub fn ordinals_of(&self, ordinal: u64) -> Option<Vec<u64>> {
        self.layout.split(ordinal)
    }

    /// The ordinals of one dimension that a set touches. The work is linear in the set's runs.
    ///
    /// # Panics
    /// When `position` is not that of a dimension.
    pub fn project(&self, set: &PartitionSet, position: usize) -> PartitionSet {
        self.layout.project(set, position)
    }

    /// Every combination of the given ordinals of each dimension, in the order of dimension names.
    /// The work is linear in the runs of the answer.
    ///
    /// # Panics
    /// When there is not one set for each dimension.
    pub fn product(&self, sets: &[PartitionSet]) -> PartitionSet {
        self.layout.product(sets)
    }

    /// The set as disjoint products of sets of each dimension. A set that is a product comes back as
    /// one box; the work is linear in the set's runs.
    pub fn boxes(&self, set: &PartitionSet) -> Vec<PartitionBox> {
        boxes::decompose(&self.layout, set)
    }

    /// The combinations of existing keys of each dimension. Keys with a `|` in them are left out, as
    /// Dagster leaves them out: joined, they could not be taken apart.
    pub(super) fn all(&self, context: &PartitionContext) -> PartitionSet {
        self.product(&self.sides(context))
    }

    pub(super) fn count(&self, context: &PartitionContext) -> u64 {
        self.sides(context).iter().map(PartitionSet::len).product()
    }

    /// The partitions of each dimension that exist and can be part of a key, in the order of
    /// dimension names.
    pub fn sides(&self, context: &PartitionContext) -> Vec<PartitionSet> {
        self.dimensions
            .values()
            .map(|dimension| joinable(dimension, context))
            .collect()
    }

    pub(super) fn key(&self, ordinal: u64, context: &PartitionContext) -> Option<PartitionKey> {
        let ordinals = self.layout.split(ordinal)?;
        let parts: Option<Vec<PartitionKey>> = self
            .dimensions
            .values()
            .zip(ordinals)
            .map(|(dimension, ordinal)| {
                dimension
                    .key(ordinal, context)
                    .filter(|key| !key.as_str().contains(SEPARATOR))
            })
            .collect();
        Some(join(&parts?))
    }

    pub(super) fn last(&self, context: &PartitionContext) -> Option<u64> {
        let last: Option<Vec<u64>> = self.sides(context).iter().map(PartitionSet::last).collect();
        self.layout.join(&last?)
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

fn joinable(dimension: &PartitionsDefinition, context: &PartitionContext) -> PartitionSet {
    let mut set = dimension.all(context);
    if let PartitionsDefinition::Dynamic(dynamic) = dimension
        && let Some(slots) = dynamic.slots(context)
    {
        for (ordinal, key) in slots.iter() {
            if key.as_str().contains(SEPARATOR) {
                set.remove(ordinal);
            }
        }
    }
    set
}

fn join(parts: &[PartitionKey]) -> PartitionKey {
    let mut key = String::with_capacity(parts.iter().map(|part| part.as_str().len() + 1).sum());
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            key.push(SEPARATOR);
        }
        key.push_str(part.as_str());
    }
    PartitionKey::from(key)
}
