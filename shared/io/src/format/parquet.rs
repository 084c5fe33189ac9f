//! Parquet files.

use std::sync::Arc;

use bytes::Bytes;
use parquet::{
    arrow::{ArrowWriter, ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    errors::ParquetError,
    file::metadata::ParquetMetaDataReader,
};
use precip_engine::io::LoadRequest;

use super::{FormatError, ParquetOptions};
use crate::Table;

/// Rows of a batch when reading.
const ROWS_PER_BATCH: usize = 64 * 1024;

/// Writes a file, with texts that are kept in its footer.
pub(crate) fn encode(
    table: &Table,
    options: &ParquetOptions,
    kept: &[(&str, String)],
) -> Result<Vec<u8>, FormatError> {
    let properties = options.properties(kept)?;
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, Arc::clone(table.schema()), Some(properties))?;
    for batch in table.batches() {
        writer.write(batch)?;
    }
    writer.close()?;
    Ok(file)
}

pub(super) fn decode(file: Bytes, request: &LoadRequest) -> Result<Table, FormatError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
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

/// A text that is kept in a file's footer, if the end of the file shows it.
pub(crate) enum Kept {
    /// What it says; `None` where there is no such text.
    Text(Option<String>),
    /// More of the file's end is needed: so many bytes.
    Longer(usize),
}

/// Looks for a text that is kept in a file's footer. `end` is the end of the file, of which there are
/// `size` bytes.
pub(crate) fn kept(end: &Bytes, size: u64, key: &str) -> Result<Kept, ParquetError> {
    let mut reader = ParquetMetaDataReader::new();
    match reader.try_parse_sized(end, size) {
        Ok(()) => {}
        Err(ParquetError::NeedMoreData(needed)) => return Ok(Kept::Longer(needed)),
        Err(error) => return Err(error),
    }
    let metadata = reader.finish()?;
    let kept = metadata.file_metadata().key_value_metadata();
    let text = kept.and_then(|kept| kept.iter().find(|kept| kept.key == key));
    Ok(Kept::Text(text.and_then(|kept| kept.value.clone())))
}
