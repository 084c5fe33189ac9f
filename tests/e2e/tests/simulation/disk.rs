//! A disk that loses data that was not made durable when the power fails.

use std::{collections::BTreeSet, sync::Mutex};

use async_trait::async_trait;
use precip::io::MemoryIoManager;
use precip_engine::{
    asset::AssetValue,
    io::{Address, IoError, IoManager, LoadRequest, Stored},
};

/// Data in memory, with the pointers to what a power cut would lose.
#[derive(Default)]
pub(crate) struct Disk {
    data: MemoryIoManager,
    /// Pointers to data that is not durable yet.
    volatile: Mutex<BTreeSet<String>>,
}

impl Disk {
    /// Removes data that is not durable, and returns the number of lost values.
    pub(crate) async fn cut_power(&self) -> usize {
        let lost = std::mem::take(&mut *self.volatile.lock().unwrap());
        for pointer in &lost {
            self.data.remove(pointer).await.unwrap();
        }
        lost.len()
    }
}

#[async_trait]
impl IoManager for Disk {
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
        let stored = self.data.store(address, value).await?;
        let pointer = stored.pointer.clone();
        self.volatile.lock().unwrap().insert(pointer);
        Ok(stored)
    }

    async fn make_durable(&self, pointers: &[String]) -> Result<(), IoError> {
        // A process that is killed here leaves volatile data behind.
        tokio::task::yield_now().await;
        let mut volatile = self.volatile.lock().unwrap();
        volatile.retain(|pointer| !pointers.contains(pointer));
        Ok(())
    }

    async fn load(
        &self,
        address: &Address,
        pointer: &str,
        request: &LoadRequest,
    ) -> Result<AssetValue, IoError> {
        self.data.load(address, pointer, request).await
    }
}
