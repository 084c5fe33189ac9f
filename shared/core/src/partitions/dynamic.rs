//! [`DynamicPartitions`]: keys that are added and removed at run time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DynamicKeys, PartitionContext};

/// Maximum length of a new key of a dynamic set, in bytes. A row of the table on AWS is named by up to 1,024 bytes: the
/// partition, its asset and one of its checks.
pub const MAX_DYNAMIC_KEY_BYTES: usize = 768;

/// Number of characters of a refused key that a message quotes.
const SHOWN_CHARACTERS: usize = 80;

/// A text that cannot become a key of a dynamic set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDynamicKey {
    /// The key is empty or has a control character, which neither a path nor a command line can carry.
    #[error(
        "{key:?} cannot be a partition of `{set}`: write at least one character, and no control \
         characters"
    )]
    Unprintable {
        /// The key.
        key: String,
        /// Name of the set.
        set: String,
    },
    /// The key is longer than [`MAX_DYNAMIC_KEY_BYTES`].
    #[error(
        "`{beginning}..` cannot be a partition of `{set}`: it has {bytes} bytes, and a partition key has at \
         most {MAX_DYNAMIC_KEY_BYTES}"
    )]
    TooLong {
        /// The first characters of the key.
        beginning: String,
        /// Length of the key in bytes.
        bytes: usize,
        /// Name of the set.
        set: String,
    },
    /// The key contains the separator of dimensions, and is to be part of a multi-dimensional key.
    #[error(
        "`{key}` cannot be a partition of `{set}` here: `|` separates the dimensions of a partition key"
    )]
    Separator {
        /// The key.
        key: String,
        /// Name of the set.
        set: String,
    },
}

/// A named set of keys that commands and sensors add and remove. The keys themselves are recorded
/// state, held in [`PartitionContext::dynamic`]. A key's ordinal is its slot there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DynamicPartitions {
    /// The set's name. Definitions with the same name share their keys.
    pub name: String,
}

impl DynamicPartitions {
    /// Creates the definition of the set with a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// Checks that a text can become a key of the set.
    ///
    /// # Errors
    /// [`InvalidDynamicKey`], which names the key.
    pub fn check_key(&self, key: &str) -> Result<(), InvalidDynamicKey> {
        let set = || self.name.clone();
        if key.is_empty() || key.contains(char::is_control) {
            return Err(InvalidDynamicKey::Unprintable {
                key: key.chars().take(SHOWN_CHARACTERS).collect(),
                set: set(),
            });
        }
        if key.len() > MAX_DYNAMIC_KEY_BYTES {
            return Err(InvalidDynamicKey::TooLong {
                beginning: key.chars().take(SHOWN_CHARACTERS).collect(),
                bytes: key.len(),
                set: set(),
            });
        }
        Ok(())
    }

    /// Returns the context's keys of this set, or `None` if none was ever added.
    pub fn recorded_keys<'c>(&self, context: &'c PartitionContext) -> Option<&'c DynamicKeys> {
        context.dynamic.get(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_no_path_or_row_can_carry_are_refused_by_name() {
        let shops = DynamicPartitions::new("shops");
        let longest = "é".repeat(MAX_DYNAMIC_KEY_BYTES / 2);
        for key in ["a", "north 1, \"east\"", "ü", longest.as_str()] {
            assert_eq!(shops.check_key(key), Ok(()), "{key}");
        }
        for (key, message) in [
            (
                "",
                "\"\" cannot be a partition of `shops`: write at least one character, and no control characters",
            ),
            (
                "a\u{1b}[2J",
                "\"a\\u{1b}[2J\" cannot be a partition of `shops`: write at least one character, and no control \
                 characters",
            ),
        ] {
            assert_eq!(shops.check_key(key).unwrap_err().to_string(), message);
        }
        let long = shops.check_key(&format!("{longest}é")).unwrap_err();
        let (long, shown) = (long.to_string(), "é".repeat(80));
        assert_eq!(
            long,
            format!(
                "`{shown}..` cannot be a partition of `shops`: it has 770 bytes, and a partition key has at most 768"
            )
        );
    }
}
