//! [`GcError`].

use precip_core::key::AssetKey;

use crate::{io::IoError, state::StateError};

/// A failure to find or remove garbage. Attempts removed before it stay removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GcError {
    /// The record cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The IO manager failed.
    #[error("stored data of asset `{asset}` cannot be {doing}")]
    Io {
        /// The asset.
        asset: AssetKey,
        /// The operation: `listed` or `removed`.
        doing: &'static str,
        /// The IO manager's error.
        #[source]
        source: IoError,
    },
}
