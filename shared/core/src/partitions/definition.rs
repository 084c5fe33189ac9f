//! [`PartitionsDefinition`]: any of the kinds of definition, and the questions all of them answer.

use serde::{Deserialize, Serialize};

use super::{
    DynamicPartitions, MultiPartitions, PartitionContext, PartitionKey, PartitionSet,
    StaticPartitions, TimeWindowPartitions,
};

/// Which keys an asset's data is divided into. It is a value: several assets can share one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PartitionsDefinition {
    /// A fixed list of keys.
    Static(StaticPartitions),
    /// One key per window of time.
    TimeWindow(TimeWindowPartitions),
    /// The product of several dimensions.
    Multi(MultiPartitions),
    /// Keys that are added and removed while the project runs.
    Dynamic(DynamicPartitions),
}

impl PartitionsDefinition {
    /// The partitions that exist.
    pub fn all(&self, context: &PartitionContext) -> PartitionSet {
        let _ = context;
        todo!()
    }

    /// How many partitions exist.
    pub fn count(&self, context: &PartitionContext) -> u64 {
        let _ = context;
        todo!()
    }

    /// The ordinal of a key of a partition that exists.
    ///
    /// # Errors
    /// [`UnknownPartition`], which says what a key looks like here and which existing keys are near.
    pub fn ordinal(
        &self,
        key: &PartitionKey,
        context: &PartitionContext,
    ) -> Result<u64, UnknownPartition> {
        let _ = (key, context);
        todo!()
    }

    /// The key with this ordinal, whether or not its window exists yet; `None` where the ordinal
    /// belongs to nothing (a dynamic key that was removed, a place past the end).
    pub fn key(&self, ordinal: u64, context: &PartitionContext) -> Option<PartitionKey> {
        let _ = (ordinal, context);
        todo!()
    }

    /// The keys of a set in the definition's own order (for a multi-dimensional definition that is
    /// the product with the last dimension by name fastest, not ordinal order).
    pub fn keys<'a>(
        &'a self,
        set: &'a PartitionSet,
        context: &'a PartitionContext,
    ) -> Box<dyn Iterator<Item = PartitionKey> + 'a> {
        let _ = (set, context);
        todo!()
    }

    /// `start...end`, both inclusive: a slice in the definition's order, for multi-dimensional
    /// definitions the product of the slices of each dimension.
    ///
    /// # Errors
    /// [`UnknownPartition`] when either end does not exist.
    pub fn range(
        &self,
        start: &PartitionKey,
        end: &PartitionKey,
        context: &PartitionContext,
    ) -> Result<PartitionSet, UnknownPartition> {
        let _ = (start, end, context);
        todo!()
    }
}

/// A key that names no partition that exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no partition `{key}`: {hint}")]
pub struct UnknownPartition {
    /// What was asked for.
    pub key: PartitionKey,
    /// Why not, and what to write instead.
    pub hint: String,
}
