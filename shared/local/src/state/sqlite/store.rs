//! [`SqliteStore`].

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use precip_engine::{
    state::{StateError, StateErrorKind},
    system_error::SystemProblem,
};

use super::{
    error::{ErrorMapper, too_many_files},
    migrate::migrate_schema,
    open,
    open::SqliteOptions,
    read::Read,
    readers::Readers,
    write::Write,
    writer::Writer,
};

/// The record in one SQLite file, for any number of tasks and processes on one machine.
///
/// Clones share one writing thread. Concurrent writes are committed together; reads see the last commit
/// and never wait.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    path: PathBuf,
    writer: Writer,
    readers: Readers,
    /// The folder of a copy, removed with the last clone.
    copy: Option<Arc<tempfile::TempDir>>,
}

impl SqliteStore {
    /// Opens the database at a path, creating it if it is missing. The folder must exist.
    ///
    /// # Errors
    /// [`StateError`], whose message names the file and says what to do: `ReadOnly` for a folder or
    /// file that may not be written, `Locked` while another process has exclusive access, `Corrupt`
    /// for a damaged file, `NewerSchema` for a file written by a newer version, `Unavailable` for a
    /// file that cannot be opened or belongs to another program.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StateError> {
        Self::open_with(path, SqliteOptions::default())
    }

    /// Opens the database with options.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self, StateError> {
        let path = path.as_ref().to_owned();
        check_folder(&path)?;
        let mut connection = open::open_connection(&path, &options)?;
        // Migrated before the writer starts, so every connection sees the present schema.
        migrate_schema(&mut connection, &path)?;
        let writer = Writer::spawn_thread(connection, ErrorMapper::new(&path)).map_err(|source| {
            StateError::new(
                StateErrorKind::Unavailable,
                "the thread that writes the state cannot be started: the machine has no threads left",
            )
            .with_source(source)
        })?;
        let readers = Readers::new(path.clone(), options);
        Ok(Self {
            path,
            writer,
            readers,
            copy: None,
        })
    }

    /// Opens a copy of a database that cannot be written. Everything written to the store is lost with it.
    ///
    /// # Errors
    /// As [`Self::open`], and `Unavailable` when the copy cannot be made.
    pub(crate) fn open_copy(path: impl AsRef<Path>) -> Result<Self, StateError> {
        let folder = tempfile::tempdir().map_err(|source| {
            StateError::new(
                StateErrorKind::Unavailable,
                "the folder for temporary files cannot be written: a copy of a read-only state is made there",
            )
            .with_source(source)
        })?;
        let copy = folder.path().join("state.db");
        let path = path.as_ref();
        open::copy_database(path, &copy)?;
        let opened = Self::open(&copy).map_err(|error| {
            // The problem is that of the original.
            let (copy, path) = (copy.display().to_string(), path.display().to_string());
            let message = error.to_string().replace(&copy, &path);
            StateError::new(error.kind(), message).with_source(error)
        })?;
        Ok(Self {
            copy: Some(Arc::new(folder)),
            ..opened
        })
    }

    /// Returns `true` if this is a copy of a database that cannot be written.
    pub fn is_copy(&self) -> bool {
        self.copy.is_some()
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on a consistent view of the database.
    pub(super) async fn run_read<T, F>(&self, work: F) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&Read<'_>) -> Result<T, StateError> + Send + 'static,
    {
        self.readers.run_read(work).await
    }

    /// Runs `work` in a transaction, and returns when it is committed.
    pub(super) async fn run_write<T, F>(&self, work: F) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T, StateError> + Send + 'static,
    {
        self.writer.run_write(work).await
    }
}

/// Checks the folder of the database: SQLite itself would only say "cannot open".
fn check_folder(path: &Path) -> Result<(), StateError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(StateError::new(
            StateErrorKind::Unavailable,
            format!(
                "there is no folder `{}` to keep the state in: create it, or choose another",
                folder.display()
            ),
        ));
    }
    // A database with a write-ahead log needs files next to it: the right to write the file itself is
    // not enough.
    let Err(error) = tempfile::tempfile_in(folder) else {
        return Ok(());
    };
    match SystemProblem::of(&error) {
        SystemProblem::Denied | SystemProblem::ReadOnly => {
            Err(open::read_only(path).with_source(error))
        }
        SystemProblem::TooManyFiles => Err(too_many_files(path).with_source(error)),
        // SQLite's own error says more.
        SystemProblem::DiskFull | SystemProblem::InTheWay | SystemProblem::Other => Ok(()),
    }
}
