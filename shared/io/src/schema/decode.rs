//! Rows read back from columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, Schema};
use serde::de::DeserializeOwned;

use super::{Cell, RowColumns, row_columns};
use crate::{
    Table,
    convert::{ConvertError, short_type_name},
    table::describe,
};

/// Reads rows: columns in another type than the row's field has are cast where nothing is lost.
pub(crate) fn decode<T: DeserializeOwned>(table: &Table) -> Result<Vec<T>, ConvertError> {
    match row_columns::<T>() {
        Ok(RowColumns::Fields(wanted)) => decode_as(table, Some(&wanted)),
        Ok(RowColumns::Value(wanted)) => {
            let cells: Vec<Cell<T>> = decode_as(table, Some(&wanted))?;
            Ok(cells.into_iter().map(|cell| cell.value).collect())
        }
        // A type whose columns cannot be told is read from the columns as they are.
        Err(_) => decode_as(table, None),
    }
}

fn decode_as<T: DeserializeOwned>(
    table: &Table,
    wanted: Option<&Schema>,
) -> Result<Vec<T>, ConvertError> {
    let mut rows: Vec<T> = Vec::with_capacity(table.num_rows());
    for batch in table.batches() {
        let batch = match wanted {
            Some(wanted) => fit(batch, wanted).map_err(|problem| refuse::<T>(&problem, table))?,
            None => batch.clone(),
        };
        let mut read: Vec<T> = serde_arrow::from_record_batch(&batch)
            .map_err(|error| refuse::<T>(&explain(&error), table))?;
        rows.append(&mut read);
    }
    Ok(rows)
}

/// What went wrong, and at which field: the message alone does not name it.
pub(crate) fn explain(error: &serde_arrow::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("Error: ").unwrap_or(&text).to_owned()
}

fn refuse<T>(problem: &str, table: &Table) -> ConvertError {
    ConvertError::new(format!(
        "its table cannot be read as rows of `{}`: {problem}. The table's columns are {}",
        short_type_name::<T>(),
        describe(table.schema())
    ))
}

/// The columns of a batch that a row type has fields for, in the types that it reads.
fn fit(batch: &RecordBatch, wanted: &Schema) -> Result<RecordBatch, String> {
    let stored = batch.schema_ref();
    let mut fields = Vec::with_capacity(wanted.fields().len());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(wanted.fields().len());
    for field in wanted.fields() {
        // A column that is missing is left to the row type: it may have a default.
        let Some((at, found)) = stored.column_with_name(field.name()) else {
            continue;
        };
        let column = batch.column(at);
        if !field.is_nullable() && column.null_count() > 0 {
            return Err(format!(
                "column `{}` has {} empty values, and the field is not an `Option`",
                field.name(),
                column.null_count()
            ));
        }
        let column = if found.data_type() == field.data_type() {
            Arc::clone(column)
        } else {
            cast(column, field)?
        };
        fields.push(Arc::new(Field::new(
            field.name(),
            field.data_type().clone(),
            field.is_nullable(),
        )));
        columns.push(column);
    }
    if columns.is_empty() && batch.num_rows() > 0 {
        // Without a column, how many rows there are would be lost.
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

/// Casts, refusing what would change a value.
fn cast(column: &ArrayRef, wanted: &Field) -> Result<ArrayRef, String> {
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let stored = column.data_type();
    let place = || {
        format!(
            "column `{}` holds {stored}, and the field is read from {}",
            wanted.name(),
            wanted.data_type()
        )
    };
    let fitted = cast_with_options(column, wanted.data_type(), &strict)
        .map_err(|error| format!("{}: {error}", place()))?;
    if may_round(stored, wanted.data_type()) {
        let back = cast_with_options(&fitted, stored, &strict)
            .map_err(|error| format!("{}: {error}", place()))?;
        if &back != column {
            return Err(format!("{}, which would round values", place()));
        }
    }
    Ok(fitted)
}

/// Whether Arrow's cast drops a part of a value without a word: decimal places, the time of a day.
fn may_round(stored: &DataType, wanted: &DataType) -> bool {
    let dated = |data_type: &DataType| matches!(data_type, DataType::Date32 | DataType::Date64);
    let fraction = stored.is_floating() || stored.is_decimal();
    (fraction && wanted.is_integer())
        || (matches!(stored, DataType::Timestamp(..)) && dated(wanted))
}
