//! [`ConvertError`].

use std::fmt;

use precip_core::{key::AssetKey, partitions::PartitionKey};

/// A Rust value that could not become an asset's data, or data that could not become a Rust value.
/// Trying again cannot help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvertError {
    place: Option<(AssetKey, Option<PartitionKey>)>,
    message: String,
}

impl ConvertError {
    /// Says what does not fit, and what to use instead.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            place: None,
            message: message.into(),
        }
    }

    /// Adds whose data it is, unless that is known already.
    #[must_use]
    pub fn at(mut self, asset: &AssetKey, partition: Option<&PartitionKey>) -> Self {
        self.place
            .get_or_insert_with(|| (asset.clone(), partition.cloned()));
        self
    }
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some((asset, Some(partition))) => {
                write!(f, "asset `{asset}`, partition `{partition}`: ")?;
            }
            Some((asset, None)) => write!(f, "asset `{asset}`: ")?,
            None => {}
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConvertError {}

/// The last part of a type's path, with its parameters' paths shortened too: `Vec<Flight>`.
pub(crate) fn short_type_name<T: ?Sized>() -> String {
    let mut short = String::new();
    let mut word = String::new();
    for c in std::any::type_name::<T>().chars() {
        match c {
            ':' => word.clear(),
            c if c.is_alphanumeric() || c == '_' => word.push(c),
            c => {
                short.push_str(&word);
                word.clear();
                short.push(c);
            }
        }
    }
    short + &word
}
