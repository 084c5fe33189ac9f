//! [`IoManager`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{key::AssetKey, metadata::Metadata, partitions::PartitionKey};
use serde::{Deserialize, Serialize};

use crate::{asset::AssetValue, io::LoadRequest, run_id::RunId};

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
    /// Stores what an attempt made. May be called again for one address; the last call counts. It can
    /// be loaded from then on; [`make_durable`](Self::make_durable) follows before it is published.
    ///
    /// # Errors
    /// [`IoError`] when the value has a form that this manager cannot store, or storing failed.
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError>;

    /// Makes what was stored at some pointers outlast a power failure. It is called after `store` and
    /// before the commit that publishes the pointers, so that no record ever points at data that is
    /// lost. Calls may come at the same time: a manager that waits for a disk may do so once for all.
    ///
    /// A manager whose `store` answers when the data is safe, as most services do, leaves this out. One
    /// that wraps another manager passes it on.
    ///
    /// # Errors
    /// [`IoError`] when it cannot be said of all of them that they are safe: none is published then.
    async fn make_durable(&self, pointers: &[String]) -> Result<(), IoError> {
        let _ = pointers;
        Ok(())
    }

    /// Loads what was stored at a pointer.
    ///
    /// # Errors
    /// [`IoError::NotFound`] when there is nothing at the pointer; another [`IoError`] when loading
    /// failed or what is there is damaged.
    async fn load(
        &self,
        address: &Address,
        pointer: &str,
        request: &LoadRequest,
    ) -> Result<AssetValue, IoError>;

    /// Removes what was stored at a pointer, once nothing points there any more. Removing what is
    /// not there is no error.
    ///
    /// # Errors
    /// [`IoError`] when removing failed. A manager whose store cleans up by itself leaves this out:
    /// by default nothing is removed and [`IoError::Unsupported`] says so.
    async fn remove(&self, pointer: &str) -> Result<(), IoError> {
        Err(IoError::Unsupported {
            message: format!("this IO manager removes nothing, so `{pointer}` stays"),
        })
    }

    /// Lists every attempt that is stored of an asset, in no particular order. Those that no
    /// materialization points at, and nobody reads any more, can be removed (see [`gc`](crate::gc)).
    /// A manager that keeps one attempt of a partition only lists that one.
    ///
    /// # Errors
    /// [`IoError`] when listing failed; by default [`IoError::Unsupported`].
    async fn list(&self, asset: &AssetKey) -> Result<Vec<StoredAttempt>, IoError> {
        Err(IoError::Unsupported {
            message: format!("this IO manager cannot list what is stored of `{asset}`"),
        })
    }
}

/// One attempt's data in a store, as [`IoManager::list`] finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAttempt {
    /// The pointer: equal to [`Stored::pointer`] of the attempt that wrote it.
    pub pointer: String,
    /// Which attempt wrote it.
    pub address: Address,
    /// Its size.
    pub bytes: u64,
    /// When it was written, by the store's clock.
    pub written: DateTime<Utc>,
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
