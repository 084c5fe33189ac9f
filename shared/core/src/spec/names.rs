//! Names of groups, tags, kinds and triggers, valid where Dagster accepts them, and of binaries.

use std::{borrow::Borrow, fmt, ops::Deref, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// The greatest length of a part of a tag's key, of a tag's value, and of a kind.
const MAX_LABEL_LENGTH: usize = 63;

/// A string that is not a valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a {what}: {rule}")]
pub struct InvalidName {
    /// The rejected string.
    pub given: String,
    /// The kind of name, such as `group name`.
    pub what: &'static str,
    /// The rule for such a name, as advice.
    pub rule: &'static str,
}

macro_rules! name {
    (
        $(#[$doc:meta])*
        $name:ident, $what:literal, $rule:literal, $accepts:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Validates a string.
            ///
            /// # Errors
            /// [`InvalidName`], with the rule for such a name.
            pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidName> {
                let given = name.as_ref();
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(given) {
                    Ok(Self(given.into()))
                } else {
                    Err(InvalidName { given: given.to_owned(), what: $what, rule: $rule })
                }
            }

            /// Returns the name as a string.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                *self.0 == *other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                *self.0 == **other
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(given: &str) -> Result<Self, InvalidName> {
                Self::new(given)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(given: String) -> Result<Self, InvalidName> {
                Self::new(given)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidName;

            fn try_from(given: &str) -> Result<Self, InvalidName> {
                Self::new(given)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.as_str().to_owned()
            }
        }
    };
}

name! {
    /// The group of an asset. Parts of ASCII letters, digits and `_`, joined by `/`, form a
    /// hierarchy, like Dagster's group names.
    ///
    /// ```
    /// use precip_core::spec::GroupName;
    ///
    /// assert!(GroupName::new("marketing/campaigns").is_ok());
    /// assert_eq!(
    ///     GroupName::new("my group").unwrap_err().to_string(),
    ///     "`my group` is not a group name: write ASCII letters, digits and `_`, with `/` between \
    ///      the parts of a hierarchy, like `marketing` or `marketing/campaigns`",
    /// );
    /// ```
    GroupName, "group name",
    "write ASCII letters, digits and `_`, with `/` between the parts of a hierarchy, like \
     `marketing` or `marketing/campaigns`",
    |given| given.split('/').all(|part| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

impl Default for GroupName {
    /// Returns `default`, the group of assets that name none.
    fn default() -> Self {
        Self("default".into())
    }
}

name! {
    /// The key of a tag: up to 63 ASCII letters, digits, `_`, `-` and `.`, after an optional
    /// namespace of the same form and a `/`, like Dagster's tag keys.
    TagKey, "tag key",
    "write up to 63 ASCII letters, digits, `_`, `-` or `.`, after an optional namespace of the \
     same and a `/`, like `domain` or `team/domain`",
    |given| {
        let (namespace, key) = match given.strip_prefix("dagster/kind/") {
            Some(key) => (None, key),
            None => match given.split_once('/') {
                Some((namespace, key)) => (Some(namespace), key),
                None => (None, given),
            },
        };
        namespace.is_none_or(is_label) && is_label(key)
    }
}

name! {
    /// The value of a tag: up to 63 ASCII letters, digits, `_`, `-` and `.`, or nothing, like
    /// Dagster's tag values on definitions.
    TagValue, "tag value",
    "write up to 63 ASCII letters, digits, `_`, `-` or `.`, or nothing",
    |given| given.is_empty() || is_label(given)
}

impl Default for TagValue {
    /// Returns the value of a tag that is only a key.
    fn default() -> Self {
        Self("".into())
    }
}

name! {
    /// A technology that an asset is made with or stored in: up to 63 ASCII letters, digits, `_`,
    /// `-` and `.`, like Dagster's kinds.
    Kind, "kind",
    "write up to 63 ASCII letters, digits, `_`, `-` or `.`, like `parquet`",
    is_label
}

name! {
    /// The name of a sensor or a schedule: up to 100 ASCII letters, digits and `_`, as in Dagster.
    TriggerName, "name of a sensor or a schedule",
    "write up to 100 ASCII letters, digits and `_`, like `landing_files`",
    |given| (1..=100).contains(&given.len())
        && given.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

name! {
    /// The name of a binary of the project, as in Cargo: up to 40 ASCII letters, digits, `_` and
    /// `-`, beginning with a letter.
    ///
    /// ```
    /// use precip_core::spec::BinaryName;
    ///
    /// assert!(BinaryName::new("materializer-sql").is_ok());
    /// assert_eq!(
    ///     BinaryName::new("../materializer").unwrap_err().to_string(),
    ///     "`../materializer` is not a binary's name: write up to 40 ASCII letters, digits, `_` and `-`, \
    ///      a letter first, like `materializer-sql`",
    /// );
    /// ```
    BinaryName, "binary's name",
    "write up to 40 ASCII letters, digits, `_` and `-`, a letter first, like `materializer-sql`",
    |given| given.len() <= 40
        && given.starts_with(|first: char| first.is_ascii_alphabetic())
        && given.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// Returns true for the characters and the length of Dagster's labels.
fn is_label(part: &str) -> bool {
    (1..=MAX_LABEL_LENGTH).contains(&part.len())
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}
