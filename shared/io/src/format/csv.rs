//! CSV files: a header, commas, and nothing where there is no value.

use std::{io::Cursor, sync::Arc};

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray, cast::AsArray};
use arrow_csv::{ReaderBuilder, WriterBuilder, reader::Format};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema};
use precip_engine::io::LoadRequest;

use super::{FormatError, pieces, wanted::wanted, zones::in_utc};
use crate::Table;

const ROWS_PER_BATCH: usize = 64 * 1024;

pub(crate) fn encode(table: &Table) -> Result<Vec<u8>, FormatError> {
    for field in table.schema().fields() {
        if !is_flat(field.data_type()) {
            return Err(FormatError::Unsupported(format!(
                "column `{}` is {}, which has no place in a CSV file; use the Parquet or the JSON lines IO manager",
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
    if table.batches().is_empty() {
        writer.write(&RecordBatch::new_empty(Arc::clone(table.schema())))?;
    }
    drop(writer);
    Ok(file)
}

/// Whether a value of the type is one cell that can be read back.
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

/// What is written around a text with a line end in it.
pub(super) const QUOTE: Option<u8> = Some(b'"');

pub(super) fn decode(file: &[u8], request: &LoadRequest) -> Result<Table, FormatError> {
    decode_pieces(file, &pieces::split(file, QUOTE), request)
}

/// Reads the pieces of a file.
pub(super) fn decode_pieces(
    file: &[u8],
    pieces: &[&[u8]],
    request: &LoadRequest,
) -> Result<Table, FormatError> {
    let guess_all = request.columns.is_none();
    let fields: Vec<Field> = guess(file, pieces, guess_all)?
        .iter()
        .map(|field| {
            let guessed = match field.data_type() {
                DataType::Null => DataType::Utf8,
                other if guess_all => other.clone(),
                _ => DataType::Utf8,
            };
            let data_type =
                wanted(request, field.name()).map_or(guessed, |wanted| wanted.data_type().clone());
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
    let batches = pieces::read(file, pieces, read)?;
    let schema = match batches.first() {
        Some(batch) => batch.schema(),
        None => Arc::new(schema.project(&projection)?),
    };
    Ok(Table::new(schema, batches)?)
}

/// How a piece of the file is written: the first has the header.
fn format_of(piece: usize) -> Format {
    Format::default().with_header(piece == 0)
}

/// The file's columns, with the types that their texts could be of, if they are asked for.
fn guess(file: &[u8], pieces: &[&[u8]], types: bool) -> Result<Fields, ArrowError> {
    // The header alone gives the names.
    let (header, _) = format_of(0).infer_schema(Cursor::new(file), Some(0))?;
    if !types {
        return Ok(header.fields);
    }
    pieces::guess(file, pieces, |n, piece| {
        let (guessed, _) = format_of(n).infer_schema(Cursor::new(piece), None)?;
        let names = header.fields.iter().zip(&guessed.fields);
        let fields = names.map(|(name, field)| field.as_ref().clone().with_name(name.name()));
        Ok(fields.collect())
    })
}

/// A text that may not be missing, but was read as missing, is an empty text.
fn fill_texts(batch: &RecordBatch, request: &LoadRequest) -> Result<RecordBatch, ArrowError> {
    let columns = batch
        .schema_ref()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            let required =
                wanted(request, field.name()).is_some_and(|wanted| !wanted.is_nullable());
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
    // Where no column is left there are rows still.
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(batch.schema(), columns, &rows)
}
