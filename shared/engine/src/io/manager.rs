//! [`IoManager`].

use async_trait::async_trait;
use precip_core::{key::AssetKey, metadata::Metadata, partitions::PartitionKey};
use serde::{Deserialize, Serialize};

use crate::{asset::AssetValue, run_id::RunId};

/// Which attempt at which (asset, partition) some data belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The asset.
    pub asset: AssetKey,
    /// The partition; `None` for an unpartitioned asset.
    pub partition: Option<PartitionKey>,
    /// The run that made it.
    pub run: RunId,
    /// The attempt in that run, from 1.
    pub attempt: u32,
}

/// Where an attempt's data was put. It is published with the materialization's commit: readers see
/// data only through a committed pointer, so they see whole materializations only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// The pointer: what [`IoManager::load`] is given back. Its form is the manager's own.
    pub pointer: String,
    /// Facts to keep with the materialization, such as rows, bytes and columns.
    #[serde(default)]
    pub metadata: Metadata,
}

/// Where the data of assets lives.
///
/// An implementation writes every attempt to a place of its own, so that a reader never sees half of
/// one attempt and a late attempt never replaces what a later run has published.
#[async_trait]
pub trait IoManager: Send + Sync {
    /// Stores what an attempt made. May be called again for one address; the last call counts.
    ///
    /// # Errors
    /// [`IoError`] when the value has a form that this manager cannot store, or storing failed.
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError>;

    /// Loads what was stored at a pointer.
    ///
    /// # Errors
    /// [`IoError`] when there is nothing at the pointer, or loading failed.
    async fn load(&self, address: &Address, pointer: &str) -> Result<AssetValue, IoError>;
}

/// Data that could not be stored or loaded.
#[derive(Debug, thiserror::Error)]
pub enum IoError {
    /// The manager cannot hold such a value: trying again cannot help.
    #[error("{message}")]
    Unsupported {
        /// What does not fit, and what to use instead.
        message: String,
    },
    /// Nothing is stored where the pointer says.
    #[error("nothing is stored at `{pointer}`")]
    NotFound {
        /// The pointer.
        pointer: String,
    },
    /// The store failed: trying again may help.
    #[error("{message}")]
    Failed {
        /// What was tried.
        message: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
