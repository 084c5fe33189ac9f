//! CSV files: a header, commas, and an empty cell for a missing value.

use std::{io::Cursor, sync::Arc};

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray, cast::AsArray};
use arrow_csv::{ReaderBuilder, WriterBuilder, reader::Format};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef};
use precip_engine::io::LoadRequest;

use super::{
    FormatError, pieces,
    requested::{check_renamed_fields, requested_field},
    zones::in_utc,
};
use crate::{Table, cast::parse_texts};

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
    let schema = Arc::new(Schema::new(fields).project(&projection)?);
    // Arrow's reader converts too much (`01067` to a number), so it reads texts.
    let texts: Vec<Field> = guess_names(file)?
        .iter()
        .map(|field| Field::new(field.name(), DataType::Utf8, true))
        .collect();
    let texts = Arc::new(Schema::new(texts));
    let read = |n: usize, piece: &[u8]| {
        let reader = ReaderBuilder::new(Arc::clone(&texts))
            .with_format(format_of(n))
            .with_batch_size(ROWS_PER_BATCH)
            .with_projection(projection.clone())
            .build(Cursor::new(piece))?;
        let mut first_row = 0;
        let batches = reader.map(|batch| {
            let batch = batch?;
            if guess_all {
                return Ok(batch);
            }
            let parsed = parse_batch(&batch, &schema, first_row)?;
            first_row += batch.num_rows();
            fill_texts(&parsed, request)
        });
        batches.collect()
    };
    let batches = pieces::read_batches(file, pieces, read).map_err(FormatError::from_reader)?;
    if guess_all {
        return Ok(parse_guessed(&schema, &batches)?);
    }
    Ok(Table::new(schema, batches)?)
}

/// Parses a batch of texts as the types of a schema. `first_row` is the row of its first texts, for errors.
fn parse_batch(
    batch: &RecordBatch,
    schema: &SchemaRef,
    first_row: usize,
) -> Result<RecordBatch, ArrowError> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(texts, field)| {
            parse_texts(texts.as_string(), field.data_type()).map_err(|error| {
                let message = error.describe(field.name(), field.data_type(), first_row);
                ArrowError::CastError(message)
            })
        })
        .collect::<Result<_, _>>()?;
    with_columns(batch, Arc::clone(schema), columns)
}

/// Parses texts as the types that were guessed. A column with a text that the type cannot hold exactly stays text.
fn parse_guessed(guessed: &Schema, batches: &[RecordBatch]) -> Result<Table, ArrowError> {
    let mut fields = Vec::with_capacity(guessed.fields().len());
    let mut columns: Vec<Vec<ArrayRef>> = vec![Vec::new(); batches.len()];
    for (index, field) in guessed.fields().iter().enumerate() {
        let candidates = match field.data_type() {
            // The guess ignores zones.
            DataType::Timestamp(unit, None) => vec![
                DataType::Timestamp(*unit, None),
                DataType::Timestamp(*unit, Some("UTC".into())),
                DataType::Utf8,
            ],
            DataType::Utf8 => vec![DataType::Utf8],
            other => vec![other.clone(), DataType::Utf8],
        };
        let parse = |data_type: &DataType| -> Option<Vec<ArrayRef>> {
            let columns = batches.iter().map(|batch| batch.column(index));
            let parsed = columns.map(|texts| parse_texts(texts.as_string(), data_type).ok());
            parsed.collect()
        };
        let parsed = candidates
            .into_iter()
            .find_map(|data_type| parse(&data_type).map(|parsed| (data_type, parsed)));
        let Some((data_type, parsed)) = parsed else {
            continue;
        };
        fields.push(Field::new(field.name(), data_type, true));
        for (columns, column) in columns.iter_mut().zip(parsed) {
            columns.push(column);
        }
    }
    let schema = Arc::new(Schema::new(fields));
    let batches = batches.iter().zip(columns);
    let batches = batches
        .map(|(batch, columns)| with_columns(batch, Arc::clone(&schema), columns))
        .collect::<Result<_, _>>()?;
    Table::new(schema, batches)
}

/// Returns a batch of other columns for the same rows.
fn with_columns(
    batch: &RecordBatch,
    schema: SchemaRef,
    columns: Vec<ArrayRef>,
) -> Result<RecordBatch, ArrowError> {
    // A batch without columns still has a number of rows.
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, columns, &rows)
}

/// Returns the format of a piece of the file: the first has the header.
fn format_of(piece: usize) -> Format {
    Format::default().with_header(piece == 0)
}

/// Returns the names of the file's columns, which the header alone gives.
fn guess_names(file: &[u8]) -> Result<Fields, ArrowError> {
    let (header, _) = format_of(0).infer_schema(Cursor::new(file), Some(0))?;
    Ok(header.fields)
}

/// Returns the file's columns, with types guessed from the texts if `types` is set.
fn guess_fields(file: &[u8], pieces: &[&[u8]], types: bool) -> Result<Fields, ArrowError> {
    let header = guess_names(file)?;
    if !types {
        return Ok(header);
    }
    pieces::guess_fields(file, pieces, |n, piece| {
        let (guessed, _) = format_of(n).infer_schema(Cursor::new(piece), None)?;
        // Only the first piece has the header, so the names come from there.
        let names = header.iter().zip(&guessed.fields);
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
    with_columns(batch, batch.schema(), columns)
}
