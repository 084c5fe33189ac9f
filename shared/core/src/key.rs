//! Names of declared assets and checks: [`AssetKey`] and [`CheckKey`].

use std::{fmt, str::FromStr, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of an asset: one or more parts, written with `/` between them (`raw/flights`).
///
/// A part consists of ASCII letters, digits, `_` and `-`, so a key needs no escaping in a file
/// path, a state name or a table key.
///
/// ```
/// use precip_core::key::AssetKey;
///
/// let key: AssetKey = "raw/flights".parse()?;
/// assert_eq!(key.parts().collect::<Vec<_>>(), ["raw", "flights"]);
/// assert_eq!(key.name(), "flights");
/// # Ok::<(), precip_core::key::InvalidAssetKey>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AssetKey(Arc<str>);

impl AssetKey {
    /// Parses `part/part/...`.
    ///
    /// # Errors
    /// [`InvalidAssetKey`] if a part is empty or contains any character other than a letter, a
    /// digit, `_` or `-`.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidAssetKey> {
        let key = text.as_ref();
        let well_formed = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        };
        if key.split('/').all(well_formed) {
            Ok(Self(key.into()))
        } else {
            Err(InvalidAssetKey {
                key: key.to_owned(),
            })
        }
    }

    /// Returns the whole key with `/` between its parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the parts, outermost first. There is always at least one.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// Returns the last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for AssetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AssetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssetKey({})", self.0)
    }
}

impl FromStr for AssetKey {
    type Err = InvalidAssetKey;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        Self::new(key)
    }
}

impl TryFrom<String> for AssetKey {
    type Error = InvalidAssetKey;

    fn try_from(key: String) -> Result<Self, Self::Error> {
        Self::new(key)
    }
}

impl From<AssetKey> for String {
    fn from(key: AssetKey) -> Self {
        key.as_str().to_owned()
    }
}

impl std::borrow::Borrow<str> for AssetKey {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// A string that is not an [`AssetKey`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{key}` is not an asset key: write parts of ASCII letters, digits, `_` or `-` with `/` \
     between them, like `raw/flights`"
)]
pub struct InvalidAssetKey {
    /// The rejected string.
    pub key: String,
}

/// The name of an asset check: the checked asset, and the check's own name on that asset, written
/// `asset:check`.
///
/// ```
/// use precip_core::key::CheckKey;
///
/// let key: CheckKey = "raw/flights:no_nulls".parse()?;
/// assert_eq!((key.asset.as_str(), key.name.as_str()), ("raw/flights", "no_nulls"));
/// assert_eq!(key.to_string(), "raw/flights:no_nulls");
/// # Ok::<(), precip_core::key::InvalidCheckKey>(())
/// ```
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct CheckKey {
    /// The checked asset.
    pub asset: AssetKey,
    /// The check's name, unique within its asset.
    pub name: String,
}

impl fmt::Display for CheckKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.asset, self.name)
    }
}

impl CheckKey {
    /// Returns true if a string is a valid check name: ASCII letters, digits and `_`, as in
    /// Dagster.
    pub fn is_name(name: &str) -> bool {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    }
}

impl FromStr for CheckKey {
    type Err = InvalidCheckKey;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidCheckKey {
            key: key.to_owned(),
        };
        let (asset_key, name) = key.split_once(':').ok_or_else(invalid)?;
        let asset = asset_key.parse().map_err(|_| invalid())?;
        if Self::is_name(name) {
            Ok(Self {
                asset,
                name: name.to_owned(),
            })
        } else {
            Err(invalid())
        }
    }
}

/// A string that is not a [`CheckKey`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{key}` is not the key of a check: write the asset's key, `:`, and a name of ASCII letters, \
     digits and `_`, like `raw/flights:no_nulls`"
)]
pub struct InvalidCheckKey {
    /// The rejected string.
    pub key: String,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{AssetKey, CheckKey};

    #[rstest]
    #[case("flights", true)]
    #[case("raw/flights-2_x", true)]
    #[case("", false)]
    #[case("/a", false)]
    #[case("a//b", false)]
    #[case("a b", false)]
    #[case("a:b", false)]
    #[case("é", false)]
    #[case("../a", false)]
    fn asset_keys(#[case] key: &str, #[case] valid: bool) {
        assert_eq!(AssetKey::new(key).is_ok(), valid);
    }

    #[rstest]
    #[case("a:b", true)]
    #[case("a/b:c_1", true)]
    #[case("a", false)]
    #[case("a:", false)]
    #[case(":b", false)]
    #[case("a:b:c", false)]
    #[case("a:b-c", false)]
    fn check_keys(#[case] key: &str, #[case] valid: bool) {
        assert_eq!(key.parse::<CheckKey>().is_ok(), valid);
    }
}
