//! Addresses and rows of the cases, and storing and loading them.

use precip_engine::io::{Address, IoManager, Stored};
use serde::{Deserialize, Serialize};

use super::testing::address_of;
pub(super) use super::testing::load_value;
use crate::{FromAsset, IntoAsset};

/// A row that identifies its writer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) writer: u32,
    n: u32,
}

/// Returns rows that identify their writer and show whether any are missing.
pub(super) fn rows_of(writer: u32) -> Vec<Row> {
    (0..5_000).map(|n| Row { writer, n }).collect()
}

/// Returns the writer of the rows, and panics when they are incomplete or of several writers.
pub(super) fn writer_of(rows: &[Row]) -> u32 {
    let writer = rows.first().expect("there are rows").writer;
    let count = rows.len();
    assert!(
        rows == rows_of(writer),
        "a mix of writers: {count} rows, the first by {writer}"
    );
    writer
}

/// Returns the address of an attempt of the asset that the cases store.
pub(super) fn test_address(partition: Option<&str>, attempt: u32) -> Address {
    address_of("checked/asset", partition, attempt)
}

/// Stores a value, and panics when the manager does not.
pub(super) async fn store_value(
    manager: &dyn IoManager,
    address: &Address,
    value: impl IntoAsset,
) -> Stored {
    let value = value.into_asset().expect("the value converts");
    manager
        .store(address, value)
        .await
        .expect("the manager stores it")
}

/// Stores a value and loads it again.
pub(super) async fn store_and_load<T: IntoAsset, U: FromAsset>(
    manager: &dyn IoManager,
    value: T,
) -> U {
    let address = test_address(Some("2013-01-01"), 1);
    let stored = store_value(manager, &address, value).await;
    load_value(manager, &address, &stored.pointer).await
}
