//! [`IntoAsset`].

use bytes::Bytes;
use precip_core::metadata::TableSchema;
use precip_engine::asset::AssetValue;

use super::ConvertError;
use crate::Value;

/// Types that an asset's function can return: values that the asset's IO manager can store.
///
/// | type | stored as |
/// |---|---|
/// | `Vec<T>`, `T` with serde's `Serialize` and `Deserialize` | a table, its columns the fields of `T` |
/// | [`Table`](crate::Table), `RecordBatch` | a table |
/// | [`Json<T>`](crate::Json), `serde_json::Value`, numbers, `bool` | one JSON document |
/// | `String` | text |
/// | `bytes::Bytes` | bytes |
///
/// To store a type of your own, implement this trait with an [`AssetValue`] that your own IO manager reads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as an asset",
    label = "not a type that an IO manager can store",
    note = "return `Vec<Row>` for a table (one serde struct a row), `Json<T>` for one document, `String`, `bytes::Bytes`, a number, or a `Table`",
    note = "a function that stores its data itself returns `MaterializeResult`"
)]
pub trait IntoAsset: Sized + Send {
    /// Converts the value into the form that an IO manager stores.
    ///
    /// # Errors
    /// [`ConvertError`] when a field's type has no column type, or a value does not fit its column.
    fn into_asset(self) -> Result<AssetValue, ConvertError>;

    /// Returns the columns that the type declares if it is a table of rows, without a value: they are shown and
    /// checked before anything runs.
    ///
    /// # Errors
    /// [`ConvertError`] when a field's type has no column type.
    fn columns() -> Result<Option<TableSchema>, ConvertError> {
        Ok(None)
    }
}

impl IntoAsset for String {
    fn into_asset(self) -> Result<AssetValue, ConvertError> {
        Ok(Value::Text(self).into())
    }
}

impl IntoAsset for Bytes {
    fn into_asset(self) -> Result<AssetValue, ConvertError> {
        Ok(Value::Bytes(self).into())
    }
}

impl IntoAsset for Value {
    fn into_asset(self) -> Result<AssetValue, ConvertError> {
        Ok(self.into())
    }
}
