//! [`DuckDbError`].

use std::io;

use duckdb::arrow::error::ArrowError;
use precip_engine::io::{Address, IoError};
use precip_io::tables::describe_address;

/// A failure of an operation on a database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DuckDbError {
    /// The operation is not possible; retrying cannot help. The text says what is possible instead.
    #[error("{0}")]
    Refused(String),
    /// DuckDB returned an error.
    #[error(transparent)]
    DuckDb(#[from] duckdb::Error),
    /// The file or its lock is not usable.
    #[error(transparent)]
    File(#[from] io::Error),
    /// The data read is not the data that was stored.
    #[error("the database does not hold what was stored: {0}")]
    Damaged(String),
}

impl From<ArrowError> for DuckDbError {
    fn from(error: ArrowError) -> Self {
        match error {
            // An error of the spool file.
            ArrowError::IoError(_, error) => Self::File(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<serde_json::Error> for DuckDbError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl DuckDbError {
    /// Converts the error for the caller of the manager, adding the address and the operation.
    pub(crate) fn into_io_error(self, address: &Address, doing: &str, database: &str) -> IoError {
        let subject = describe_address(address);
        match self {
            Self::Refused(message) => IoError::Unsupported {
                message: format!("{subject}: {message}"),
            },
            other => IoError::Failed {
                message: format!("{subject}: failed to {doing} `{database}`"),
                source: Box::new(other),
            },
        }
    }
}
