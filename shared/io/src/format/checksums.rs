//! Checksums of Parquet files.
//!
//! The parquet crate writes no checksums of pages, and those would cover neither the headers of pages nor the
//! footer. So the footer of each file has a text with CRC-32 checksums: of the footer itself, and of every column
//! chunk. A reader of some columns checks those alone, also when it reads a file in ranges. Other programs ignore the
//! text, and files without it are read without checks.

use std::ops::Range;

use parquet::{
    arrow::ProjectionMask,
    errors::ParquetError,
    file::metadata::{KeyValue, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData},
};

/// Key of the text in the footer.
const KEY: &str = "precip.checksums";
/// The text before the checksum of the footer.
const FOOTER_MARK: &str = "crc32 footer:";
/// The text between the checksum of the footer and those of the column chunks.
const CHUNKS_MARK: &str = " chunks:";
/// The digits in place of the footer's checksum while it is computed.
const ZERO: &str = "00000000";
/// Number of digits of a checksum.
const DIGITS: usize = ZERO.len();
/// Number of bytes after the footer: its length, and `PAR1`.
const TRAILER: usize = 8;

/// A file whose content is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct DamagedFile(pub(crate) String);

impl DamagedFile {
    fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

/// The checksums of a file's column chunks, in the order of the row groups and their columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ChunkSums(Vec<u32>);

impl ChunkSums {
    /// Adds the chunks of the row groups that have been written since the last call. `written` holds the content of
    /// the file from `offset`.
    pub(crate) fn add_groups(&mut self, groups: &[RowGroupMetaData], written: &[u8], offset: u64) {
        let chunks = groups.iter().flat_map(RowGroupMetaData::columns);
        for chunk in chunks.skip(self.0.len()) {
            let (start, length) = chunk.byte_range();
            let start = (start - offset) as usize;
            let chunk = &written[start..start + length as usize];
            self.0.push(crc32fast::hash(chunk));
        }
    }

    /// Returns the text for the footer. [`seal_footer`] completes it.
    pub(crate) fn to_key_value(&self) -> KeyValue {
        let sums: String = self.0.iter().map(|sum| format!("{sum:08x}")).collect();
        KeyValue::new(
            KEY.to_owned(),
            format!("{FOOTER_MARK}{ZERO}{CHUNKS_MARK}{sums}"),
        )
    }

    /// Reads the checksums from a file's metadata; `None` if the file has none.
    fn from_metadata(metadata: &ParquetMetaData) -> Result<Option<Self>, DamagedFile> {
        let pairs = metadata.file_metadata().key_value_metadata();
        let Some(pair) = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == KEY)) else {
            return Ok(None);
        };
        let text = pair.value.as_deref().unwrap_or_default();
        let sums = text.split_once(CHUNKS_MARK).and_then(|(_, sums)| {
            let sums = sums.as_bytes().chunks(DIGITS);
            sums.map(parse_sum).collect::<Option<Vec<u32>>>()
        });
        let chunks = metadata
            .row_groups()
            .iter()
            .map(|group| group.columns().len());
        match sums {
            Some(sums) if sums.len() == chunks.sum::<usize>() => Ok(Some(Self(sums))),
            _ => Err(DamagedFile::new(
                "the checksums in its footer are incomplete",
            )),
        }
    }
}

fn parse_sum(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

/// Writes the checksum of the footer into it. `end` is the end of a file, with the whole footer.
pub(crate) fn seal_footer(end: &mut [u8]) -> Result<(), ParquetError> {
    let incomplete = || ParquetError::General("the footer cannot be found".to_owned());
    let length = footer_length(end).map_err(|_| incomplete())?;
    let start = end.len().checked_sub(length).ok_or_else(incomplete)?;
    let footer = &mut end[start..];
    let sum = crc32fast::hash(footer);
    let digits = find_digits(footer).ok_or_else(incomplete)?;
    footer[digits].copy_from_slice(format!("{sum:08x}").as_bytes());
    Ok(())
}

/// Returns the number of bytes from the start of the footer to the end of the file. `end` is the end of the file, at
/// least 8 bytes.
pub(crate) fn footer_length(end: &[u8]) -> Result<usize, DamagedFile> {
    match end.last_chunk::<TRAILER>() {
        Some([a, b, c, d, b'P', b'A', b'R', b'1']) => {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            Ok(length.saturating_add(TRAILER))
        }
        _ => Err(DamagedFile::new("it has no footer, or is cut off")),
    }
}

/// Returns the range of the digits of the footer's checksum. The text is searched from the end: nothing that a
/// project names is after it.
fn find_digits(footer: &[u8]) -> Option<Range<usize>> {
    let mark = FOOTER_MARK.as_bytes();
    let at = footer
        .windows(mark.len())
        .rposition(|window| window == mark)?;
    let digits = at + mark.len()..at + mark.len() + DIGITS;
    (digits.end <= footer.len()).then_some(digits)
}

/// The metadata of a file whose footer was checked, and the checksums of its column chunks.
#[derive(Debug, Clone)]
pub(crate) struct CheckedMetadata {
    pub(crate) metadata: ParquetMetaData,
    sums: Option<ChunkSums>,
}

impl CheckedMetadata {
    /// Checks and decodes a footer: the bytes from its start to the end of the file.
    pub(crate) fn decode(footer: &[u8]) -> Result<Self, DamagedFile> {
        let digits = find_digits(footer);
        if let Some(digits) = &digits {
            let mut sum = crc32fast::Hasher::new();
            sum.update(&footer[..digits.start]);
            sum.update(ZERO.as_bytes());
            sum.update(&footer[digits.end..]);
            if parse_sum(&footer[digits.clone()]) != Some(sum.finalize()) {
                return Err(DamagedFile::new("its footer does not match its checksum"));
            }
        }
        let encoded = &footer[..footer.len().saturating_sub(TRAILER)];
        let metadata = ParquetMetaDataReader::decode_metadata(encoded)
            .map_err(|error| DamagedFile(format!("its footer cannot be read: {error}")))?;
        let sums = ChunkSums::from_metadata(&metadata)?;
        if sums.is_some() != digits.is_some() {
            return Err(DamagedFile::new(
                "the checksums in its footer are incomplete",
            ));
        }
        Ok(Self { metadata, sums })
    }

    /// Checks the column chunks of some columns in the content of a file.
    pub(crate) fn check_columns(
        &self,
        file: &[u8],
        columns: &ProjectionMask,
    ) -> Result<(), DamagedFile> {
        for (column, name, range, sum) in self.chunks() {
            if columns.leaf_included(column) {
                let range = range.start as usize..range.end as usize;
                let content = file
                    .get(range)
                    .ok_or_else(|| DamagedFile::new("it is cut off"))?;
                check_chunk(name, content, sum)?;
            }
        }
        Ok(())
    }

    /// Checks some bytes of a file, which must be one column chunk.
    pub(crate) fn check_range(
        &self,
        range: &Range<u64>,
        content: &[u8],
    ) -> Result<(), DamagedFile> {
        if self.sums.is_none() {
            return Ok(());
        }
        match self.chunks().find(|(_, _, chunk, _)| chunk == range) {
            Some((_, name, _, sum)) => check_chunk(name, content, sum),
            // A reader that asks for parts of chunks would read them unchecked.
            None => Err(DamagedFile(format!(
                "bytes {} to {} are no column of it",
                range.start, range.end
            ))),
        }
    }

    /// Returns the column chunks with checksums: index and name of the column, range in the file, checksum.
    fn chunks(&self) -> impl Iterator<Item = (usize, &str, Range<u64>, u32)> {
        let groups = self.metadata.row_groups().iter();
        let chunks = groups.flat_map(|group| group.columns().iter().enumerate());
        let sums = self.sums.iter().flat_map(|sums| sums.0.iter().copied());
        chunks.zip(sums).map(|((column, chunk), sum)| {
            let (start, length) = chunk.byte_range();
            let name = chunk.column_path().parts().first();
            let name = name.map_or("", String::as_str);
            (column, name, start..start.saturating_add(length), sum)
        })
    }
}

fn check_chunk(column: &str, content: &[u8], sum: u32) -> Result<(), DamagedFile> {
    if crc32fast::hash(content) == sum {
        return Ok(());
    }
    Err(DamagedFile(format!(
        "column `{column}` does not match its checksum"
    )))
}

#[cfg(test)]
mod tests;
