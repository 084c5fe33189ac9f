//! [`Home`].

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use precip_engine::state::StateError;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

/// The error of a home that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The folder, or one in it, cannot be created.
    #[error(
        "failed to create `{}`: give your user the right to write in the folder above it, or choose \
         another home", path.display()
    )]
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
    /// A lock file cannot be created or locked.
    #[error(
        "failed to lock `{}`: the home has to be on a disk of this machine that your user may \
         write to (network shares often lack locks)", path.display()
    )]
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

impl Home {
    /// Returns the home of a project: the chosen folder, or else `.precip` in the project's folder.
    pub fn of_project(project: &Path, chosen: Option<&Path>) -> Self {
        let root = chosen.map_or_else(|| project.join(HOME_FOLDER), |chosen| project.join(chosen));
        Self { root }
    }

    /// Returns the home of an environment other than the project's first, within this home. Each
    /// environment has its own record and data.
    #[must_use]
    pub fn of_environment(&self, name: &str) -> Self {
        let root = self.root.join("environments").join(name);
        Self { root }
    }

    /// Creates the missing folders.
    ///
    /// # Errors
    /// [`HomeError`] when one cannot be created.
    pub fn create_folders(&self) -> Result<(), HomeError> {
        if self.root.is_file() {
            return Err(HomeError::NotAFolder {
                path: self.root.clone(),
            });
        }
        for folder in [
            self.root.clone(),
            self.data_folder(),
            self.runs_folder(),
            self.locks_folder(),
        ] {
            if let Err(source) = fs::create_dir_all(&folder) {
                return Err(HomeError::Create {
                    path: folder,
                    source,
                });
            }
        }
        let ignore = self.root.join(".gitignore");
        // An existing file is kept: a person may have changed it.
        if !ignore.exists() {
            fs::write(&ignore, "*\n").map_err(|source| HomeError::Create {
                path: ignore,
                source,
            })?;
        }
        Ok(())
    }

    /// Opens the state, and creates the home if it is missing.
    ///
    /// # Errors
    /// [`HomeError`] when the home cannot be created or the state cannot be opened.
    pub fn open_state(&self) -> Result<SqliteStore, HomeError> {
        // An existing home may be on a disk that became read-only: then the state's own message is
        // the better one.
        if !self.locks_folder().is_dir() {
            self.create_folders()?;
        }
        Ok(SqliteStore::open(self.state_db())?)
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
