//! [`MemoryIoManager`].

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{key::AssetKey, metadata::Metadata};
use precip_engine::{
    asset::AssetValue,
    io::{Address, IoError, IoManager, LoadRequest, Stored, StoredAttempt},
};

use super::{facts, layout, whole};
use crate::Value;

/// Keeps values as they are, as long as the process lives. For tests.
#[derive(Debug, Default)]
pub struct MemoryIoManager {
    values: Mutex<BTreeMap<String, Value>>,
}

impl MemoryIoManager {
    /// One that holds nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn values(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Value>> {
        // A panic elsewhere leaves the map whole: every change is one insertion or removal.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl IoManager for MemoryIoManager {
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
        let value = whole(address, value).await?;
        let pointer = layout::path(address, "value");
        let metadata: Metadata = facts(&value, None);
        self.values().insert(pointer.clone(), value);
        Ok(Stored { pointer, metadata })
    }

    async fn load(
        &self,
        _: &Address,
        pointer: &str,
        _: &LoadRequest,
    ) -> Result<AssetValue, IoError> {
        let value = self.values().get(pointer).cloned();
        value
            .map(AssetValue::from)
            .ok_or_else(|| IoError::NotFound {
                pointer: pointer.to_owned(),
            })
    }

    async fn remove(&self, pointer: &str) -> Result<(), IoError> {
        self.values().remove(pointer);
        Ok(())
    }

    async fn list(&self, asset: &AssetKey) -> Result<Vec<StoredAttempt>, IoError> {
        let attempt = |pointer: &String| {
            Some(StoredAttempt {
                pointer: pointer.clone(),
                address: layout::parse(asset, pointer)?,
                bytes: 0,
                written: DateTime::<Utc>::UNIX_EPOCH,
            })
        };
        Ok(self.values().keys().filter_map(attempt).collect())
    }
}
