//! JSON lines: one object per line, with every column.

use std::{io::Cursor, sync::Arc};

use arrow_json::{ReaderBuilder, WriterBuilder, reader::infer_json_schema, writer::LineDelimited};
use arrow_schema::{DataType, Field, Schema};
use precip_engine::io::LoadRequest;

use super::{
    FormatError,
    json_values::{check_objects, find_not_finite},
    pieces,
    requested::{check_renamed_fields, requested_field},
    zones::in_utc,
};
use crate::Table;

/// Number of rows in a batch when reading.
const ROWS_PER_BATCH: usize = 64 * 1024;

/// Encodes a table. Equal tables encode to equal bytes.
pub(super) fn encode_json_lines(table: &Table) -> Result<Vec<u8>, FormatError> {
    for field in table.schema().fields() {
        if holds_bytes(field.data_type()) {
            return Err(FormatError::Unsupported(format!(
                "column `{}` is {}, which JSON cannot hold; use the Parquet IO manager",
                field.name(),
                field.data_type()
            )));
        }
    }
    // The writer would write them as `null`.
    let mut first_row = 0;
    for batch in table.batches() {
        if let Some(mut found) = find_not_finite(batch)? {
            found.row += first_row;
            return Err(FormatError::Unsupported(found.to_string()));
        }
        first_row += batch.num_rows();
    }
    let mut writer = WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, LineDelimited>(Vec::new());
    // Nulls are explicit so that the first line names every column.
    for batch in in_utc(table)?.batches() {
        writer.write(batch)?;
    }
    writer.finish()?;
    Ok(writer.into_inner())
}

/// Returns `true` if values of the type contain bytes, which JSON cannot hold.
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

/// Decodes a file, or its requested columns.
pub(super) fn decode_json_lines(file: &[u8], request: &LoadRequest) -> Result<Table, FormatError> {
    decode_pieces(file, &pieces::split_rows(file, None), request)
}

/// Decodes a file that is split into `pieces`.
pub(super) fn decode_pieces(
    file: &[u8],
    pieces: &[&[u8]],
    request: &LoadRequest,
) -> Result<Table, FormatError> {
    let schema = Arc::new(file_schema(file, pieces, request)?);
    let batches = pieces::read_batches(file, pieces, |_, piece| {
        check_objects(piece, schema.fields())?;
        let reader = ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(ROWS_PER_BATCH);
        reader.build(Cursor::new(piece))?.collect()
    });
    let batches = batches.map_err(FormatError::from_reader)?;
    Ok(Table::new(schema, batches)?)
}

/// Returns the requested schema, or a guessed one when no types are requested. Required columns are read as
/// nullable: the row type reports a missing value better than the reader does.
fn file_schema(
    file: &[u8],
    pieces: &[&[u8]],
    request: &LoadRequest,
) -> Result<Schema, FormatError> {
    let requested: Option<Vec<Field>> = request.columns.as_ref().and_then(|columns| {
        columns
            .columns
            .iter()
            .map(|column| Some(requested_field(request, &column.name)?.with_nullable(true)))
            .collect()
    });
    match requested {
        Some(fields) => {
            // The first line names every column of the file. A column that it lacks is left to the row type.
            let (first, _) = infer_json_schema(Cursor::new(file), Some(1))?;
            check_renamed_fields(first.fields(), request)?;
            let empty = first.fields().is_empty();
            let existing = fields
                .into_iter()
                .filter(|field| empty || first.column_with_name(field.name()).is_some());
            Ok(Schema::new(existing.collect::<Vec<_>>()))
        }
        None => {
            // A value may be an integer in one piece and a float in another: the guesses are merged.
            let fields = pieces::guess_fields(file, pieces, |_, piece| {
                Ok(infer_json_schema(Cursor::new(piece), None)?.0.fields)
            });
            Ok(Schema::new(fields?))
        }
    }
}
