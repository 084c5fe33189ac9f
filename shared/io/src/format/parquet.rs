//! Parquet files.

use std::sync::Arc;

use bytes::Bytes;
use parquet::{
    arrow::{
        ArrowWriter, ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    errors::ParquetError,
    file::metadata::ParquetMetaDataReader,
};
use precip_engine::io::LoadRequest;

use super::{
    FormatError, ParquetOptions,
    checksums::{CheckedMetadata, ChunkSums, DamagedFile, footer_length, seal_footer},
    requested::check_renamed_fields,
};
use crate::Table;

/// Number of rows in a batch when reading.
const ROWS_PER_BATCH: usize = 64 * 1024;

/// Encodes a table, with texts to store in the file's footer.
pub(crate) fn encode_parquet(
    table: &Table,
    options: &ParquetOptions,
    footer_texts: &[(&str, String)],
) -> Result<Vec<u8>, FormatError> {
    let properties = options.writer_properties(footer_texts)?;
    let mut writer =
        ArrowWriter::try_new(Vec::new(), Arc::clone(table.schema()), Some(properties))?;
    for batch in table.batches() {
        writer.write(batch)?;
    }
    let mut file = finish_file(writer, ChunkSums::default(), 0)?;
    seal_footer(&mut file)?;
    Ok(file)
}

/// Writes the remaining rows and the footer of a file, with checksums but for that of the footer. Returns the content
/// from `offset`, whose chunks are not in `sums` yet.
pub(crate) fn finish_file(
    mut writer: ArrowWriter<Vec<u8>>,
    mut sums: ChunkSums,
    offset: u64,
) -> Result<Vec<u8>, ParquetError> {
    writer.flush()?;
    writer.sync()?;
    sums.add_groups(writer.flushed_row_groups(), writer.inner(), offset);
    writer.append_key_value_metadata(sums.to_key_value());
    writer.into_inner()
}

/// Decodes a file, or its requested columns.
pub(crate) fn decode_parquet(file: Bytes, request: &LoadRequest) -> Result<Table, FormatError> {
    let footer = footer_length(&file)?;
    let start = file.len().checked_sub(footer);
    let start = start.ok_or_else(|| DamagedFile("it is cut off".to_owned()))?;
    let checked = CheckedMetadata::decode(&file[start..])?;
    let metadata = Arc::new(checked.metadata.clone());
    let metadata = ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new())?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata);
    check_renamed_fields(builder.schema().fields(), request)?;
    let roots = builder
        .schema()
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| request.wants(field.name()))
        .map(|(root, _)| root)
        .collect::<Vec<_>>();
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    checked.check_columns(&file, &mask)?;
    let reader = builder
        .with_projection(mask)
        .with_batch_size(ROWS_PER_BATCH)
        .build()?;
    let schema = arrow_array::RecordBatchReader::schema(&reader);
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    Ok(Table::new(schema, batches)?)
}

/// The result of looking for a text in the footer of a file whose end is known.
pub(crate) enum FooterText {
    /// The text; `None` when the footer has no such text.
    Known(Option<String>),
    /// The footer is larger: this many bytes of the file's end are needed.
    NeedsBytes(usize),
}

/// Looks for a text in a file's footer. `end` is the end of a file of `size` bytes.
pub(crate) fn read_footer_text(
    end: &Bytes,
    size: u64,
    key: &str,
) -> Result<FooterText, ParquetError> {
    let mut reader = ParquetMetaDataReader::new();
    match reader.try_parse_sized(end, size) {
        Ok(()) => {}
        Err(ParquetError::NeedMoreData(needed)) => return Ok(FooterText::NeedsBytes(needed)),
        Err(error) => return Err(error),
    }
    let metadata = reader.finish()?;
    let text = metadata
        .file_metadata()
        .key_value_metadata()
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == key))
        .and_then(|pair| pair.value.clone());
    Ok(FooterText::Known(text))
}
