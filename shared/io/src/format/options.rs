//! [`ParquetOptions`].

use parquet::{
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
    },
};

/// The largest row group of a file that is written in a stream.
const BYTES_PER_GROUP: usize = 32 * 1024 * 1024;

/// How Parquet files are written. Files that are there, however they were written, can be loaded.
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

/// What the pages of a Parquet file are compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParquetCompression {
    /// Nothing.
    None,
    /// Snappy: quick to write, larger files.
    Snappy,
    /// Zstandard of a level from 1 (quick) to 22 (small).
    Zstd(u8),
}

/// For what a Parquet file says its least and greatest values, by which a query engine skips what it
/// does not need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParquetStatistics {
    /// For nothing.
    None,
    /// For each column of a row group.
    Group,
    /// For each page as well.
    Page,
}

impl ParquetOptions {
    /// Zstandard of level 3, row groups of 262,144 rows, statistics for each page.
    pub const fn new() -> Self {
        Self {
            compression: ParquetCompression::Zstd(3),
            rows_per_group: 256 * 1024,
            statistics: ParquetStatistics::Page,
        }
    }

    /// Compresses pages with something else. A level that Zstandard does not have is taken as the
    /// nearest that it has.
    #[must_use]
    pub const fn compression(self, compression: ParquetCompression) -> Self {
        Self {
            compression,
            ..self
        }
    }

    /// How many rows a row group has at most: what an engine reads at once, and what has to be held in
    /// memory when a file is written in a stream. None is taken as one.
    #[must_use]
    pub const fn rows_per_group(self, rows: usize) -> Self {
        Self {
            rows_per_group: if rows == 0 { 1 } else { rows },
            ..self
        }
    }

    /// For what there are statistics.
    #[must_use]
    pub const fn statistics(self, statistics: ParquetStatistics) -> Self {
        Self { statistics, ..self }
    }

    /// The properties for a writer, with texts that are kept in the file's footer.
    pub(crate) fn properties(
        &self,
        kept: &[(&str, String)],
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
        let kept: Vec<KeyValue> = kept
            .iter()
            .map(|(key, text)| KeyValue::new((*key).to_owned(), text.clone()))
            .collect();
        Ok(WriterProperties::builder()
            .set_compression(compression)
            .set_statistics_enabled(statistics)
            .set_max_row_group_row_count(Some(self.rows_per_group))
            .set_created_by("precip".to_owned())
            .set_key_value_metadata((!kept.is_empty()).then_some(kept))
            .build())
    }
}

impl ParquetOptions {
    /// The same for a file that is written in a stream: a row group is held in memory.
    pub(crate) fn streamed_properties(&self) -> Result<WriterProperties, ParquetError> {
        let properties = self.properties(&[])?.into_builder();
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
