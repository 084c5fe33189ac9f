//! What managers are given to store.

use precip_core::metadata::Metadata;
use precip_engine::{
    asset::AssetValue,
    io::{Address, IoError},
};

use crate::{TableStream, Value, tables::whose};

/// The value inside, when it is one of the forms that the built-in managers hold.
pub(super) fn known(address: &Address, value: AssetValue) -> Result<Value, IoError> {
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
pub async fn whole(address: &Address, value: AssetValue) -> Result<Value, IoError> {
    match value.downcast::<TableStream>() {
        Err(value) => known(address, value),
        Ok(rows) => {
            let rows = rows.collect().await;
            let rows = rows.map_err(|error| unmade(address, error))?;
            Ok(Value::Table(rows))
        }
    }
}

pub(super) fn unmade(
    address: &Address,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> IoError {
    IoError::Failed {
        message: format!("{}: failed to store its rows", whose(address)),
        source: error.into(),
    }
}

/// What is kept with a materialization: rows and columns of a table, and bytes where they are known.
pub fn facts(value: &Value, bytes: Option<usize>) -> Metadata {
    let mut facts = Metadata::new();
    if let Value::Table(table) = value {
        facts.insert("rows".to_owned(), table.num_rows().into());
        facts.insert("columns".to_owned(), table.table_schema().into());
    }
    if let Some(bytes) = bytes {
        facts.insert("bytes".to_owned(), bytes.into());
    }
    facts
}
