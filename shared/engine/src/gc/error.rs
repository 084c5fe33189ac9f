//! [`GcError`].

use precip_core::key::AssetKey;

use crate::{io::IoError, state::StateError};

/// Why garbage could not be found or removed. What was removed before stays removed.
#[derive(Debug, thiserror::Error)]
pub enum GcError {
    /// The record cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The store cannot be read or written.
    #[error("what is stored of asset `{asset}` cannot be {doing}")]
    Io {
        /// The asset.
        asset: AssetKey,
        /// What was tried: `listed` or `removed`.
        doing: &'static str,
        /// Why not.
        #[source]
        source: IoError,
    },
}
