//! Vectors of structs as tables.

use arrow_schema::{DataType, SchemaRef};
use precip_core::metadata::TableSchema;
use precip_engine::asset::{AssetValue, InputNeeds, LoadedInput};
use precip_engine::io::LoadRequest;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    ConvertError, FromAsset, IntoAsset,
    error::short_type_name,
    from_asset::{builtin_values, types_for, wrong_form},
};
use crate::{
    Table, Value,
    schema::{Cell, RowColumns, decode_rows, error_text, row_columns},
    strict::{check_times, holds_micros},
    table::to_table_schema,
};

/// Number of rows in one Arrow batch: the columns of such a batch fit into the processor's caches.
const ROWS_PER_BATCH: usize = 65_536;

impl Table {
    /// Creates a table from structs, with a column for each field. Rows that are not structs (numbers, texts,
    /// times) become a table of one column, `value`. A table of no rows still has its columns.
    ///
    /// # Errors
    /// [`ConvertError`] when a field's type has no column type, or a value does not fit its column: a time with
    /// digits below a microsecond.
    pub fn from_rows<T: Serialize + DeserializeOwned>(rows: &[T]) -> Result<Self, ConvertError> {
        let columns = row_columns::<T>()?;
        let schema = columns.schema();
        check_rows(rows, &columns)?;
        let batches = rows
            .chunks(ROWS_PER_BATCH)
            .map(|rows| match &columns {
                RowColumns::Fields(schema) => serde_arrow::to_record_batch(schema.fields(), &rows),
                RowColumns::Value(schema) => {
                    let cells: Vec<Cell<&T>> = rows.iter().map(|value| Cell { value }).collect();
                    serde_arrow::to_record_batch(schema.fields(), &cells)
                }
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                ConvertError::new(format!(
                    "`{}` cannot be stored as rows: {}",
                    short_type_name::<T>(),
                    error_text(&error)
                ))
            })?;
        let batches = batches
            .into_iter()
            .map(|batch| batch.with_schema(SchemaRef::clone(schema)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| ConvertError::new(error.to_string()))?;
        Self::new(SchemaRef::clone(schema), batches)
            .map_err(|error| ConvertError::new(error.to_string()))
    }

    /// Reads the rows as structs. Columns without a field are ignored, and a missing column leaves an `Option`
    /// field empty.
    ///
    /// # Errors
    /// [`ConvertError`] when a column is missing or has a type that the field cannot be read from.
    pub fn to_rows<T: DeserializeOwned>(&self) -> Result<Vec<T>, ConvertError> {
        decode_rows(self)
    }
}

/// Checks that no time in the rows is finer than its column.
fn check_rows<T: Serialize>(rows: &[T], columns: &RowColumns) -> Result<(), ConvertError> {
    let fields = columns.schema().fields();
    if !holds_micros(fields) {
        return Ok(());
    }
    let of_row = match columns {
        RowColumns::Fields(_) => DataType::Struct(fields.clone()),
        RowColumns::Value(_) => fields[0].data_type().clone(),
    };
    for (index, row) in rows.iter().enumerate() {
        check_times(row, &of_row).map_err(|(path, time)| {
            let path = match path.as_str() {
                "" => "value",
                path => path,
            };
            ConvertError::new(format!(
                "`{}` cannot be stored as rows: `{path}` of row {index} is {time}, and columns hold times to the \
                 microsecond: cut it (`trunc_subsecs(6)` in chrono, `round(Unit::Microsecond)` in jiff), or store \
                 nanoseconds as an integer or a text",
                short_type_name::<T>()
            ))
        })?;
    }
    Ok(())
}

impl<T: Serialize + DeserializeOwned + Send> IntoAsset for Vec<T> {
    fn into_asset(self) -> Result<AssetValue, ConvertError> {
        Table::from_rows(&self).map(|table| Value::Table(table).into())
    }

    fn columns() -> Result<Option<TableSchema>, ConvertError> {
        row_columns::<T>().map(|columns| Some(to_table_schema(columns.schema())))
    }
}

impl<T: DeserializeOwned + Send> FromAsset for Vec<T> {
    fn needs() -> InputNeeds {
        // A type whose columns cannot be derived can still be read from the columns that are stored.
        let columns = row_columns::<T>()
            .ok()
            .map(|columns| to_table_schema(columns.schema()));
        InputNeeds {
            request: LoadRequest {
                columns,
                ..LoadRequest::default()
            },
            many: true,
            missing_ok: false,
        }
    }

    fn from_asset(input: LoadedInput) -> Result<Self, ConvertError> {
        let asset = input.asset.clone();
        let mut all = Self::new();
        // An error names the partition it occurred in.
        for (partition, value) in builtin_values::<Self>(input)? {
            let rows = match value {
                Value::Table(table) => table.to_rows(),
                other => Err(wrong_form::<Self>(other.form(), types_for(other.form()))),
            };
            all.append(&mut rows.map_err(|error| error.at(&asset, partition.as_ref()))?);
        }
        Ok(all)
    }
}
