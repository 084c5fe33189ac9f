//! Names of single partitions.

use std::{collections::BTreeMap, fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of one partition of an asset, such as `2013-01-31` or `EWR`.
///
/// Any string is a valid key; only a [`PartitionsDefinition`](super::PartitionsDefinition) knows if
/// it names a partition.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PartitionKey(Arc<str>);

impl PartitionKey {
    /// Creates a key.
    pub fn new(key: impl Into<Arc<str>>) -> Self {
        Self(key.into())
    }

    /// Returns the key as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl From<&str> for PartitionKey {
    fn from(key: &str) -> Self {
        Self(key.into())
    }
}

impl From<String> for PartitionKey {
    fn from(key: String) -> Self {
        Self(key.into())
    }
}

impl std::borrow::Borrow<str> for PartitionKey {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// The key of a multi-dimensional partition, split into the key of each dimension by name.
///
/// Its [`PartitionKey`] is these keys joined by `|`, with dimensions ordered by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MultiPartitionKey(pub BTreeMap<String, PartitionKey>);

impl MultiPartitionKey {
    /// Joins the dimensions' keys by `|`, with dimensions ordered by name.
    pub fn to_key(&self) -> PartitionKey {
        let parts: Vec<&str> = self.0.values().map(PartitionKey::as_str).collect();
        PartitionKey::from(parts.join("|"))
    }
}
