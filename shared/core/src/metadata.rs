//! Facts kept with a definition or a materialization, with a type so that they can be shown well.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Named facts in the order in which they were given.
pub type Metadata = IndexMap<String, MetadataValue>;

/// One fact. The variants are Dagster's `MetadataValue` types.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum MetadataValue {
    /// Plain text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number. JSON knows no NaN and no infinity: they are written as strings.
    Float(
        #[serde(with = "float")]
        #[schemars(with = "float::Written")]
        f64,
    ),
    /// Yes or no.
    Bool(bool),
    /// Any JSON value.
    Json(serde_json::Value),
    /// A file path, or a place in an object store.
    Path(String),
    /// An address that a browser can open.
    Url(String),
    /// A moment.
    Timestamp(DateTime<Utc>),
    /// The columns of a table.
    TableSchema(TableSchema),
    /// Text to be rendered as Markdown.
    Markdown(String),
}

/// The columns of a table, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableSchema {
    /// The columns.
    pub columns: Vec<TableColumn>,
}

/// One column of a [`TableSchema`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableColumn {
    /// The column's name.
    pub name: String,
    /// The column's type as its engine writes it, such as `Int64` or `VARCHAR`.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether a row may have no value here.
    #[serde(default = "nullable")]
    pub nullable: bool,
    /// What the column holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn nullable() -> bool {
    true
}

/// Columns by name, type, and whether a row may have no value.
///
/// ```
/// use precip_core::metadata::TableSchema;
///
/// let columns: TableSchema = [("carrier", "Utf8", false), ("delay", "Int32", true)]
///     .into_iter()
///     .collect();
/// assert_eq!(columns.columns[1].data_type, "Int32");
/// ```
impl<N: Into<String>, T: Into<String>> FromIterator<(N, T, bool)> for TableSchema {
    fn from_iter<I: IntoIterator<Item = (N, T, bool)>>(columns: I) -> Self {
        let column = |(name, data_type, nullable): (N, T, bool)| TableColumn {
            name: name.into(),
            data_type: data_type.into(),
            nullable,
            description: None,
        };
        Self {
            columns: columns.into_iter().map(column).collect(),
        }
    }
}

macro_rules! from {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for MetadataValue {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from! {
    &str => Text, String => Text, bool => Bool, f32 => Float, f64 => Float,
    i8 => Int, i16 => Int, i32 => Int, i64 => Int, u8 => Int, u16 => Int, u32 => Int,
    serde_json::Value => Json, DateTime<Utc> => Timestamp, TableSchema => TableSchema,
}

impl From<usize> for MetadataValue {
    /// A count. A count past `i64::MAX` is held at `i64::MAX`.
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<u64> for MetadataValue {
    /// A count. A count past `i64::MAX` is held at `i64::MAX`.
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

/// Numbers that JSON does not know are written as their names, so that they come back.
mod float {
    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize, JsonSchema)]
    #[serde(untagged)]
    pub(super) enum Written {
        Number(f64),
        Name(String),
    }

    pub(super) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            to.serialize_f64(*value)
        } else {
            to.collect_str(value)
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        match Written::deserialize(from)? {
            Written::Number(value) => Ok(value),
            Written::Name(name) => name.parse().map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_does_not_know_come_back() {
        for value in [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.1,
            3.0,
            -0.0,
            f64::MAX,
        ] {
            let json = serde_json::to_string(&MetadataValue::Float(value)).unwrap();
            let MetadataValue::Float(read) = serde_json::from_str(&json).unwrap() else {
                panic!("{json} is a number");
            };
            assert_eq!(read.to_bits(), value.to_bits(), "{json}");
        }
    }
}
