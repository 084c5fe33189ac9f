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

use super::{collect_value, layout, value_metadata};
use crate::{
    Value,
    tables::{check_renamed_columns, describe_address},
};

/// Keeps values in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryIoManager {
    values: Mutex<BTreeMap<String, Value>>,
}

impl MemoryIoManager {
    /// Creates an empty manager.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock_values(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Value>> {
        // A panic elsewhere leaves the map consistent: every change is one insertion or removal.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl IoManager for MemoryIoManager {
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
        let value = collect_value(address, value).await?;
        let pointer = layout::attempt_path(address, "value");
        let metadata: Metadata = value_metadata(&value, None);
        self.lock_values().insert(pointer.clone(), value);
        Ok(Stored { pointer, metadata })
    }

    async fn load(
        &self,
        address: &Address,
        pointer: &str,
        request: &LoadRequest,
    ) -> Result<AssetValue, IoError> {
        let value = self.lock_values().get(pointer).cloned();
        let value = value.ok_or_else(|| IoError::NotFound {
            pointer: pointer.to_owned(),
        })?;
        if let Value::Table(table) = &value {
            let fields = table.schema().fields().iter();
            let names: Vec<&str> = fields.map(|field| field.name().as_str()).collect();
            check_renamed_columns(&names, request).map_err(|problem| IoError::Unsupported {
                message: format!("{}: {problem}", describe_address(address)),
            })?;
        }
        Ok(value.into())
    }

    async fn remove(&self, pointer: &str) -> Result<(), IoError> {
        self.lock_values().remove(pointer);
        Ok(())
    }

    async fn list(&self, asset: &AssetKey) -> Result<Vec<StoredAttempt>, IoError> {
        // Pointers of other assets do not parse.
        let attempt = |pointer: &String| {
            Some(StoredAttempt {
                pointer: pointer.clone(),
                address: layout::parse_path(asset, pointer)?,
                bytes: 0,
                written: DateTime::<Utc>::UNIX_EPOCH,
            })
        };
        Ok(self.lock_values().keys().filter_map(attempt).collect())
    }
}
