//! The port to a run's own files: [`RunFiles`].

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

/// Where a run's plan and manifests lie, by key such as `runs/{run}/plan-0.json`. Files are written
/// whole: a reader sees all of one or nothing.
#[async_trait]
pub trait RunFiles: Send + Sync + Debug {
    /// Writes a file unless there is one of this key; answers whether it did. Of several that try at
    /// once, one does.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be written.
    async fn create(&self, key: &str, content: Vec<u8>) -> Result<bool, FileError>;

    /// Writes a file, whether it was there or not.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be written.
    async fn write(&self, key: &str, content: Vec<u8>) -> Result<(), FileError>;

    /// Reads a file; `None` when there is none.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be read.
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, FileError>;
}

/// A file of a run that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct FileError {
    /// What failed, and what to do.
    pub message: String,
    /// Whether trying again may help.
    pub retryable: bool,
    /// Why.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Files in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryFiles(Mutex<BTreeMap<String, Vec<u8>>>);

#[async_trait]
impl RunFiles for MemoryFiles {
    async fn create(&self, key: &str, content: Vec<u8>) -> Result<bool, FileError> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = !files.contains_key(key);
        if free {
            files.insert(key.to_owned(), content);
        }
        Ok(free)
    }

    async fn write(&self, key: &str, content: Vec<u8>) -> Result<(), FileError> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(key.to_owned(), content);
        Ok(())
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, FileError> {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(files.get(key).cloned())
    }
}
