//! [`LocalFiles`]: the files of a store that is a folder of this machine.

use std::{io, path::PathBuf, sync::Arc};

use object_store::{local::LocalFileSystem, path::Path};

use super::durable::Durable;

/// A store that is a folder of this machine. It writes without syncing the disk.
#[derive(Debug, Clone)]
pub(super) struct LocalFiles {
    store: Arc<LocalFileSystem>,
    durable: Durable,
    /// `true` if only their owner may read the files.
    private: bool,
}

impl LocalFiles {
    /// Creates one for a store whose files are below a folder.
    pub(super) fn new(store: Arc<LocalFileSystem>, folder: PathBuf, private: bool) -> Self {
        Self {
            store,
            durable: Durable::for_root(folder),
            private,
        }
    }

    /// Returns `true` if only their owner may read the files.
    pub(super) fn is_private(&self) -> bool {
        self.private
    }

    /// Creates the folder of a file, if only its owner may read it.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn prepare_folder(&self, path: &Path) -> object_store::Result<()> {
        if !self.private {
            return Ok(());
        }
        let file = self.store.path_to_filesystem(path)?;
        let folder = file.parent().unwrap_or(&file);
        create_folder(folder, true).map_err(generic_error)
    }

    /// Removes the rights of others from a file, if only its owner may read it.
    ///
    /// # Errors
    /// When its rights cannot be changed.
    pub(super) fn close_file(&self, path: &Path) -> object_store::Result<()> {
        if !self.private {
            return Ok(());
        }
        let file = self.store.path_to_filesystem(path)?;
        close_to_others(&file).map_err(generic_error)
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

/// Creates a folder and those above it: for their owner alone, or as the system does.
pub(super) fn create_folder(folder: &std::path::Path, private: bool) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    }
    #[cfg(not(unix))]
    let _ = private;
    builder.create(folder)
}

/// Removes the rights of others from a file.
pub(super) fn close_to_others(file: &std::path::Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(file, permissions)?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}
