//! [`Home`].

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use precip_engine::state::StateError;

use crate::state::SqliteStore;

/// The name of the folder that a project keeps its state and data in, unless told otherwise.
pub const HOME_FOLDER: &str = ".precip";

/// The folder that holds a project's state and data on this machine:
///
/// ```text
/// .precip/
///   .gitignore     so that nothing of it is committed
///   state.db       the record of runs and materializations
///   data/          what the default IO manager stores
///   runs/{run}/    what the executor keeps of a run: its whole plan
///   locks/         one file for each process at work
///   environments/  a home like this one for each environment but the first
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

/// A home that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The folder, or one in it, cannot be made.
    #[error(
        "failed to make `{}`: give your user the right to write in the folder above it, or choose \
         another home", path.display()
    )]
    Create {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is a file where the folder should be.
    #[error("`{}` is a file, and the home has to be a folder: move it away, or choose another home", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// A lock file cannot be made or locked.
    #[error(
        "failed to lock `{}`: the home has to be on a disk of this machine that your user may \
         write to (network shares often know no locks)", path.display()
    )]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The state cannot be opened.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Home {
    /// The home of a project: the folder that was chosen, or else `.precip` in the project's own.
    pub fn of_project(project: &Path, chosen: Option<&Path>) -> Self {
        let root = chosen.map_or_else(|| project.join(HOME_FOLDER), |chosen| project.join(chosen));
        Self { root }
    }

    /// The home within this one of an environment that is not the project's first: what is made in one is not
    /// made in another.
    #[must_use]
    pub fn of_environment(&self, name: &str) -> Self {
        let root = self.root.join("environments").join(name);
        Self { root }
    }

    /// Makes the folders that are not there yet.
    ///
    /// # Errors
    /// [`HomeError`] when one cannot be made.
    pub fn create(&self) -> Result<(), HomeError> {
        if self.root.is_file() {
            return Err(HomeError::NotAFolder {
                path: self.root.clone(),
            });
        }
        for folder in [self.root.clone(), self.data(), self.runs(), self.locks()] {
            if let Err(source) = fs::create_dir_all(&folder) {
                return Err(HomeError::Create {
                    path: folder,
                    source,
                });
            }
        }
        let ignore = self.root.join(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, "*\n").map_err(|source| HomeError::Create {
                path: ignore,
                source,
            })?;
        }
        Ok(())
    }

    /// Opens the state, and makes the home if it is not there yet.
    ///
    /// # Errors
    /// [`HomeError`] when the home cannot be made or the state cannot be opened.
    pub fn open_state(&self) -> Result<SqliteStore, HomeError> {
        // A home that is there already may be on a disk that became read-only: then the state's
        // own message is the better one.
        if !self.locks().is_dir() {
            self.create()?;
        }
        Ok(SqliteStore::open(self.state_db())?)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The state's file.
    pub fn state_db(&self) -> PathBuf {
        self.root.join("state.db")
    }

    /// Where the default IO manager stores data.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Where the executor keeps what it knows of runs, a folder for each.
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Where the lock files are.
    pub fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }
}
