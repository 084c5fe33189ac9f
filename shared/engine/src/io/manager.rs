//! [`IoManager`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{key::AssetKey, metadata::Metadata, partitions::PartitionKey};
use serde::{Deserialize, Serialize};

use crate::{asset::AssetValue, io::LoadRequest, run_id::RunId};

/// The attempt at an (asset, partition) that some data belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The asset.
    pub asset: AssetKey,
    /// The partition; `None` for an unpartitioned asset.
    pub partition: Option<PartitionKey>,
    /// The run of the attempt.
    pub run: RunId,
    /// The number of the attempt within the run, from 1.
    pub attempt: u32,
}

/// The result of storing an attempt's data.
///
/// The commit of the materialization publishes the pointer. Readers reach data through committed
/// pointers only, so they see whole materializations only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// The pointer to pass to [`IoManager::load`]. Each manager defines its own format.
    pub pointer: String,
    /// Metadata to record with the materialization, such as row count, size in bytes and columns.
    #[serde(default)]
    pub metadata: Metadata,
}

/// Stores and loads the data of assets.
///
/// An implementation writes every attempt to a location of its own: a reader never sees half of an
/// attempt, and a late attempt never replaces data that a later run has published.
#[async_trait]
pub trait IoManager: Send + Sync {
    /// Stores the value that an attempt returned.
    ///
    /// The value can be loaded as soon as this returns; [`make_durable`](Self::make_durable) is called before
    /// it is published. A second call for the same address replaces the first.
    ///
    /// # Errors
    /// [`IoError`] when this manager cannot store such a value, or storing failed.
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError>;

    /// Makes the data at some pointers survive a power failure.
    ///
    /// It is called after `store` and before the commit that publishes the pointers, so no record ever
    /// points at lost data. Calls may be concurrent: a manager that syncs a disk may serve several with one
    /// sync.
    ///
    /// A manager whose `store` returns only once the data is durable, as most services do, needs no
    /// implementation. A manager that wraps another forwards the call.
    ///
    /// # Errors
    /// [`IoError`] when any of the pointers may not be durable; then none is published.
    async fn make_durable(&self, pointers: &[String]) -> Result<(), IoError> {
        let _ = pointers;
        Ok(())
    }

    /// Loads the value at a pointer.
    ///
    /// # Errors
    /// [`IoError::NotFound`] when nothing is stored at the pointer; another [`IoError`] when loading
    /// failed or the data is damaged.
    async fn load(
        &self,
        address: &Address,
        pointer: &str,
        request: &LoadRequest,
    ) -> Result<AssetValue, IoError>;

    /// Removes the data at a pointer that no record references any more. Removing missing data succeeds.
    ///
    /// A manager whose store cleans up by itself needs no implementation.
    ///
    /// # Errors
    /// [`IoError`] when removing failed; [`IoError::Unsupported`] by default.
    async fn remove(&self, pointer: &str) -> Result<(), IoError> {
        Err(IoError::Unsupported {
            message: format!("this IO manager removes nothing, so `{pointer}` stays"),
        })
    }

    /// Lists every stored attempt of an asset, in no particular order.
    ///
    /// [`gc`](crate::gc) removes the attempts that no materialization references. A manager that keeps one
    /// attempt per partition lists that one only.
    ///
    /// # Errors
    /// [`IoError`] when listing failed; by default [`IoError::Unsupported`].
    async fn list(&self, asset: &AssetKey) -> Result<Vec<StoredAttempt>, IoError> {
        Err(IoError::Unsupported {
            message: format!("this IO manager cannot list what is stored of `{asset}`"),
        })
    }
}

/// One stored attempt, as [`IoManager::list`] returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAttempt {
    /// The pointer, equal to the [`Stored::pointer`] of the attempt.
    pub pointer: String,
    /// The attempt that wrote it.
    pub address: Address,
    /// Its size in bytes.
    pub bytes: u64,
    /// The time it was written, by the store's clock.
    pub written: DateTime<Utc>,
}

/// A failure to store, load, list or remove data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IoError {
    /// The manager does not support this value or operation; retrying cannot help.
    #[error("{message}")]
    Unsupported {
        /// The unsupported part, and what to use instead.
        message: String,
    },
    /// Nothing is stored at the pointer.
    #[error("nothing is stored at `{pointer}`")]
    NotFound {
        /// The pointer.
        pointer: String,
    },
    /// The store failed; retrying may help.
    #[error("{message}")]
    Failed {
        /// The operation that failed.
        message: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
