//! Addresses, and storing and loading typed values.

use precip_core::partitions::PartitionKey;
use precip_engine::{
    asset::{LoadedInput, LoadedPart},
    io::{Address, IoManager, Stored},
};

use serde::{Deserialize, Serialize};

use crate::{FromAsset, IntoAsset};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) writer: u32,
    n: u32,
}

/// Rows that tell who wrote them, and whether any are missing.
pub(super) fn rows_of(writer: u32) -> Vec<Row> {
    (0..5_000).map(|n| Row { writer, n }).collect()
}

/// Who wrote the rows, every one of them.
pub(super) fn writer_of(rows: &[Row]) -> u32 {
    let by = rows.first().expect("there are rows").writer;
    let count = rows.len();
    assert!(
        rows == rows_of(by),
        "a mix of writers: {count} rows, the first by {by}"
    );
    by
}

pub(super) fn address(partition: Option<&str>, attempt: u32) -> Address {
    Address {
        asset: "checked/asset".parse().expect("a key"),
        partition: partition.map(PartitionKey::from),
        run: "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().expect("a run id"),
        attempt,
    }
}

pub(super) async fn store(
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

pub(super) async fn load<T: FromAsset>(
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

/// Stores and loads.
pub(super) async fn there_and_back<T: IntoAsset, U: FromAsset>(
    manager: &dyn IoManager,
    value: T,
) -> U {
    let address = address(Some("2013-01-01"), 1);
    let stored = store(manager, &address, value).await;
    load(manager, &address, &stored.pointer).await
}
