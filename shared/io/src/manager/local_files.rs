//! [`LocalFiles`]: which files of this machine a store's paths are.

use std::{io, path::PathBuf, sync::Arc};

use object_store::{local::LocalFileSystem, path::Path};

use super::durable::Durable;

/// A store that is a folder of this machine. It writes without waiting for the disk.
#[derive(Debug, Clone)]
pub(super) struct LocalFiles {
    store: Arc<LocalFileSystem>,
    durable: Durable,
}

impl LocalFiles {
    /// The store's files, which are all below a folder.
    pub(super) fn new(store: Arc<LocalFileSystem>, folder: PathBuf) -> Self {
        Self {
            store,
            durable: Durable::below(folder),
        }
    }

    /// The file of a path.
    ///
    /// # Errors
    /// When the path is none of a file.
    pub(super) fn file(&self, path: &Path) -> object_store::Result<PathBuf> {
        self.store.path_to_filesystem(path)
    }

    /// Returns when what was written to the paths is on the disk.
    ///
    /// # Errors
    /// When that cannot be said of one of them.
    pub(super) async fn make_durable(&self, paths: &[Path]) -> object_store::Result<()> {
        let files: Result<Vec<PathBuf>, _> = paths
            .iter()
            .map(|path| self.store.path_to_filesystem(path))
            .collect();
        self.durable.keep(files?).await.map_err(failed)
    }
}

fn failed(error: io::Error) -> object_store::Error {
    object_store::Error::Generic {
        store: "LocalFileSystem",
        source: Box::new(error),
    }
}
