//! The Arrow types in a load request.

use arrow_schema::{DataType, Field, Fields};
use precip_core::metadata::TableColumn;
use precip_engine::io::LoadRequest;

use super::FormatError;
use crate::tables::check_renamed_columns;

/// Checks that no requested column is stored under another name.
pub(super) fn check_renamed_fields(
    stored: &Fields,
    request: &LoadRequest,
) -> Result<(), FormatError> {
    let names: Vec<&str> = stored.iter().map(|field| field.name().as_str()).collect();
    check_renamed_columns(&names, request).map_err(FormatError::Unsupported)
}

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
