//! [`Value`]: the content of an [`AssetValue`] that every built-in IO manager can hold.

use std::fmt;

use bytes::Bytes;
use precip_engine::asset::AssetValue;

use crate::Table;

/// Data in one of the forms that every built-in IO manager can store. Cloning tables and bytes is cheap.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Rows with named, typed columns.
    Table(Table),
    /// One JSON document.
    Json(serde_json::Value),
    /// Text.
    Text(String),
    /// Opaque bytes.
    Bytes(Bytes),
}

/// The variant of a [`Value`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// [`Value::Table`].
    Table,
    /// [`Value::Json`].
    Json,
    /// [`Value::Text`].
    Text,
    /// [`Value::Bytes`].
    Bytes,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table => "a table",
            Self::Json => "JSON",
            Self::Text => "text",
            Self::Bytes => "bytes",
        })
    }
}

impl Value {
    /// Returns the form of the data.
    pub fn form(&self) -> Form {
        match self {
            Self::Table(_) => Form::Table,
            Self::Json(_) => Form::Json,
            Self::Text(_) => Form::Text,
            Self::Bytes(_) => Form::Bytes,
        }
    }
}

impl From<Value> for AssetValue {
    fn from(value: Value) -> Self {
        Self::new(value)
    }
}
