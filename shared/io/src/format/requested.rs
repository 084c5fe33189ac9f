//! The Arrow types in a load request.

use arrow_schema::{DataType, Field};
use precip_core::metadata::TableColumn;
use precip_engine::io::LoadRequest;

/// Returns the field that a column is requested as, if its type is an Arrow type.
pub(super) fn requested_field(request: &LoadRequest, name: &str) -> Option<Field> {
    let column = request
        .columns
        .as_ref()?
        .columns
        .iter()
        .find(|column| column.name == name)?;
    as_field(column)
}

fn as_field(column: &TableColumn) -> Option<Field> {
    let data_type: DataType = column.data_type.parse().ok()?;
    Some(Field::new(&column.name, data_type, column.nullable))
}
