//! Values that managers are given to store.

use precip_core::metadata::{Metadata, TableSchema};
use precip_engine::{
    asset::AssetValue,
    io::{Address, IoError},
};

use crate::{TableStream, Value, tables::describe_address};

/// Returns the built-in [`Value`] inside.
///
/// # Errors
/// [`IoError::Unsupported`] when the value is of another type.
pub(crate) fn builtin_value(address: &Address, value: AssetValue) -> Result<Value, IoError> {
    value.downcast().map_err(|other| IoError::Unsupported {
        message: format!(
            "{}: a `{}` can only be stored by an IO manager made for it; name that one on the asset, or return `Json`, `Vec<Row>`, `Table`, `String` or `Bytes`",
            describe_address(address),
            other.type_name()
        ),
    })
}

/// Returns the built-in [`Value`] inside, collecting the rows of a stream into a table.
///
/// # Errors
/// [`IoError::Unsupported`] when the value is of another type; [`IoError::Failed`] when the stream ends with an error.
pub(super) async fn collect_value(address: &Address, value: AssetValue) -> Result<Value, IoError> {
    match value.downcast::<TableStream>() {
        Err(value) => builtin_value(address, value),
        Ok(stream) => {
            let table = stream.collect().await;
            table
                .map(Value::Table)
                .map_err(|error| rows_error(address, error))
        }
    }
}

/// Returns the error for rows that could not be produced or written.
pub(crate) fn rows_error(
    address: &Address,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> IoError {
    IoError::Failed {
        message: format!("{}: failed to store its rows", describe_address(address)),
        source: error.into(),
    }
}

/// Returns the metadata to record with a materialization: rows and columns of a table, and the size in bytes if known.
pub(super) fn value_metadata(value: &Value, bytes: Option<usize>) -> Metadata {
    let mut metadata = match value {
        Value::Table(table) => table_metadata(table.num_rows(), table.table_schema()),
        _ => Metadata::new(),
    };
    if let Some(bytes) = bytes {
        metadata.insert("bytes".to_owned(), bytes.into());
    }
    metadata
}

/// Returns the metadata to record with the materialization of a table.
pub(crate) fn table_metadata(rows: usize, columns: TableSchema) -> Metadata {
    Metadata::from_iter([
        ("rows".to_owned(), rows.into()),
        ("columns".to_owned(), columns.into()),
    ])
}
