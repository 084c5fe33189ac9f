//! What IO managers that keep assets as tables of a database have in common: what they
//! are given and what they read back, names, pointers, checks over data as queries, and what new columns mean to
//! the rows that are there.

mod evolve;
mod given;
mod measure;
mod names;
mod nested;
mod restore;
mod spool;

use std::sync::Arc;

use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use precip_core::metadata::TableSchema;

pub use evolve::added;
pub use given::{Given, Rows};
pub use measure::{Question, RowsOf, question};
pub use names::{parse_pointer, pointer, quoted, whose};
pub use nested::{from_json, to_json};
pub use restore::{noted_value, wanted};
pub use spool::{Spool, Spooled};

/// Arrow's schema of columns that were noted down.
///
/// # Errors
/// [`ArrowError`] when a type is none of Arrow's.
pub fn arrow_schema(columns: &TableSchema) -> Result<SchemaRef, ArrowError> {
    let fields = columns.columns.iter().map(|column| {
        let data_type: DataType = column.data_type.parse()?;
        Ok(Field::new(&column.name, data_type, column.nullable))
    });
    let fields: Result<Vec<Field>, ArrowError> = fields.collect();
    Ok(Arc::new(Schema::new(fields?)))
}
