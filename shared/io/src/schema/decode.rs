//! Reading rows from columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Cell, RowColumns, row_columns};
use crate::{
    Table,
    cast::{Unmatched, cast_column},
    convert::{ConvertError, short_type_name},
    strict::Exact,
    table::describe_columns,
};

/// Reads rows. A column of another type than the row's field is cast by the [table of casts](crate::cast).
pub(crate) fn decode_rows<T: DeserializeOwned>(table: &Table) -> Result<Vec<T>, ConvertError> {
    match row_columns::<T>() {
        Ok(RowColumns::Fields(schema)) => decode_as(table, Some(&schema)),
        Ok(RowColumns::Value(schema)) => {
            let cells: Vec<Cell<T>> = decode_as(table, Some(&schema))?;
            Ok(cells.into_iter().map(|cell| cell.value).collect())
        }
        // A type whose columns cannot be derived is read from the columns as they are.
        Err(_) => decode_as(table, None),
    }
}

fn decode_as<T: DeserializeOwned>(
    table: &Table,
    wanted: Option<&Schema>,
) -> Result<Vec<T>, ConvertError> {
    let mut rows: Vec<T> = Vec::with_capacity(table.num_rows());
    for batch in table.batches() {
        let decoded = match wanted {
            Some(wanted) => {
                let fitted = fit_batch(batch, wanted);
                let fitted = fitted.map_err(|problem| unreadable_rows::<T>(&problem, table))?;
                serde_arrow::from_record_batch(&fitted)
            }
            // The columns are of the types that are stored, so each value is checked where it is read.
            None => serde_arrow::Deserializer::from_record_batch(batch)
                .and_then(|rows| Vec::deserialize(Exact(rows))),
        };
        let mut decoded: Vec<T> =
            decoded.map_err(|error| unreadable_rows::<T>(&error_text(&error), table))?;
        rows.append(&mut decoded);
    }
    Ok(rows)
}

/// Returns the text of an error with the field it concerns, which the message alone does not name.
pub(crate) fn error_text(error: &serde_arrow::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("Error: ").unwrap_or(&text).to_owned()
}

fn unreadable_rows<T>(problem: &str, table: &Table) -> ConvertError {
    ConvertError::new(format!(
        "its table cannot be read as rows of `{}`: {problem}. The table's columns are {}",
        short_type_name::<T>(),
        describe_columns(table.schema())
    ))
}

/// Returns the columns of a batch that a row type has fields for, in the types of the fields.
fn fit_batch(batch: &RecordBatch, wanted: &Schema) -> Result<RecordBatch, String> {
    let stored = batch.schema_ref();
    // The batch is rebuilt with exactly the columns of the row type, in its order.
    let mut fields = Vec::with_capacity(wanted.fields().len());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(wanted.fields().len());
    for field in wanted.fields() {
        // A missing column is left to the row type, which may have a default.
        let Some((index, _)) = stored.column_with_name(field.name()) else {
            continue;
        };
        let column = cast_column(batch.column(index), field, Unmatched::LeaveOut)
            .map_err(|error| error.to_string())?;
        fields.push(Arc::new(Field::new(
            field.name(),
            column.data_type().clone(),
            field.is_nullable(),
        )));
        columns.push(column);
    }
    if columns.is_empty() && batch.num_rows() > 0 {
        // Without a column, the number of rows would be lost.
        let names: Vec<&str> = wanted
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        return Err(format!(
            "none of its columns is a field of the row, which has `{}`",
            names.join("`, `")
        ));
    }
    let schema = Arc::new(Schema::new(fields));
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, columns, &rows).map_err(|error| error.to_string())
}
