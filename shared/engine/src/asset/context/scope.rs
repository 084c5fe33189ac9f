//! The partitions of one invocation, with their dimensions and time windows.

use std::collections::BTreeMap;

use precip_core::{
    partitions::{PartitionKey, TimeWindow},
    prose::and_list,
};

/// A partition of an invocation, with its dimensions and time window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionScope {
    /// The partition's key.
    pub key: PartitionKey,
    /// The key of each dimension; empty for a definition of one dimension.
    pub dimensions: BTreeMap<String, PartitionKey>,
    /// The time window it covers, if one of its dimensions is time.
    pub window: Option<TimeWindow>,
}

impl PartitionScope {
    /// Returns the key of one dimension.
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
    /// Wraps the key of a definition of one dimension other than time.
    fn from(key: PartitionKey) -> Self {
        Self {
            key,
            dimensions: BTreeMap::new(),
            window: None,
        }
    }
}

/// A use of partitions that does not fit the asset's partitions definition. Always terminal, since
/// a retry cannot help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPartitionUse {
    /// The asset is not partitioned.
    #[error(
        "this invocation has no partition: give the asset one with `partitions = ..`, or do not \
         ask for its key"
    )]
    Unpartitioned,
    /// The invocation materializes several partitions.
    #[error(
        "this invocation makes {count} partitions at once: go through `partitions()` or \
         `partition_keys()`, or leave out the asset's backfill policy"
    )]
    Several {
        /// The number of partitions.
        count: usize,
    },
    /// The asset's partitions are not time windows.
    #[error("this partition covers no window of time: no dimension of its definition is time")]
    NotTime,
    /// The definition has no such dimension.
    #[error("there is no dimension `{name}`: {}", known_dimensions(.known))]
    UnknownDimension {
        /// The requested dimension.
        name: String,
        /// The dimensions of the definition.
        known: Vec<String>,
    },
}

fn known_dimensions(known: &[String]) -> String {
    if known.is_empty() {
        "the asset's partitions have one dimension, ask for `partition_key()`".to_owned()
    } else {
        format!("the dimensions are {}", and_list(known))
    }
}
