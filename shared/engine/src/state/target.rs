//! [`PartitionRef`].

use std::fmt;

use precip_core::{key::AssetKey, partitions::PartitionKey};
use serde::{Deserialize, Serialize};

/// One (asset, partition), with the partition's ordinal in the asset's definition.
///
/// A store knows no definitions. It finds records by asset and key, and keeps status sets and
/// segments by ordinal, so callers pass all three together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionRef {
    /// The asset.
    pub asset: AssetKey,
    /// The partition; `None` for an unpartitioned asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<PartitionKey>,
    /// The partition's ordinal; 0 for an unpartitioned asset.
    pub ordinal: u64,
}

impl PartitionRef {
    /// Refers to the only partition of an unpartitioned asset.
    pub fn unpartitioned(asset: AssetKey) -> Self {
        Self {
            asset,
            partition: None,
            ordinal: 0,
        }
    }

    /// Refers to a partition of a partitioned asset.
    pub fn new(asset: AssetKey, partition: impl Into<PartitionKey>, ordinal: u64) -> Self {
        Self {
            asset,
            partition: Some(partition.into()),
            ordinal,
        }
    }
}

impl fmt::Display for PartitionRef {
    /// Writes `flights[2013-01-31]`, or `flights` for an unpartitioned asset.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.partition {
            Some(partition) => write!(f, "{}[{partition}]", self.asset),
            None => write!(f, "{}", self.asset),
        }
    }
}
