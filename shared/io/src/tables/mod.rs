//! Building blocks for IO managers that keep assets as tables of a database: converting values, names and pointers,
//! metrics of checks as queries, and evolving the columns of a table.

mod evolve;
mod fit;
mod input;
mod metric_query;
mod names;
mod nested;
mod renamed;
mod restore;
mod spool;

use std::sync::Arc;

use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use precip_core::metadata::{TableColumn, TableSchema};

pub use evolve::columns_to_add;
pub use fit::{check_query_columns, fit_query_rows};
pub use input::{Rows, StoreInput};
pub use metric_query::{MetricQuery, PartitionRows, metric_query};
pub use names::{describe_address, format_pointer, parse_pointer, quote_identifier};
pub use nested::{from_json, to_json};
pub use renamed::check_renamed_columns;
pub use restore::{decode_document, requested_columns};
pub use spool::{Spool, SpooledRows};

/// Returns the Arrow schema of recorded columns.
///
/// # Errors
/// [`ArrowError`] when a type is not an Arrow type.
pub fn arrow_schema(columns: &TableSchema) -> Result<SchemaRef, ArrowError> {
    let parse_field = |column: &TableColumn| {
        let data_type: DataType = column.data_type.parse()?;
        Ok(Field::new(&column.name, data_type, column.nullable))
    };
    let fields: Result<Vec<Field>, ArrowError> = columns.columns.iter().map(parse_field).collect();
    Ok(Arc::new(Schema::new(fields?)))
}
