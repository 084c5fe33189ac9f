//! Helpers for tests of IO managers: addresses, sample rows, storing and loading typed values.
//!
//! They panic where a test would fail anyway.

use std::error::Error;

use precip_core::partitions::PartitionKey;
use precip_engine::{
    asset::{LoadedInput, LoadedPart},
    io::{Address, IoManager},
};
use serde::{Deserialize, Serialize};

use crate::{FromAsset, IntoAsset};

/// A row of the asset `raw/flights`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    /// The airline.
    pub carrier: String,
    /// The delay in minutes, if it is known.
    pub delay: Option<i32>,
}

impl Flight {
    /// Creates a flight without a known delay.
    pub fn of_carrier(carrier: &str) -> Self {
        Self {
            carrier: carrier.to_owned(),
            delay: None,
        }
    }
}

/// Returns the address of an attempt of an asset, always in the same run.
///
/// # Panics
/// When the key is invalid.
pub fn address_of(asset: &str, partition: Option<&str>, attempt: u32) -> Address {
    Address {
        asset: asset.parse().expect("a key"),
        partition: partition.map(PartitionKey::from),
        run: "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().expect("a run id"),
        attempt,
    }
}

/// Returns the message of an error with those of its causes.
pub fn error_chain(error: &dyn Error) -> String {
    let mut messages = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        messages.push_str(&format!(": {error}"));
        cause = error.source();
    }
    messages
}

/// Stores a partition of `raw/flights`, and returns its pointer.
///
/// # Errors
/// The message of the manager's error, with its causes.
///
/// # Panics
/// When the value does not convert.
pub async fn store_flights(
    manager: &dyn IoManager,
    partition: Option<&str>,
    value: impl IntoAsset,
) -> Result<String, String> {
    let value = value.into_asset().expect("the value converts");
    let stored = manager
        .store(&address_of("raw/flights", partition, 1), value)
        .await;
    stored
        .map(|stored| stored.pointer)
        .map_err(|error| error_chain(&error))
}

/// Loads the value at a pointer.
///
/// # Panics
/// When the manager does not load it, or it does not convert.
pub async fn load_value<T: FromAsset>(
    manager: &dyn IoManager,
    address: &Address,
    pointer: &str,
) -> T {
    let value = manager
        .load(address, pointer, &T::needs().request)
        .await
        .expect("the manager loads it");
    T::from_asset(LoadedInput {
        asset: address.asset.clone(),
        parts: vec![LoadedPart {
            partition: address.partition.clone(),
            value,
        }],
    })
    .expect("the value converts back")
}

/// Loads the value of `raw/flights` at a pointer.
///
/// # Panics
/// When the manager does not load it, or it does not convert.
pub async fn load_flights<T: FromAsset>(manager: &dyn IoManager, pointer: &str) -> T {
    load_value(manager, &address_of("raw/flights", None, 1), pointer).await
}
