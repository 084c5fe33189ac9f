//! The name of one partition.

use std::{collections::BTreeMap, fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of one partition of an asset, such as `2013-01-31` or `EWR`.
///
/// Any string can be written as a key; whether it names a partition is answered by the
/// [`PartitionsDefinition`](super::PartitionsDefinition).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PartitionKey(Arc<str>);

impl PartitionKey {
    /// Names a partition.
    pub fn new(key: impl Into<Arc<str>>) -> Self {
        Self(key.into())
    }

    /// The key as it is written.
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

/// The key of a multi-dimensional partition, taken apart: dimension name to key.
///
/// Its [`PartitionKey`] is the keys joined by `|`, dimensions ordered by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MultiPartitionKey(pub BTreeMap<String, PartitionKey>);

impl MultiPartitionKey {
    /// The dimensions' keys joined by `|`, dimensions ordered by name.
    pub fn to_key(&self) -> PartitionKey {
        let parts: Vec<&str> = self.0.values().map(PartitionKey::as_str).collect();
        PartitionKey::from(parts.join("|"))
    }
}
