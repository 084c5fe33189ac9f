//! [`ConvertError`].

use std::fmt;

use precip_core::{key::AssetKey, partitions::PartitionKey};

/// A Rust value that cannot be stored as an asset's data, or data that cannot be read as a Rust value.
/// Retrying cannot help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvertError {
    location: Option<(AssetKey, Option<PartitionKey>)>,
    message: String,
}

impl ConvertError {
    /// Creates an error from a message about what does not fit and what to use instead.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            location: None,
            message: message.into(),
        }
    }

    /// Adds the asset and partition of the data, unless they are set already.
    #[must_use]
    pub fn at(mut self, asset: &AssetKey, partition: Option<&PartitionKey>) -> Self {
        self.location
            .get_or_insert_with(|| (asset.clone(), partition.cloned()));
        self
    }
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
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

/// Returns the name of a type without module paths: `Vec<Flight>`.
pub(crate) fn short_type_name<T: ?Sized>() -> String {
    let mut short = String::new();
    // The segment of the current path: each `:` drops what precedes it.
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
