//! [`ParquetOptions`].

use parquet::{
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
    },
};

/// Largest row group of a streamed file, in bytes.
const BYTES_PER_GROUP: usize = 32 * 1024 * 1024;

/// Options for writing Parquet files. Files written with any options can be loaded.
///
/// ```
/// use precip_io::{ObjectStoreIoManager, ParquetCompression, ParquetOptions, ParquetStatistics};
///
/// let options = ParquetOptions::new()
///     .compression(ParquetCompression::Snappy)
///     .rows_per_group(100_000)
///     .statistics(ParquetStatistics::Group);
/// let manager = ObjectStoreIoManager::open("memory:")?.with_parquet(options);
/// # Ok::<(), precip_io::InvalidLocation>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParquetOptions {
    compression: ParquetCompression,
    rows_per_group: usize,
    statistics: ParquetStatistics,
}

/// The compression of the pages of a Parquet file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParquetCompression {
    /// No compression.
    None,
    /// Snappy: faster to write, larger files.
    Snappy,
    /// Zstandard, with a level from 1 (fast) to 22 (small).
    Zstd(u8),
}

/// The granularity of least and greatest values in a Parquet file, by which a query engine skips data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParquetStatistics {
    /// No statistics.
    None,
    /// Statistics for each column of a row group.
    Group,
    /// Statistics for each page as well.
    Page,
}

impl ParquetOptions {
    /// Creates the default options: Zstandard of level 3, row groups of 262,144 rows, statistics for each page.
    pub const fn new() -> Self {
        Self {
            compression: ParquetCompression::Zstd(3),
            rows_per_group: 256 * 1024,
            statistics: ParquetStatistics::Page,
        }
    }

    /// Sets the compression of pages. A level that Zstandard does not have becomes the nearest one.
    #[must_use]
    pub const fn compression(self, compression: ParquetCompression) -> Self {
        Self {
            compression,
            ..self
        }
    }

    /// Sets the largest number of rows in a row group, at least 1. An engine reads a row group at once, and a
    /// streamed file holds one in memory while it is written.
    #[must_use]
    pub const fn rows_per_group(self, rows: usize) -> Self {
        Self {
            rows_per_group: if rows == 0 { 1 } else { rows },
            ..self
        }
    }

    /// Sets the granularity of statistics.
    #[must_use]
    pub const fn statistics(self, statistics: ParquetStatistics) -> Self {
        Self { statistics, ..self }
    }

    /// Returns the properties of a writer, with texts to store in the file's footer.
    pub(crate) fn writer_properties(
        &self,
        footer_texts: &[(&str, String)],
    ) -> Result<WriterProperties, ParquetError> {
        let compression = match self.compression {
            ParquetCompression::None => Compression::UNCOMPRESSED,
            ParquetCompression::Snappy => Compression::SNAPPY,
            ParquetCompression::Zstd(level) => {
                Compression::ZSTD(ZstdLevel::try_new(i32::from(level.clamp(1, 22)))?)
            }
        };
        let statistics = match self.statistics {
            ParquetStatistics::None => EnabledStatistics::None,
            ParquetStatistics::Group => EnabledStatistics::Chunk,
            ParquetStatistics::Page => EnabledStatistics::Page,
        };
        let key_values: Vec<KeyValue> = footer_texts
            .iter()
            .map(|(key, text)| KeyValue::new((*key).to_owned(), text.clone()))
            .collect();
        Ok(WriterProperties::builder()
            .set_compression(compression)
            .set_statistics_enabled(statistics)
            .set_max_row_group_row_count(Some(self.rows_per_group))
            .set_created_by("precip".to_owned())
            .set_key_value_metadata((!key_values.is_empty()).then_some(key_values))
            .build())
    }
}

impl ParquetOptions {
    /// Returns the properties of a writer of streamed files, which bound the size of a row group in memory.
    pub(crate) fn streamed_properties(&self) -> Result<WriterProperties, ParquetError> {
        let properties = self.writer_properties(&[])?.into_builder();
        Ok(properties
            .set_max_row_group_bytes(Some(BYTES_PER_GROUP))
            .build())
    }
}

impl Default for ParquetOptions {
    fn default() -> Self {
        Self::new()
    }
}
