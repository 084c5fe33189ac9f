//! Parquet files.

use std::sync::Arc;

use bytes::Bytes;
use parquet::{
    arrow::{ArrowWriter, ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
};
use precip_engine::io::LoadRequest;

use super::FormatError;
use crate::Table;

/// Rows of one row group: what a query engine reads at once, and what it may skip by statistics.
const ROWS_PER_GROUP: usize = 256 * 1024;
/// Rows of a batch when reading.
const ROWS_PER_BATCH: usize = 64 * 1024;

pub(super) fn encode(table: &Table) -> Result<Vec<u8>, FormatError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_created_by("precip".to_owned())
        .build();
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
