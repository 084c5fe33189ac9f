//! [`FormatError`].

use arrow_schema::ArrowError;

/// Why a table could not be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormatError {
    /// The format has no place for it. The text says what has, too.
    #[error("{0}")]
    Unsupported(String),
    /// The bytes are not what they should be, or do not hold what is asked for.
    #[error(transparent)]
    Damaged(#[from] ArrowError),
}

impl From<parquet::errors::ParquetError> for FormatError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Damaged(error.into())
    }
}
