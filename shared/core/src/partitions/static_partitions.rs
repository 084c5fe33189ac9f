//! [`StaticPartitions`]: a fixed list of keys.

use indexmap::IndexSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PartitionKey;

/// What no partition key may contain: `...` writes a range, and the others cannot be seen.
/// (Dagster refuses the same.)
const REFUSED: [&str; 9] = [
    "...", "\u{7}", "\u{8}", "\u{c}", "\n", "\r", "\t", "\u{b}", "\0",
];

/// A fixed, ordered list of keys. A key's ordinal is its place in the list.
///
/// ```
/// use precip_core::partitions::{InvalidStaticPartitions, StaticPartitions};
///
/// let origins = StaticPartitions::new(["EWR", "JFK", "LGA"])?;
/// assert_eq!(origins.ordinal("JFK"), Some(1));
/// assert!(StaticPartitions::new(["EWR", "EWR"]).is_err());
/// # Ok::<(), InvalidStaticPartitions>(())
/// ```
#[derive(Debug, Clone, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
pub struct StaticPartitions {
    keys: IndexSet<PartitionKey>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Written {
    keys: Vec<PartitionKey>,
}

impl TryFrom<Written> for StaticPartitions {
    type Error = InvalidStaticPartitions;

    fn try_from(written: Written) -> Result<Self, InvalidStaticPartitions> {
        Self::new(written.keys)
    }
}

impl From<StaticPartitions> for Written {
    fn from(partitions: StaticPartitions) -> Self {
        Self {
            keys: partitions.keys.into_iter().collect(),
        }
    }
}

/// The same keys in another order are another definition: their ordinals differ.
impl PartialEq for StaticPartitions {
    fn eq(&self, other: &Self) -> bool {
        self.keys.as_slice() == other.keys.as_slice()
    }
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
            if let Some(part) = REFUSED.into_iter().find(|part| key.as_str().contains(part)) {
                return Err(InvalidStaticPartitions::Unwritable { key, part });
            }
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

    /// How many keys there are.
    pub fn count(&self) -> u64 {
        self.keys.len() as u64
    }

    /// The key at a place.
    pub fn key(&self, ordinal: u64) -> Option<&PartitionKey> {
        self.keys.get_index(usize::try_from(ordinal).ok()?)
    }

    /// The place of a key.
    pub fn ordinal(&self, key: &str) -> Option<u64> {
        self.keys.get_index_of(key).map(|place| place as u64)
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
    /// A key contains what a key may not.
    #[error(
        "partition key {key:?} contains {part:?}: `...` writes a range of keys and control characters cannot be seen, so leave them out"
    )]
    Unwritable {
        /// The key.
        key: PartitionKey,
        /// What it may not contain.
        part: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn order_makes_the_definition() {
        let ab = StaticPartitions::new(["a", "b"]).unwrap();
        assert_ne!(ab, StaticPartitions::new(["b", "a"]).unwrap());
        assert_eq!(ab, StaticPartitions::new(["a", "b"]).unwrap());
    }

    #[rstest]
    #[case::range("v1...v2", r#"partition key "v1...v2" contains "...""#)]
    #[case::tab("a\tb", r#"partition key "a\tb" contains "\t""#)]
    fn a_key_that_cannot_be_typed_is_refused(#[case] key: &str, #[case] message: &str) {
        let error = StaticPartitions::new([key]).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }

    #[test]
    fn what_is_read_is_validated() {
        let read = serde_json::from_str::<StaticPartitions>(r#"{"keys":["a","a"]}"#);
        assert_eq!(
            read.unwrap_err().to_string(),
            "partition key `a` comes twice: list each key once"
        );
    }
}
