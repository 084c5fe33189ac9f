//! CSV files: a header, commas, and an empty cell for a missing value.

use std::{io::Cursor, sync::Arc};

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray, cast::AsArray};
use arrow_csv::{ReaderBuilder, WriterBuilder, reader::Format};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema};
use precip_engine::io::LoadRequest;

use super::{
    FormatError, pieces,
    requested::{check_renamed_fields, requested_field},
    zones::in_utc,
};
use crate::Table;

/// Number of rows in a batch when reading.
const ROWS_PER_BATCH: usize = 64 * 1024;

/// Encodes a table. Equal tables encode to equal bytes.
pub(crate) fn encode_csv(table: &Table) -> Result<Vec<u8>, FormatError> {
    for field in table.schema().fields() {
        if !is_flat(field.data_type()) {
            return Err(FormatError::Unsupported(format!(
                "column `{}` is {}, which a CSV file cannot hold; use the Parquet or the JSON lines IO manager",
                field.name(),
                field.data_type()
            )));
        }
    }
    let table = &in_utc(table)?;
    let mut file = Vec::new();
    let mut writer = WriterBuilder::new().with_header(true).build(&mut file);
    for batch in table.batches() {
        writer.write(batch)?;
    }
    // The writer emits the header with the first batch.
    if table.batches().is_empty() {
        writer.write(&RecordBatch::new_empty(Arc::clone(table.schema())))?;
    }
    drop(writer);
    Ok(file)
}

/// Returns `true` if a value of the type fits one cell and can be read back.
fn is_flat(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Null
            | DataType::Boolean
            | DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Date32
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Timestamp(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..)
    ) || data_type.is_integer()
        || data_type.is_floating()
}

/// The quote around a text that contains a line end.
pub(super) const QUOTE: Option<u8> = Some(b'"');

/// Decodes a file, or its requested columns.
pub(super) fn decode_csv(file: &[u8], request: &LoadRequest) -> Result<Table, FormatError> {
    decode_pieces(file, &pieces::split_rows(file, QUOTE), request)
}

/// Decodes a file that is split into `pieces`.
pub(super) fn decode_pieces(
    file: &[u8],
    pieces: &[&[u8]],
    request: &LoadRequest,
) -> Result<Table, FormatError> {
    // Types are guessed only when none are requested: guessing reads the whole file.
    let guess_all = request.columns.is_none();
    let found = guess_fields(file, pieces, guess_all)?;
    check_renamed_fields(&found, request)?;
    let fields: Vec<Field> = found
        .iter()
        .map(|field| {
            // A column without any value, or one whose type was not guessed, is text.
            let guessed = match field.data_type() {
                DataType::Null => DataType::Utf8,
                other if guess_all => other.clone(),
                _ => DataType::Utf8,
            };
            let data_type = requested_field(request, field.name())
                .map_or(guessed, |requested| requested.data_type().clone());
            Field::new(field.name(), data_type, true)
        })
        .collect();
    if let Some(nested) = fields.iter().find(|field| !is_flat(field.data_type())) {
        return Err(FormatError::Unsupported(format!(
            "column `{}` of a CSV file cannot be read as {}; use the Parquet or the JSON lines IO manager",
            nested.name(),
            nested.data_type()
        )));
    }
    // The reader needs the fields of all columns to parse a row, but builds only the requested ones.
    let projection: Vec<usize> = (0..fields.len())
        .filter(|&column| request.wants(fields[column].name()))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let read = |n: usize, piece: &[u8]| {
        let reader = ReaderBuilder::new(Arc::clone(&schema))
            .with_format(format_of(n))
            .with_batch_size(ROWS_PER_BATCH)
            .with_projection(projection.clone())
            .build(Cursor::new(piece))?;
        let batches = reader.map(|batch| fill_texts(&batch?, request));
        batches.collect()
    };
    let batches = pieces::read_batches(file, pieces, read)?;
    // A file without rows has no batch to take the schema from.
    let schema = match batches.first() {
        Some(batch) => batch.schema(),
        None => Arc::new(schema.project(&projection)?),
    };
    Ok(Table::new(schema, batches)?)
}

/// Returns the format of a piece of the file: the first has the header.
fn format_of(piece: usize) -> Format {
    Format::default().with_header(piece == 0)
}

/// Returns the file's columns, with types guessed from the texts if `types` is set.
fn guess_fields(file: &[u8], pieces: &[&[u8]], types: bool) -> Result<Fields, ArrowError> {
    // The header alone gives the names.
    let (header, _) = format_of(0).infer_schema(Cursor::new(file), Some(0))?;
    if !types {
        return Ok(header.fields);
    }
    pieces::guess_fields(file, pieces, |n, piece| {
        let (guessed, _) = format_of(n).infer_schema(Cursor::new(piece), None)?;
        // Only the first piece has the header, so the names come from there.
        let names = header.fields.iter().zip(&guessed.fields);
        let fields = names.map(|(name, field)| field.as_ref().clone().with_name(name.name()));
        Ok(fields.collect())
    })
}

/// Replaces missing values of required text columns by empty texts: CSV does not tell them apart.
fn fill_texts(batch: &RecordBatch, request: &LoadRequest) -> Result<RecordBatch, ArrowError> {
    let columns = batch
        .schema_ref()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            let required = requested_field(request, field.name())
                .is_some_and(|requested| !requested.is_nullable());
            match column.as_string_opt::<i32>() {
                Some(texts) if required && texts.null_count() > 0 => {
                    let filled: StringArray =
                        texts.iter().map(|text| Some(text.unwrap_or(""))).collect();
                    Arc::new(filled) as ArrayRef
                }
                _ => Arc::clone(column),
            }
        })
        .collect();
    // A batch without columns still has a number of rows.
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(batch.schema(), columns, &rows)
}
