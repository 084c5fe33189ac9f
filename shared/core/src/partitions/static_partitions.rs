//! [`StaticPartitions`]: a fixed list of keys.

use std::fmt;

use indexmap::IndexSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PartitionKey;
use crate::prose::and_list;

/// The strings that Dagster and Precip refuse in a key: `...` writes a range, and the control
/// characters are invisible.
const REFUSED: [&str; 9] = [
    "...", "\u{7}", "\u{8}", "\u{c}", "\n", "\r", "\t", "\u{b}", "\0",
];

/// A fixed, ordered list of keys. A key's ordinal is its index in the list.
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
#[serde(try_from = "Repr", into = "Repr")]
pub struct StaticPartitions {
    keys: IndexSet<PartitionKey>,
}

/// The serialized form of a definition, before validation.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Repr {
    keys: Vec<PartitionKey>,
}

impl TryFrom<Repr> for StaticPartitions {
    type Error = InvalidStaticPartitions;

    fn try_from(repr: Repr) -> Result<Self, InvalidStaticPartitions> {
        Self::new(repr.keys)
    }
}

impl From<StaticPartitions> for Repr {
    fn from(partitions: StaticPartitions) -> Self {
        Self {
            keys: partitions.keys.into_iter().collect(),
        }
    }
}

/// Compares keys and order: the same keys in another order have other ordinals.
impl PartialEq for StaticPartitions {
    fn eq(&self, other: &Self) -> bool {
        self.keys.as_slice() == other.keys.as_slice()
    }
}

impl StaticPartitions {
    /// Creates a definition of keys in order.
    ///
    /// # Errors
    /// [`InvalidStaticPartitions`] if a key is duplicate or contains `...` or a control character.
    pub fn new<K: Into<PartitionKey>>(
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Self, InvalidStaticPartitions> {
        let mut set = IndexSet::new();
        for key in keys.into_iter().map(Into::<PartitionKey>::into) {
            if let Some(part) = REFUSED.into_iter().find(|part| key.as_str().contains(part)) {
                return Err(InvalidStaticPartitions::Unwritable { key, part });
            }
            if !set.insert(key.clone()) {
                return Err(InvalidStaticPartitions::Duplicate { key });
            }
        }
        Ok(Self { keys: set })
    }

    /// Returns the keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &PartitionKey> {
        self.keys.iter()
    }

    /// Returns the number of keys.
    pub fn count(&self) -> u64 {
        self.keys.len() as u64
    }

    /// Returns the key of an ordinal.
    pub fn key(&self, ordinal: u64) -> Option<&PartitionKey> {
        self.keys.get_index(usize::try_from(ordinal).ok()?)
    }

    /// Returns the ordinal of a key.
    pub fn ordinal(&self, key: &str) -> Option<u64> {
        self.keys.get_index_of(key).map(|index| index as u64)
    }
}

/// Formats as ``the keys `EWR`, `JFK` and `LGA` ``; of many keys, some are named and the rest counted.
impl fmt::Display for StaticPartitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_NAMED: usize = 6;
        let named: Vec<&str> = self
            .keys
            .iter()
            .take(MAX_NAMED)
            .map(PartitionKey::as_str)
            .collect();
        match self.keys.len() {
            0 => f.write_str("no keys"),
            1 => write!(f, "the key {}", and_list(&named)),
            count if count <= MAX_NAMED => write!(f, "the keys {}", and_list(&named)),
            count => {
                let quoted: Vec<String> = named.iter().map(|key| format!("`{key}`")).collect();
                let more = count - named.len();
                write!(f, "the keys {} and {more} more", quoted.join(", "))
            }
        }
    }
}

/// Keys that do not form a static partitions definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidStaticPartitions {
    /// A duplicate key.
    #[error("partition key `{key}` is listed twice: list each key once")]
    Duplicate {
        /// The key.
        key: PartitionKey,
    },
    /// A key with forbidden content.
    #[error(
        "partition key {key:?} contains {part:?}: `...` writes a range of keys and control characters are invisible, so remove them"
    )]
    Unwritable {
        /// The key.
        key: PartitionKey,
        /// The forbidden content.
        part: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn order_is_part_of_the_definition() {
        let ab = StaticPartitions::new(["a", "b"]).unwrap();
        assert_ne!(ab, StaticPartitions::new(["b", "a"]).unwrap());
        assert_eq!(ab, StaticPartitions::new(["a", "b"]).unwrap());
    }

    #[rstest]
    #[case::range("v1...v2", r#"partition key "v1...v2" contains "...""#)]
    #[case::tab("a\tb", r#"partition key "a\tb" contains "\t""#)]
    fn ranges_and_control_characters_are_refused(#[case] key: &str, #[case] message: &str) {
        let error = StaticPartitions::new([key]).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }

    #[test]
    fn deserialization_validates() {
        let read = serde_json::from_str::<StaticPartitions>(r#"{"keys":["a","a"]}"#);
        assert_eq!(
            read.unwrap_err().to_string(),
            "partition key `a` is listed twice: list each key once"
        );
    }
}
