//! Parquet files.

use std::sync::Arc;

use bytes::Bytes;
use parquet::{
    arrow::{ArrowWriter, ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    errors::ParquetError,
    file::metadata::ParquetMetaDataReader,
};
use precip_engine::io::LoadRequest;

use super::{FormatError, ParquetOptions, requested::check_renamed_fields};
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
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, Arc::clone(table.schema()), Some(properties))?;
    for batch in table.batches() {
        writer.write(batch)?;
    }
    writer.close()?;
    Ok(file)
}

/// Decodes a file, or its requested columns.
pub(super) fn decode_parquet(file: Bytes, request: &LoadRequest) -> Result<Table, FormatError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
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
