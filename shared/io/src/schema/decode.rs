//! Reading rows from columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, Schema};
use serde::de::DeserializeOwned;

use super::{Cell, RowColumns, row_columns};
use crate::{
    Table,
    convert::{ConvertError, short_type_name},
    table::describe_columns,
};

/// Reads rows. A column of another type than the row's field is cast if no value changes.
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
        let fitted = match wanted {
            Some(wanted) => {
                fit_batch(batch, wanted).map_err(|problem| unreadable_rows::<T>(&problem, table))?
            }
            None => batch.clone(),
        };
        let mut decoded: Vec<T> = serde_arrow::from_record_batch(&fitted)
            .map_err(|error| unreadable_rows::<T>(&error_text(&error), table))?;
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
        let Some((index, found)) = stored.column_with_name(field.name()) else {
            continue;
        };
        let column = batch.column(index);
        if !field.is_nullable() && column.null_count() > 0 {
            return Err(format!(
                "column `{}` has {} empty values, and the field is not an `Option`",
                field.name(),
                column.null_count()
            ));
        }
        columns.push(if found.data_type() == field.data_type() {
            Arc::clone(column)
        } else {
            cast_column(column, field)?
        });
        fields.push(Arc::new(Field::new(
            field.name(),
            field.data_type().clone(),
            field.is_nullable(),
        )));
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

/// Casts a column, refusing a cast that would change a value.
fn cast_column(column: &ArrayRef, wanted: &Field) -> Result<ArrayRef, String> {
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let stored = column.data_type();
    let context = || {
        format!(
            "column `{}` holds {stored}, and the field is read from {}",
            wanted.name(),
            wanted.data_type()
        )
    };
    let fitted = cast_with_options(column, wanted.data_type(), &strict)
        .map_err(|error| format!("{}: {error}", context()))?;
    // Casting back finds a value that was rounded.
    if may_round(stored, wanted.data_type()) {
        let back = cast_with_options(&fitted, stored, &strict)
            .map_err(|error| format!("{}: {error}", context()))?;
        if &back != column {
            return Err(format!("{}, which would round values", context()));
        }
    }
    Ok(fitted)
}

/// Returns `true` if Arrow's cast silently drops a part of a value: decimal places, or the time of day.
fn may_round(stored: &DataType, wanted: &DataType) -> bool {
    let is_date = |data_type: &DataType| matches!(data_type, DataType::Date32 | DataType::Date64);
    let has_fraction = stored.is_floating() || stored.is_decimal();
    (has_fraction && wanted.is_integer())
        || (matches!(stored, DataType::Timestamp(..)) && is_date(wanted))
}
