use std::sync::Arc;

use async_trait::async_trait;

use super::MemoryStore;
use crate::state::{StateStore, conformance::Harness};

struct Memory(MemoryStore);

#[async_trait]
impl Harness for Memory {
    fn store(&self) -> Arc<dyn StateStore> {
        Arc::new(self.0.clone())
    }

    async fn open_peer(&self) -> Arc<dyn StateStore> {
        Arc::new(self.0.clone())
    }
}

crate::state_store_conformance!(Memory(MemoryStore::new()));
