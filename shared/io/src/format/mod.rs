//! File formats of tables.

pub(crate) mod checksums;
mod csv;
mod error;
mod json_lines;
mod json_values;
mod options;
pub(crate) mod parquet;
mod pieces;
mod requested;
mod zones;

pub(crate) use error::FormatError;
pub use options::{ParquetCompression, ParquetOptions, ParquetStatistics};

use bytes::Bytes;
use precip_engine::io::LoadRequest;

use crate::Table;

/// The file format of tables. The other forms of data ([`Form`](crate::Form)) have one format each: `.json`,
/// `.txt` and `.bin` files.
///
/// | format | holds | loads a `Table` with |
/// |---|---|---|
/// | Parquet | every type, nested ones and those without rows too | its exact types |
/// | CSV | flat columns; an empty text and a missing one are the same | types guessed from the text |
/// | JSON lines | every type but bytes; no NaN or infinity | types guessed from the values |
///
/// A `Vec` of structs takes its types from the struct, so it loads the same from all three.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TableFormat {
    /// `.parquet`, written with [`ParquetOptions`].
    #[default]
    Parquet,
    /// `.csv`, with a header.
    Csv,
    /// `.jsonl`, with one JSON object per line.
    JsonLines,
}

impl TableFormat {
    /// Returns the extension of file names.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// Returns the format with an extension.
    pub(crate) fn from_extension(extension: &str) -> Option<Self> {
        [Self::Parquet, Self::Csv, Self::JsonLines]
            .into_iter()
            .find(|format| format.extension() == extension)
    }

    /// Encodes a table. Equal tables encode to equal bytes.
    pub(crate) fn encode_table(
        self,
        table: &Table,
        options: &ParquetOptions,
    ) -> Result<Vec<u8>, FormatError> {
        match self {
            Self::Parquet => parquet::encode_parquet(table, options, &[]),
            Self::Csv => csv::encode_csv(table),
            Self::JsonLines => json_lines::encode_json_lines(table),
        }
    }

    /// Decodes a table, or its requested columns.
    pub(crate) fn decode_table(
        self,
        file: Bytes,
        request: &LoadRequest,
    ) -> Result<Table, FormatError> {
        match self {
            Self::Parquet => parquet::decode_parquet(file, request),
            Self::Csv => csv::decode_csv(&file, request),
            Self::JsonLines => json_lines::decode_json_lines(&file, request),
        }
    }
}

pub(crate) use self::csv::encode_csv;
pub(crate) use self::{
    json_values::{check_objects, find_in_column},
    zones::in_utc,
};

#[cfg(test)]
mod tests;
