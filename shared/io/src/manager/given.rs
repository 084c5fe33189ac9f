//! What managers are given to store.

use precip_core::metadata::{Metadata, TableSchema};
use precip_engine::{
    asset::AssetValue,
    io::{Address, IoError},
};

use crate::{TableStream, Value, tables::whose};

/// The value inside, when it is one of the forms that the built-in managers hold.
pub(crate) fn known(address: &Address, value: AssetValue) -> Result<Value, IoError> {
    value.downcast().map_err(|other| IoError::Unsupported {
        message: format!(
            "{}: a `{}` can only be stored by an IO manager made for it; name that one on the asset, or return `Json`, `Vec<Row>`, `Table`, `String` or `Bytes`",
            whose(address),
            other.type_name()
        ),
    })
}

/// The value inside, when it is one of the forms that the built-in managers hold, with all rows of a
/// stream.
///
/// # Errors
/// [`IoError::Unsupported`] when it is none of them; [`IoError::Failed`] when the stream ends with an error.
pub(super) async fn whole(address: &Address, value: AssetValue) -> Result<Value, IoError> {
    match value.downcast::<TableStream>() {
        Err(value) => known(address, value),
        Ok(rows) => {
            let rows = rows.collect().await;
            let rows = rows.map_err(|error| unmade(address, error))?;
            Ok(Value::Table(rows))
        }
    }
}

pub(crate) fn unmade(
    address: &Address,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> IoError {
    IoError::Failed {
        message: format!("{}: failed to store its rows", whose(address)),
        source: error.into(),
    }
}

/// What is kept with a materialization: rows and columns of a table, and bytes where they are known.
pub(super) fn facts(value: &Value, bytes: Option<usize>) -> Metadata {
    let mut facts = match value {
        Value::Table(table) => facts_of_rows(table.num_rows(), table.table_schema()),
        _ => Metadata::new(),
    };
    if let Some(bytes) = bytes {
        facts.insert("bytes".to_owned(), bytes.into());
    }
    facts
}

/// What is kept with a materialization of a table.
pub(crate) fn facts_of_rows(rows: usize, columns: TableSchema) -> Metadata {
    Metadata::from_iter([
        ("rows".to_owned(), rows.into()),
        ("columns".to_owned(), columns.into()),
    ])
}
