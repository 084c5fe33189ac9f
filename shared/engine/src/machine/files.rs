//! [`RunFiles`]: the port to a run's own files.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

/// Storage of a run's plan and manifests, by key such as `runs/{run}/plan-0.json`. Writes are
/// atomic: a reader sees a whole file or none.
#[async_trait]
pub trait RunFiles: Send + Sync + Debug {
    /// Creates a file unless its key exists; returns whether it did. Of several concurrent calls, one
    /// succeeds.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be written.
    async fn create_file(&self, key: &str, content: Vec<u8>) -> Result<bool, FileError>;

    /// Writes a file, replacing an existing one.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be written.
    async fn write_file(&self, key: &str, content: Vec<u8>) -> Result<(), FileError>;

    /// Reads a file; `None` when it does not exist.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be read.
    async fn read_file(&self, key: &str) -> Result<Option<Vec<u8>>, FileError>;
}

/// An error of reading or writing a file of a run.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct FileError {
    /// The error message, with the fix.
    pub message: String,
    /// True if a retry may help.
    pub retryable: bool,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Files in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryFiles(Mutex<BTreeMap<String, Vec<u8>>>);

#[async_trait]
impl RunFiles for MemoryFiles {
    async fn create_file(&self, key: &str, content: Vec<u8>) -> Result<bool, FileError> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = !files.contains_key(key);
        if free {
            files.insert(key.to_owned(), content);
        }
        Ok(free)
    }

    async fn write_file(&self, key: &str, content: Vec<u8>) -> Result<(), FileError> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(key.to_owned(), content);
        Ok(())
    }

    async fn read_file(&self, key: &str) -> Result<Option<Vec<u8>>, FileError> {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(files.get(key).cloned())
    }
}
