//! How a table is written as a file.

mod csv;
mod error;
mod json_lines;
mod options;
pub(crate) mod parquet;
mod pieces;
mod wanted;
mod zones;

pub(crate) use error::FormatError;
pub use options::{ParquetCompression, ParquetOptions, ParquetStatistics};

use bytes::Bytes;
use precip_engine::io::LoadRequest;

use crate::Table;

/// How an IO manager over files writes tables. The other forms of data ([`Form`](crate::Form)) have one
/// format each, whatever this is: `.json`, `.txt` and `.bin` files.
///
/// | format | holds | loads a `Table` with |
/// |---|---|---|
/// | Parquet | every type, nested ones and those without rows too | its exact types |
/// | CSV | flat columns; an empty text and a missing one are the same | types guessed from the text |
/// | JSON lines | every type but bytes; no NaN or infinity | types guessed from the values |
///
/// A `Vec` of structs has its types from the struct, so it loads the same from all three.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TableFormat {
    /// `.parquet`, written as [`ParquetOptions`] say.
    #[default]
    Parquet,
    /// `.csv`, with a header.
    Csv,
    /// `.jsonl`: one JSON object a line.
    JsonLines,
}

impl TableFormat {
    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// The format of a file by the end of its name.
    pub(crate) fn from_extension(extension: &str) -> Option<Self> {
        [Self::Parquet, Self::Csv, Self::JsonLines]
            .into_iter()
            .find(|format| format.extension() == extension)
    }

    /// Writes a table. Equal tables make equal bytes.
    pub(crate) fn encode(
        self,
        table: &Table,
        options: &ParquetOptions,
    ) -> Result<Vec<u8>, FormatError> {
        match self {
            Self::Parquet => parquet::encode(table, options, &[]),
            Self::Csv => csv::encode(table),
            Self::JsonLines => json_lines::encode(table),
        }
    }

    /// Reads a table, or those of its columns that are asked for.
    pub(crate) fn decode(self, file: Bytes, request: &LoadRequest) -> Result<Table, FormatError> {
        match self {
            Self::Parquet => parquet::decode(file, request),
            Self::Csv => csv::decode(&file, request),
            Self::JsonLines => json_lines::decode(&file, request),
        }
    }
}

pub(crate) use self::csv::encode as to_csv;
pub(crate) use self::zones::in_utc;
