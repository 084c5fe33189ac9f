//! [`FormatError`].

use arrow_schema::ArrowError;

/// A failure to encode or decode a table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormatError {
    /// The format cannot hold the data. The text names a format that can.
    #[error("{0}")]
    Unsupported(String),
    /// The bytes are malformed, or lack the requested columns.
    #[error(transparent)]
    Damaged(#[from] ArrowError),
}

impl From<parquet::errors::ParquetError> for FormatError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Damaged(error.into())
    }
}
