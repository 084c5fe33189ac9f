//! Stored data as text, for people and pipes.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch, StringArray,
    cast::AsArray,
    types::{Float32Type, Float64Type},
};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_json::{
    ArrayWriter,
    writer::{
        Encoder, EncoderFactory, EncoderOptions, LineDelimited, NullableEncoder, WriterBuilder,
    },
};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema};

use crate::{Table, Value, format::encode_csv};

/// Data as the cells of a printed table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// The name of each column, and `true` if its cells are numbers.
    pub columns: Vec<(String, bool)>,
    /// The rows, with a cell for each column. A missing value is an empty cell.
    pub rows: Vec<Vec<String>>,
    /// Number of rows of the data, which exceeds `rows` when those are limited.
    pub total: usize,
}

impl Value {
    /// Formats the data as CSV: a header, one row per line, an empty cell for a missing value. Floats have as many
    /// digits as reading them back needs; lists, structs and maps are JSON in a cell.
    ///
    /// Equal data gives equal text. Other forms are shown as tables: an object by key and value.
    ///
    /// # Errors
    /// [`ArrowError`] when the data is damaged.
    pub fn to_csv(&self) -> Result<String, ArrowError> {
        let csv = encode_csv(&self.to_flat_table()?)
            .map_err(|error| ArrowError::CsvError(error.to_string()))?;
        String::from_utf8(csv).map_err(|error| ArrowError::CsvError(error.to_string()))
    }

    /// Converts the data to JSON: a table is an array of objects, bytes are a string of hexadecimal digits. NaN and
    /// infinities, which JSON lacks, are the strings `NaN`, `inf` and `-inf`.
    ///
    /// # Errors
    /// [`ArrowError`] when the data is damaged.
    pub fn to_json(&self) -> Result<serde_json::Value, ArrowError> {
        match self {
            Self::Table(table) => {
                let mut writer =
                    json_writer().build::<_, arrow_json::writer::JsonArray>(Vec::new());
                write_all(&mut writer, table)?;
                serde_json::from_slice(&writer.into_inner())
                    .map_err(|error| ArrowError::JsonError(error.to_string()))
            }
            Self::Json(json) => Ok(json.clone()),
            Self::Text(text) => Ok(text.clone().into()),
            Self::Bytes(bytes) => Ok(format!("{bytes:x}").into()),
        }
    }

    /// Returns the first rows as cells.
    ///
    /// # Errors
    /// [`ArrowError`] when the data is damaged.
    pub fn to_grid(&self, limit: usize) -> Result<Grid, ArrowError> {
        let table = self.first_rows(limit).to_flat_table()?;
        let options = FormatOptions::new();
        let mut rows = Vec::with_capacity(table.num_rows());
        for batch in table.batches() {
            let cells = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
                .collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                rows.push(
                    cells
                        .iter()
                        .map(|cell| cell.value(row).to_string())
                        .collect(),
                );
            }
        }
        let columns = table
            .schema()
            .fields()
            .iter()
            .map(|field| (field.name().clone(), field.data_type().is_numeric()))
            .collect();
        // `table` has the first rows only; the total is that of the data itself.
        let total = match self {
            Self::Table(whole) => whole.num_rows(),
            _ => table.num_rows(),
        };
        Ok(Grid {
            columns,
            rows,
            total,
        })
    }

    /// Returns the first rows of a table; data of another form is returned as it is.
    pub fn first_rows(&self, limit: usize) -> Self {
        let Self::Table(table) = self else {
            return self.clone();
        };
        let mut left = limit;
        let mut batches = Vec::new();
        for batch in table.batches() {
            let rows = batch.num_rows().min(left);
            if rows > 0 {
                batches.push(batch.slice(0, rows));
            }
            left -= rows;
        }
        Table::new(Arc::clone(table.schema()), batches).map_or_else(|_| self.clone(), Self::Table)
    }

    /// Converts the data to a table in which every cell is a text or a number.
    fn to_flat_table(&self) -> Result<Table, ArrowError> {
        match self {
            Self::Table(table) => flatten_table(table),
            Self::Json(serde_json::Value::Object(entries)) => text_table(&[
                ("key", entries.keys().cloned().collect()),
                ("value", entries.values().map(cell_text).collect()),
            ]),
            Self::Json(serde_json::Value::Array(items)) => {
                text_table(&[("value", items.iter().map(cell_text).collect())])
            }
            Self::Json(json) => text_table(&[("value", vec![cell_text(json)])]),
            Self::Text(text) => text_table(&[("value", vec![text.clone()])]),
            Self::Bytes(bytes) => text_table(&[("value", vec![format!("{bytes:x}")])]),
        }
    }
}

/// Formats JSON for a cell: a string has no quotes.
fn cell_text(json: &serde_json::Value) -> String {
    match json {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Creates a table of text columns.
fn text_table(columns: &[(&str, Vec<String>)]) -> Result<Table, ArrowError> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, _)| Field::new(*name, DataType::Utf8, true))
        .collect();
    let arrays = columns
        .iter()
        .map(|(_, cells)| Arc::new(StringArray::from_iter_values(cells)) as ArrayRef)
        .collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?.into())
}

/// Converts nested columns and bytes to text.
fn flatten_table(table: &Table) -> Result<Table, ArrowError> {
    let is_flat = |data_type: &DataType| !(data_type.is_nested() || is_bytes(data_type));
    let fields: Vec<FieldRef> = table
        .schema()
        .fields()
        .iter()
        .map(|field| {
            if is_flat(field.data_type()) {
                Arc::clone(field)
            } else {
                Arc::new(Field::new(field.name(), DataType::Utf8, true))
            }
        })
        .collect();
    // The columns are converted as the new fields say.
    let schema = Arc::new(Schema::new(fields));
    let batches = table
        .batches()
        .iter()
        .map(|batch| {
            let columns = batch
                .schema_ref()
                .fields()
                .iter()
                .zip(batch.columns())
                .map(|(field, column)| {
                    if is_flat(field.data_type()) {
                        Ok(Arc::clone(column))
                    } else if field.data_type().is_nested() {
                        as_json_text(field, column)
                    } else {
                        as_text(column)
                    }
                })
                .collect::<Result<Vec<_>, _>>()?;
            RecordBatch::try_new(Arc::clone(&schema), columns)
        })
        .collect::<Result<Vec<_>, ArrowError>>()?;
    Table::new(schema, batches)
}

fn is_bytes(data_type: &DataType) -> bool {
    data_type.is_binary() || matches!(data_type, DataType::FixedSizeBinary(_))
}

fn as_text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let options = FormatOptions::new();
    let cells = ArrayFormatter::try_new(column.as_ref(), &options)?;
    let texts: StringArray = (0..column.len())
        .map(|row| column.is_valid(row).then(|| cells.value(row).to_string()))
        .collect();
    Ok(Arc::new(texts))
}

fn as_json_text(field: &FieldRef, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let schema = Arc::new(Schema::new([Arc::clone(field)]));
    let batch = RecordBatch::try_new(schema, vec![Arc::clone(column)])?;
    let mut writer = json_writer().build::<_, LineDelimited>(Vec::new());
    writer.write(&batch)?;
    writer.finish()?;
    let lines = writer.into_inner();
    // The lines are read again, since only whole objects can be written: each holds one cell.
    let invalid_json = |error: serde_json::Error| ArrowError::JsonError(error.to_string());
    let mut texts = Vec::with_capacity(column.len());
    for line in serde_json::Deserializer::from_slice(&lines).into_iter::<serde_json::Value>() {
        let mut line = line.map_err(invalid_json)?;
        let cell = line[field.name()].take();
        texts.push((!cell.is_null()).then(|| cell.to_string()));
    }
    Ok(Arc::new(StringArray::from(texts)))
}

/// Returns the options for showing rows as JSON.
fn json_writer() -> WriterBuilder {
    WriterBuilder::new()
        .with_explicit_nulls(true)
        .with_encoder_factory(Arc::new(NamedFloats))
}

/// Writes NaN and infinities as strings, where Arrow would write `null`.
#[derive(Debug)]
struct NamedFloats;

impl EncoderFactory for NamedFloats {
    fn make_default_encoder<'a>(
        &self,
        _: &'a FieldRef,
        array: &'a dyn Array,
        _: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let nulls = array.nulls().cloned();
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Float32 => Box::new(Floats(array.as_primitive::<Float32Type>())),
            DataType::Float64 => Box::new(Floats(array.as_primitive::<Float64Type>())),
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, nulls)))
    }
}

/// A column of floats.
struct Floats<'a, P: ArrowPrimitiveType>(&'a PrimitiveArray<P>);

impl<P: ArrowPrimitiveType<Native: Into<f64> + serde::Serialize>> Encoder for Floats<'_, P> {
    fn encode(&mut self, index: usize, out: &mut Vec<u8>) {
        let number = self.0.value(index);
        let wide: f64 = number.into();
        if wide.is_finite() {
            // Writing to memory does not fail, nor does a number.
            let _ = serde_json::to_writer(out, &number);
        } else {
            out.extend_from_slice(format!("\"{wide}\"").as_bytes());
        }
    }
}

fn write_all(writer: &mut ArrayWriter<Vec<u8>>, table: &Table) -> Result<(), ArrowError> {
    for batch in table.batches() {
        writer.write(batch)?;
    }
    writer.finish()
}

#[cfg(test)]
mod tests;
