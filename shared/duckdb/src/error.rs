//! [`Failed`]: why something was not done in a database.

use std::io;

use duckdb::arrow::error::ArrowError;
use precip_engine::io::{Address, IoError};
use precip_io::tables::whose;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// It cannot be done, however often it is tried. The text says what can.
    #[error("{0}")]
    Refused(String),
    /// DuckDB says no.
    #[error(transparent)]
    DuckDb(#[from] duckdb::Error),
    /// The file or its lock cannot be used.
    #[error(transparent)]
    File(#[from] io::Error),
    /// What came out of the database is not what was put in.
    #[error("the database holds something else than was stored: {0}")]
    Damaged(String),
}

impl From<ArrowError> for Failed {
    fn from(error: ArrowError) -> Self {
        match error {
            // Of rows that wait on the disk.
            ArrowError::IoError(_, error) => Self::File(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl Failed {
    /// The same for who called the manager.
    pub(crate) fn at(self, address: &Address, doing: &str, database: &str) -> IoError {
        let whose = whose(address);
        match self {
            Self::Refused(message) => IoError::Unsupported {
                message: format!("{whose}: {message}"),
            },
            other => IoError::Failed {
                message: format!("{whose}: failed to {doing} `{database}`"),
                source: Box::new(other),
            },
        }
    }
}
