use std::sync::Arc;

use async_trait::async_trait;
use precip_engine::state::{StateStore, conformance::Harness};
use tempfile::TempDir;

use crate::state::SqliteStore;

struct Sqlite {
    folder: TempDir,
    store: SqliteStore,
}

impl Sqlite {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("state.db")).unwrap();
        Self { folder, store }
    }
}

#[async_trait]
impl Harness for Sqlite {
    fn store(&self) -> Arc<dyn StateStore> {
        Arc::new(self.store.clone())
    }

    async fn open_peer(&self) -> Arc<dyn StateStore> {
        // A second writer with connections of its own, as a second process has.
        Arc::new(SqliteStore::open(self.folder.path().join("state.db")).unwrap())
    }
}

precip_engine::state_store_conformance!(Sqlite::new());
