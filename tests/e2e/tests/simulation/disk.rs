//! A disk that forgets what was not made durable when the power fails.

use std::{collections::BTreeSet, sync::Mutex};

use async_trait::async_trait;
use precip::io::MemoryIoManager;
use precip_engine::{
    asset::AssetValue,
    io::{Address, IoError, IoManager, LoadRequest, Stored},
};

/// Holds data, and knows what of it would be lost.
#[derive(Default)]
pub(crate) struct Disk {
    data: MemoryIoManager,
    /// Pointers to what is not safe yet.
    unsafe_yet: Mutex<BTreeSet<String>>,
}

impl Disk {
    /// The power fails. Answers how much is lost.
    pub(crate) async fn cut_power(&self) -> usize {
        let lost = std::mem::take(&mut *self.unsafe_yet.lock().unwrap());
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
        self.unsafe_yet.lock().unwrap().insert(pointer);
        Ok(stored)
    }

    async fn make_durable(&self, pointers: &[String]) -> Result<(), IoError> {
        // A process that ends here leaves what it stored unsafe.
        tokio::task::yield_now().await;
        let mut unsafe_yet = self.unsafe_yet.lock().unwrap();
        unsafe_yet.retain(|pointer| !pointers.contains(pointer));
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
