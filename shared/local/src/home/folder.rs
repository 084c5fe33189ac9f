//! [`Home`].

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use precip_engine::{
    state::{StateError, StateErrorKind},
    system_error::SystemProblem,
};

use super::{
    create_private_file, create_private_folder,
    private::{tighten_entry, tighten_folder},
};
use crate::state::SqliteStore;

/// The default name of the folder that holds a project's state and data.
pub const HOME_FOLDER: &str = ".precip";

/// The folder that holds a project's state and data on this machine:
///
/// ```text
/// .precip/
///   .gitignore     keeps the folder out of version control
///   state.db       the record of runs and materializations
///   data/          the data stored by the default IO manager
///   runs/{run}/    the plan of a run, and texts that are too long for the record
///   locks/         one file for each process that executes runs
///   environments/  a home like this one for each environment but the first
/// ```
///
/// Only the owner can read the folder and everything in it. A home that others could read is closed when it is
/// opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
    /// The project's home, which contains those of its environments.
    top: PathBuf,
}

/// The error of a home that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The folder, or one in it, cannot be created.
    #[error("failed to create `{}`: {}", path.display(), create_advice(source))]
    Create {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// There is a file where the folder should be.
    #[error("`{}` is a file, and the home has to be a folder: move it away, or choose another home", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// The folder cannot be read.
    #[error(
        "failed to read `{}`: it belongs to another user, or its rights were changed; ask its owner, or choose \
         another home with `--home`", path.display()
    )]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Files of an old run cannot be removed.
    #[error("failed to remove `{}`: give your user the right to write in it", path.display())]
    Remove {
        /// The folder of the run.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A lock file cannot be created or locked.
    #[error("failed to lock `{}`: {}", path.display(), lock_advice(source))]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The state cannot be opened.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Returns what to do when a folder cannot be created.
fn create_advice(error: &io::Error) -> &'static str {
    exhausted_advice(error).unwrap_or(
        "give your user the right to write in the folder above it, or choose another home",
    )
}

/// Returns what to do when a lock cannot be taken.
fn lock_advice(error: &io::Error) -> &'static str {
    exhausted_advice(error).unwrap_or(
        "the home has to be on a disk of this machine that your user may write to (network shares often lack locks)",
    )
}

/// Returns what to do when the system has run out of something, which no right mends.
fn exhausted_advice(error: &io::Error) -> Option<&'static str> {
    match SystemProblem::of(error) {
        problem @ (SystemProblem::TooManyFiles | SystemProblem::DiskFull) => problem.advice(),
        SystemProblem::Denied
        | SystemProblem::ReadOnly
        | SystemProblem::InTheWay
        | SystemProblem::Other => None,
    }
}

impl Home {
    /// Returns the home of a project: the chosen folder, or else `.precip` in the project's folder.
    pub fn of_project(project: &Path, chosen: Option<&Path>) -> Self {
        let root = chosen.map_or_else(|| project.join(HOME_FOLDER), |chosen| project.join(chosen));
        let top = root.clone();
        Self { root, top }
    }

    /// Returns the home of an environment other than the project's first, within this home. Each
    /// environment has its own record and data.
    #[must_use]
    pub fn of_environment(&self, name: &str) -> Self {
        let root = self.root.join("environments").join(name);
        let top = self.top.clone();
        Self { root, top }
    }

    /// Creates the missing folders. Only the owner can read them.
    ///
    /// # Errors
    /// [`HomeError`] when one cannot be created.
    pub fn create_folders(&self) -> Result<(), HomeError> {
        self.find_root()?;
        // The folders above the home are not private.
        if let Some(above) = self.top.parent() {
            fs::create_dir_all(above).map_err(|source| HomeError::Create {
                path: above.to_owned(),
                source,
            })?;
        }
        for folder in [
            self.root.clone(),
            self.data_folder(),
            self.runs_folder(),
            self.locks_folder(),
        ] {
            if let Err(source) = create_private_folder(&folder) {
                return Err(HomeError::Create {
                    path: folder,
                    source,
                });
            }
        }
        let ignore = self.root.join(".gitignore");
        // An existing file is kept: a person may have changed it.
        if !ignore.exists() {
            create_private_file(&ignore)
                .and_then(|mut file| file.write_all(IGNORE_ALL))
                .map_err(|source| HomeError::Create {
                    path: ignore,
                    source,
                })?;
        }
        Ok(())
    }

    /// Opens the state, and creates the home if it is missing. Removes the rights of others from an existing home.
    ///
    /// # Errors
    /// [`HomeError`] when the home cannot be created or the state cannot be opened.
    pub fn open_state(&self) -> Result<SqliteStore, HomeError> {
        // An existing home may be on a disk that became read-only: then the state's own message is
        // the better one.
        if !self.locks_folder().is_dir() {
            self.create_folders()?;
        }
        self.close_to_others()?;
        Ok(SqliteStore::open(self.state_db())?)
    }

    /// Opens the state of an existing home for a command that only reads. If the home cannot be written, as on a
    /// read-only file system, opens a copy of the state that is removed when the store is dropped. Returns `None`
    /// when there is no state.
    ///
    /// # Errors
    /// [`HomeError`] when the home exists and cannot be read.
    pub fn open_existing_state(&self) -> Result<Option<SqliteStore>, HomeError> {
        self.find_root()?;
        if !self.holds_state()? {
            return Ok(None);
        }
        self.close_to_others()?;
        match SqliteStore::open(self.state_db()) {
            Err(error) if error.kind() == StateErrorKind::ReadOnly => {
                Ok(Some(SqliteStore::open_copy(self.state_db())?))
            }
            opened => Ok(Some(opened?)),
        }
    }

    /// Returns `true` if there is a state.
    ///
    /// # Errors
    /// [`HomeError::Unreadable`] when the folder may not be searched: that is not the same as no state.
    fn holds_state(&self) -> Result<bool, HomeError> {
        let path = self.state_db();
        path.try_exists()
            .map_err(|source| HomeError::Unreadable { path, source })
    }

    /// Returns `true` if the folder exists.
    ///
    /// # Errors
    /// [`HomeError`] when it is a file, or cannot be looked up.
    pub fn find_root(&self) -> Result<bool, HomeError> {
        match fs::metadata(&self.root) {
            Ok(found) if found.is_dir() => Ok(true),
            Ok(_) => Err(HomeError::NotAFolder {
                path: self.root.clone(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(HomeError::Unreadable {
                path: self.root.clone(),
                source,
            }),
        }
    }

    /// Removes the rights of others from the home, if it is ours.
    fn close_to_others(&self) -> Result<(), HomeError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| HomeError::Unreadable { path, source }
        };
        // A home in a folder of something else, such as the project's own, leaves that folder as it is.
        for folder in [&self.top, &self.root] {
            if is_only_home(folder) {
                tighten_entry(folder).map_err(failed(folder))?;
                let ignore = folder.join(".gitignore");
                tighten_entry(&ignore).map_err(failed(&ignore))?;
            }
        }
        for name in ["data", "runs", "locks", "buckets", "environments"] {
            let folder = self.root.join(name);
            tighten_folder(&folder).map_err(failed(&folder))?;
        }
        // The log and the shared memory exist while the database is open, and hold the same data.
        for name in ["state.db", "state.db-wal", "state.db-shm"] {
            let file = self.root.join(name);
            tighten_entry(&file).map_err(failed(&file))?;
        }
        Ok(())
    }

    /// Returns the folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the file of the state.
    pub fn state_db(&self) -> PathBuf {
        self.root.join("state.db")
    }

    /// Returns the folder in which the default IO manager stores data.
    pub fn data_folder(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Returns the folder that holds a folder for each run.
    pub fn runs_folder(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Returns the folder of the lock files.
    pub fn locks_folder(&self) -> PathBuf {
        self.root.join("locks")
    }
}

/// The content of the `.gitignore` of a home.
const IGNORE_ALL: &[u8] = b"*\n";

/// Returns `true` if a folder is nothing but a home: its `.gitignore` is the one that a home is created with.
fn is_only_home(folder: &Path) -> bool {
    fs::read(folder.join(".gitignore")).is_ok_and(|content| content == IGNORE_ALL)
}
