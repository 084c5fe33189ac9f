//! A run that an earlier version began on a machine is continued. The files of `fixtures/stored/machine`
//! never change; see the test `stored_bytes`.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use precip::io::ObjectStoreIoManager;
use precip_engine::{
    machine::{FileError, Mode, RunFiles},
    run::Sleeper,
    state::RunStatus,
};
use precip_local::state::SqliteStore;
use precip_tests::stored::{copy_folder, restore_database, stored_fixture};

use crate::{
    cloud::{Cloud, Stored},
    world::block_on_one_thread,
};

/// The files of runs, in a folder.
#[derive(Debug)]
struct FolderFiles(PathBuf);

#[async_trait]
impl RunFiles for FolderFiles {
    async fn create_file(&self, key: &str, content: Vec<u8>) -> Result<bool, FileError> {
        let is_new = !self.0.join(key).exists();
        if is_new {
            self.write_file(key, content).await?;
        }
        Ok(is_new)
    }

    async fn write_file(&self, key: &str, content: Vec<u8>) -> Result<(), FileError> {
        let path = self.0.join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        Ok(())
    }

    async fn read_file(&self, key: &str) -> Result<Option<Vec<u8>>, FileError> {
        Ok(fs::read(self.0.join(key)).ok())
    }
}

/// Sleeps as long as it is asked to: data on a disk takes longer than an instant.
#[derive(Debug)]
struct RealSleeper;

#[async_trait]
impl Sleeper for RealSleeper {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[test]
fn a_run_of_an_earlier_version_is_redriven() {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&stored_fixture("machine"), folder.path()).unwrap();
    let database = folder.path().join("state.db");
    restore_database(&folder.path().join("state.sql"), &database).unwrap();
    block_on_one_thread(async {
        let data = folder.path().join("data");
        let stored = Stored {
            store: Arc::new(SqliteStore::open(&database).unwrap()),
            data: Arc::new(ObjectStoreIoManager::open(&data.to_string_lossy()).unwrap()),
            files: Arc::new(FolderFiles(folder.path().to_owned())),
            sleeper: Arc::new(RealSleeper),
        };
        let mut cloud = Cloud::open(2, stored);
        let run = cloud.only_run().await;
        assert_eq!(run.status, RunStatus::Failed);
        assert_eq!(run.request.tags["team"], "night");
        assert_eq!(cloud.list_published(run.id).await.len(), 30);

        // The redrive reads the stored plan, and runs what the failure of `left[3]` held back.
        cloud.redrive_run(run.id, Mode::Distributed).await.unwrap();
        let calls = cloud.trouble.lock().calls.clone();
        let rerun: Vec<&str> = calls.keys().map(String::as_str).collect();
        assert_eq!(rerun, ["joined[3]", "left[3]", "total[]"]);
        assert_eq!(cloud.only_run().await.status, RunStatus::Succeeded);
        assert_eq!(cloud.list_published(run.id).await.len(), 33);
    });
}
