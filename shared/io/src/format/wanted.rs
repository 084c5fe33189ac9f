//! The Arrow types that a load request asks for.

use arrow_schema::{DataType, Field};
use precip_core::metadata::TableColumn;
use precip_engine::io::LoadRequest;

/// The field that a request asks a column as, where its type is one of Arrow's.
pub(super) fn wanted(request: &LoadRequest, name: &str) -> Option<Field> {
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
