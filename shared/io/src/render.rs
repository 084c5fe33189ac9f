//! Stored data as text, for a person or a pipe.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_json::{
    ArrayWriter,
    writer::{LineDelimited, WriterBuilder},
};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema};

use crate::{Table, Value, format::to_csv};

/// Data as the cells of a printed table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// The head of each column, and whether its cells are numbers.
    pub columns: Vec<(String, bool)>,
    /// The rows, each as many cells as there are columns. A missing value is an empty cell.
    pub rows: Vec<Vec<String>>,
    /// How many rows the data has; more than `rows` where these were limited.
    pub total: usize,
}

impl Value {
    /// The data as CSV: a header, a row a line, nothing where there is no value. Floats have as many
    /// digits as they need to be read back the same; lists, structs and maps are JSON in a cell.
    ///
    /// Equal data makes equal text. What is no table is shown as one: an object by key and value.
    ///
    /// # Errors
    /// [`ArrowError`] when the data is damaged.
    pub fn to_csv(&self) -> Result<String, ArrowError> {
        let csv = to_csv(&self.flat()?).map_err(|error| ArrowError::CsvError(error.to_string()))?;
        String::from_utf8(csv).map_err(|error| ArrowError::CsvError(error.to_string()))
    }

    /// The data as JSON: a table is an array of objects, bytes are a string of hexadecimal digits.
    ///
    /// # Errors
    /// [`ArrowError`] when the data is damaged.
    pub fn to_json(&self) -> Result<serde_json::Value, ArrowError> {
        match self {
            Self::Table(table) => {
                let mut writer = WriterBuilder::new()
                    .with_explicit_nulls(true)
                    .build::<_, arrow_json::writer::JsonArray>(Vec::new());
                write_all(&mut writer, table)?;
                serde_json::from_slice(&writer.into_inner())
                    .map_err(|error| ArrowError::JsonError(error.to_string()))
            }
            Self::Json(json) => Ok(json.clone()),
            Self::Text(text) => Ok(text.clone().into()),
            Self::Bytes(bytes) => Ok(format!("{bytes:x}").into()),
        }
    }

    /// The first rows as cells.
    ///
    /// # Errors
    /// [`ArrowError`] when the data is damaged.
    pub fn to_grid(&self, limit: usize) -> Result<Grid, ArrowError> {
        let table = self.first(limit).flat()?;
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
        let total = match self {
            Self::Table(table) => table.num_rows(),
            _ => table.num_rows(),
        };
        Ok(Grid {
            columns,
            rows,
            total,
        })
    }

    /// The first rows of a table; anything else as it is.
    pub fn first(&self, limit: usize) -> Self {
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

    /// The data as a table whose every cell is one text or number.
    fn flat(&self) -> Result<Table, ArrowError> {
        match self {
            Self::Table(table) => flatten(table),
            Self::Json(serde_json::Value::Object(entries)) => texts(&[
                ("key", entries.keys().cloned().collect()),
                ("value", entries.values().map(plain).collect()),
            ]),
            Self::Json(serde_json::Value::Array(items)) => {
                texts(&[("value", items.iter().map(plain).collect())])
            }
            Self::Json(json) => texts(&[("value", vec![plain(json)])]),
            Self::Text(text) => texts(&[("value", vec![text.clone()])]),
            Self::Bytes(bytes) => texts(&[("value", vec![format!("{bytes:x}")])]),
        }
    }
}

/// JSON as it stands in a cell: a string without its quotes.
fn plain(json: &serde_json::Value) -> String {
    match json {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn texts(columns: &[(&str, Vec<String>)]) -> Result<Table, ArrowError> {
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

fn flatten(table: &Table) -> Result<Table, ArrowError> {
    let flat = |data_type: &DataType| !(data_type.is_nested() || bytes_like(data_type));
    let fields: Vec<FieldRef> = table
        .schema()
        .fields()
        .iter()
        .map(|field| {
            if flat(field.data_type()) {
                Arc::clone(field)
            } else {
                Arc::new(Field::new(field.name(), DataType::Utf8, true))
            }
        })
        .collect();
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
                    if flat(field.data_type()) {
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

fn bytes_like(data_type: &DataType) -> bool {
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
    let mut writer = WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, LineDelimited>(Vec::new());
    writer.write(&batch)?;
    writer.finish()?;
    let lines = writer.into_inner();
    let broken = |error: serde_json::Error| ArrowError::JsonError(error.to_string());
    let mut texts = Vec::with_capacity(column.len());
    for line in serde_json::Deserializer::from_slice(&lines).into_iter::<serde_json::Value>() {
        let mut line = line.map_err(broken)?;
        let cell = line[field.name()].take();
        texts.push((!cell.is_null()).then(|| cell.to_string()));
    }
    Ok(Arc::new(StringArray::from(texts)))
}

fn write_all(writer: &mut ArrayWriter<Vec<u8>>, table: &Table) -> Result<(), ArrowError> {
    for batch in table.batches() {
        writer.write(batch)?;
    }
    writer.finish()
}

#[cfg(test)]
mod tests;
