//! [`StaticPartitions`]: a fixed list of keys.

use indexmap::IndexSet;
use serde::{Deserialize, Serialize};

use super::PartitionKey;

/// A fixed, ordered list of keys. A key's ordinal is its place in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaticPartitions {
    keys: IndexSet<PartitionKey>,
}

impl StaticPartitions {
    /// Takes the keys in their order.
    ///
    /// # Errors
    /// [`InvalidStaticPartitions`] when a key comes twice or cannot be a key.
    pub fn new<K: Into<PartitionKey>>(
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Self, InvalidStaticPartitions> {
        let mut set = IndexSet::new();
        for key in keys {
            let key = key.into();
            if !set.insert(key.clone()) {
                return Err(InvalidStaticPartitions::Duplicate { key });
            }
        }
        Ok(Self { keys: set })
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &PartitionKey> {
        self.keys.iter()
    }
}

/// Keys that cannot be a static partitions definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStaticPartitions {
    /// A key comes twice.
    #[error("partition key `{key}` comes twice: list each key once")]
    Duplicate {
        /// The key.
        key: PartitionKey,
    },
}
