//! The partitions of one invocation, taken apart.

use std::collections::BTreeMap;

use precip_core::{
    nearest::or_list,
    partitions::{PartitionKey, TimeWindow},
};

/// One partition that an invocation makes, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionScope {
    /// The partition's key.
    pub key: PartitionKey,
    /// The key of each dimension; empty for a definition of one dimension.
    pub dimensions: BTreeMap<String, PartitionKey>,
    /// The window of time it covers, where one of its dimensions is time.
    pub window: Option<TimeWindow>,
}

impl PartitionScope {
    /// The key of one dimension.
    ///
    /// # Errors
    /// [`InvalidPartitionUse::UnknownDimension`] when there is no such dimension.
    pub fn dimension(&self, name: &str) -> Result<&PartitionKey, InvalidPartitionUse> {
        self.dimensions
            .get(name)
            .ok_or_else(|| InvalidPartitionUse::UnknownDimension {
                name: name.to_owned(),
                known: self.dimensions.keys().cloned().collect(),
            })
    }
}

impl From<PartitionKey> for PartitionScope {
    /// A key of one dimension that is not time.
    fn from(key: PartitionKey) -> Self {
        Self {
            key,
            dimensions: BTreeMap::new(),
            window: None,
        }
    }
}

/// A question about partitions that does not fit the asset's partitions definition. A retry cannot
/// help, so it is always terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPartitionUse {
    /// The asset is not partitioned.
    #[error(
        "this invocation has no partition: give the asset one with `partitions = ..`, or do not \
         ask for its key"
    )]
    Unpartitioned,
    /// The invocation makes several partitions.
    #[error(
        "this invocation makes {count} partitions at once: go through `partitions()` or \
         `partition_keys()`, or leave out the asset's backfill policy"
    )]
    Several {
        /// How many.
        count: usize,
    },
    /// The asset's partitions are not windows of time.
    #[error("this partition covers no window of time: no dimension of its definition is time")]
    NotTime,
    /// The definition has no such dimension.
    #[error("there is no dimension `{name}`: {}", known_dimensions(.known))]
    UnknownDimension {
        /// What was asked for.
        name: String,
        /// The dimensions that there are.
        known: Vec<String>,
    },
}

fn known_dimensions(known: &[String]) -> String {
    if known.is_empty() {
        "the asset's partitions have one dimension, ask for `partition_key()`".to_owned()
    } else {
        format!(
            "the dimensions are {}",
            or_list(known).replace(" or ", " and ")
        )
    }
}
