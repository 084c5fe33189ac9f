//! [`FormatError`].

use arrow_schema::ArrowError;

use super::checksums::DamagedFile;

/// A failure to encode or decode a table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormatError {
    /// The format cannot hold the data. The text names a format that can.
    #[error("{0}")]
    Unsupported(String),
    /// A value cannot be read as the requested type. The text names the column, the row and the type.
    #[error("{0}")]
    Unfit(String),
    /// The content is not what was written. The text names the damaged part.
    #[error("{0}")]
    Corrupt(String),
    /// The bytes are malformed, or lack the requested columns.
    #[error(transparent)]
    Damaged(#[from] ArrowError),
}

impl FormatError {
    /// Converts the error of reading rows, which is about a value or about the file.
    pub(super) fn from_reader(error: ArrowError) -> Self {
        match error {
            ArrowError::CastError(message) => Self::Unfit(message),
            other => Self::Damaged(other),
        }
    }
}

impl From<DamagedFile> for FormatError {
    fn from(error: DamagedFile) -> Self {
        Self::Corrupt(error.0)
    }
}

impl From<parquet::errors::ParquetError> for FormatError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Damaged(error.into())
    }
}
