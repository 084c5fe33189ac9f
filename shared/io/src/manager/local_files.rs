//! [`LocalFiles`]: the files of a store that is a folder of this machine.

use std::{io, path::PathBuf, sync::Arc};

use object_store::{local::LocalFileSystem, path::Path};

use super::durable::Durable;

/// A store that is a folder of this machine. It writes without syncing the disk.
#[derive(Debug, Clone)]
pub(super) struct LocalFiles {
    store: Arc<LocalFileSystem>,
    durable: Durable,
}

impl LocalFiles {
    /// Creates one for a store whose files are below a folder.
    pub(super) fn new(store: Arc<LocalFileSystem>, folder: PathBuf) -> Self {
        Self {
            store,
            durable: Durable::for_root(folder),
        }
    }

    /// Returns the path of a file on this machine.
    ///
    /// # Errors
    /// When the path cannot be that of a file.
    pub(super) fn file_path(&self, path: &Path) -> object_store::Result<PathBuf> {
        self.store.path_to_filesystem(path)
    }

    /// Returns when the files at the paths are on the disk.
    ///
    /// # Errors
    /// When one of them may not be durable.
    pub(super) async fn make_durable(&self, paths: &[Path]) -> object_store::Result<()> {
        let files: Result<Vec<PathBuf>, _> = paths
            .iter()
            .map(|path| self.store.path_to_filesystem(path))
            .collect();
        self.durable
            .make_durable(files?)
            .await
            .map_err(generic_error)
    }
}

/// Converts an error of the file system into one of a store.
pub(super) fn generic_error(error: io::Error) -> object_store::Error {
    object_store::Error::Generic {
        store: "LocalFileSystem",
        source: Box::new(error),
    }
}
