//! [`SqliteStore`].

use std::path::{Path, PathBuf};

use precip_engine::state::{StateError, StateErrorKind};

use super::{
    error::Blame, migrate::migrate, open, open::Options, read::Read, readers::Readers,
    write::Write, writer::Writer,
};

/// State in one SQLite file, for any number of tasks and processes on one machine.
///
/// Clones share one writing thread. Writes that come in together are committed together; reads see
/// the last commit and wait for nobody.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    path: PathBuf,
    writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// Opens the database at a path, or makes it there. The folder has to exist.
    ///
    /// # Errors
    /// [`StateError`], whose message names the file and says what to do: `ReadOnly` for a folder or
    /// file that may not be written, `Locked` while another process has it to itself, `Corrupt` for
    /// a damaged file, `NewerSchema` for one that a newer version has written, `Unavailable` for one
    /// that cannot be opened or belongs to another program.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StateError> {
        Self::open_with(path, Options::default())
    }

    /// Opens the database with other options than the usual ones.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Self, StateError> {
        let path = path.as_ref().to_owned();
        check_folder(&path)?;
        let mut connection = open::connect(&path, &options)?;
        migrate(&mut connection, &path)?;
        let writer = Writer::start(connection, Blame::new(&path)).map_err(|source| {
            StateError::new(
                StateErrorKind::Unavailable,
                "the thread that writes the state cannot be started: the machine is out of threads",
            )
            .because(source)
        })?;
        let readers = Readers::new(path.clone(), options);
        Ok(Self {
            path,
            writer,
            readers,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&Read<'_>) -> Result<T, StateError> + Send + 'static,
    {
        self.readers.read(work).await
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T, StateError> + Send + 'static,
    {
        self.writer.write(work).await
    }
}

/// SQLite answers "cannot open" to everything; what is wrong with the folder is found out first.
fn check_folder(path: &Path) -> Result<(), StateError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(StateError::new(
            StateErrorKind::Unavailable,
            format!(
                "there is no folder `{}` to keep the state in: make it, or choose another",
                folder.display()
            ),
        ));
    }
    // A database in WAL mode needs files beside it: the right to write the file is not enough.
    match tempfile::tempfile_in(folder) {
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            Err(open::read_only(path).because(error))
        }
        _ => Ok(()),
    }
}
