//! Errors of SQLite as errors of the port, with what to do about them.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use precip_engine::{
    state::{StateError, StateErrorKind},
    system_error::SystemProblem,
};
use rusqlite::ErrorCode;

/// Returns whether this process can open no further file.
fn has_too_many_files(path: &Path) -> bool {
    let folder = path.parent().unwrap_or(path);
    let opened = [path, folder].map(File::open);
    // Both are held open, so that the second needs another place.
    opened.iter().any(|opened| {
        let problem = opened.as_ref().err().map(SystemProblem::of);
        problem == Some(SystemProblem::TooManyFiles)
    })
}

/// Reports that a file cannot be opened because too many are open.
pub(super) fn too_many_files(path: &Path) -> StateError {
    let advice = SystemProblem::TooManyFiles.advice().unwrap_or_default();
    let message = format!("`{}` cannot be opened: {advice}", path.display());
    StateError::new(StateErrorKind::Unavailable, message)
}

/// A converter of SQLite's errors to [`StateError`]s that name the file and say what to do.
#[derive(Debug, Clone)]
pub(super) struct ErrorMapper {
    path: PathBuf,
}

impl ErrorMapper {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Converts the error of a result.
    pub(super) fn map_result<T>(&self, result: rusqlite::Result<T>) -> Result<T, StateError> {
        result.map_err(|error| self.map_error(error))
    }

    /// Converts an error.
    pub(super) fn map_error(&self, error: rusqlite::Error) -> StateError {
        let path = self.path.display();
        let folder = self.path.parent().unwrap_or(&self.path).display();
        // Each message says what a person can do; the SQLite error itself is kept as the source.
        let (kind, message) = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => (
                StateErrorKind::Full,
                format!(
                    "there is no room left to write `{path}`: make room on its disk and run the \
                     command again; everything recorded so far is safe"
                ),
            ),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
                StateErrorKind::ReadOnly,
                format!(
                    "`{path}` cannot be written: give your user the right to write in `{folder}`, \
                     or keep the state in another folder"
                ),
            ),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
                StateErrorKind::Locked,
                format!(
                    "another process holds `{path}` and does not release it: wait until it is done, or \
                     end it (is a database browser open on the file?)"
                ),
            ),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
                StateErrorKind::Corrupt,
                format!(
                    "`{path}` is damaged or not a database: restore it from a backup, or move it \
                     away and begin with an empty record (the data itself is not in it)"
                ),
            ),
            // SQLite does not say so, and opens several files.
            Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure)
                if has_too_many_files(&self.path) =>
            {
                return too_many_files(&self.path).with_source(error);
            }
            Some(ErrorCode::CannotOpen) => (
                StateErrorKind::Unavailable,
                format!(
                    "`{path}` cannot be opened: make sure that the folder `{folder}` exists and that \
                     your user may read and write in it"
                ),
            ),
            Some(ErrorCode::SystemIoFailure) => (
                StateErrorKind::Unavailable,
                format!(
                    "reading or writing `{path}` failed: make sure that its disk is mounted and \
                     healthy, and that it is a local one (not a network share)"
                ),
            ),
            Some(ErrorCode::OperationInterrupted) => (
                StateErrorKind::Retry,
                format!("work on `{path}` was interrupted"),
            ),
            _ => (
                StateErrorKind::Corrupt,
                format!(
                    "`{path}` has unexpected content: restore it from a backup, or move it away and \
                     begin with an empty record"
                ),
            ),
        };
        StateError::new(kind, message).with_source(error)
    }

    /// Reports a record in the database that cannot be decoded.
    pub(super) fn unreadable_record(&self, what: &str, error: serde_json::Error) -> StateError {
        StateError::new(
            StateErrorKind::Corrupt,
            format!(
                "{what} in `{}` cannot be decoded: restore the file from a backup, or move it \
                 away and begin with an empty record",
                self.path.display()
            ),
        )
        .with_source(error)
    }
}
