//! JSON lines: one object a line, every column named in each.

use std::{io::Cursor, sync::Arc};

use arrow_json::{ReaderBuilder, WriterBuilder, reader::infer_json_schema, writer::LineDelimited};
use arrow_schema::{DataType, Field, Schema};
use precip_engine::io::LoadRequest;

use super::{FormatError, pieces, wanted::wanted, zones::in_utc};
use crate::Table;

const ROWS_PER_BATCH: usize = 64 * 1024;

pub(super) fn encode(table: &Table) -> Result<Vec<u8>, FormatError> {
    for field in table.schema().fields() {
        if holds_bytes(field.data_type()) {
            return Err(FormatError::Unsupported(format!(
                "column `{}` is {}, which has no place in JSON; use the Parquet IO manager",
                field.name(),
                field.data_type()
            )));
        }
    }
    let mut writer = WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, LineDelimited>(Vec::new());
    for batch in in_utc(table)?.batches() {
        writer.write(batch)?;
    }
    writer.finish()?;
    Ok(writer.into_inner())
}

fn holds_bytes(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            holds_bytes(item.data_type())
        }
        DataType::Map(entries, _) => holds_bytes(entries.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| holds_bytes(field.data_type())),
        other => other.is_binary() || matches!(other, DataType::FixedSizeBinary(_)),
    }
}

pub(super) fn decode(file: &[u8], request: &LoadRequest) -> Result<Table, FormatError> {
    decode_pieces(file, &pieces::split(file, None), request)
}

/// Reads the pieces of a file.
pub(super) fn decode_pieces(
    file: &[u8],
    pieces: &[&[u8]],
    request: &LoadRequest,
) -> Result<Table, FormatError> {
    let schema = Arc::new(schema(file, pieces, request)?);
    let batches = pieces::read(file, pieces, |_, piece| {
        let reader = ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(ROWS_PER_BATCH);
        reader.build(Cursor::new(piece))?.collect()
    })?;
    Ok(Table::new(schema, batches)?)
}

/// The types that are asked for, and guesses where none are. A required column is read as one that
/// may be missing: the row type says so better than the file's reader.
fn schema(file: &[u8], pieces: &[&[u8]], request: &LoadRequest) -> Result<Schema, FormatError> {
    let asked: Option<Vec<Field>> = request.columns.as_ref().and_then(|columns| {
        columns
            .columns
            .iter()
            .map(|column| Some(wanted(request, &column.name)?.with_nullable(true)))
            .collect()
    });
    match asked {
        Some(fields) => {
            // The first line names every column of the file: what is not there is left to the reader.
            let (first, _) = infer_json_schema(Cursor::new(file), Some(1))?;
            let empty = first.fields().is_empty();
            let there = fields
                .into_iter()
                .filter(|field| empty || first.column_with_name(field.name()).is_some());
            Ok(Schema::new(there.collect::<Vec<_>>()))
        }
        None => {
            let fields = pieces::guess(file, pieces, |_, piece| {
                Ok(infer_json_schema(Cursor::new(piece), None)?.0.fields)
            });
            Ok(Schema::new(fields?))
        }
    }
}
