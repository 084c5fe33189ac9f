//! Typed metadata of definitions and materializations.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Named metadata values in insertion order.
pub type Metadata = IndexMap<String, MetadataValue>;

/// One metadata value. The variants are Dagster's `MetadataValue` types.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum MetadataValue {
    /// Plain text.
    Text(String),
    /// An integer.
    Int(i64),
    /// A number. NaN and infinities, which JSON lacks, are written as strings.
    Float(
        #[serde(with = "float")]
        #[schemars(with = "float::Repr")]
        f64,
    ),
    /// A boolean.
    Bool(bool),
    /// Any JSON value.
    Json(serde_json::Value),
    /// A file path, or the location of an object in an object store.
    Path(String),
    /// A URL that a browser can open.
    Url(String),
    /// A point in time.
    Timestamp(DateTime<Utc>),
    /// The columns of a table.
    TableSchema(TableSchema),
    /// Markdown text.
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
    /// The column's type in its engine's notation, such as `Int64` or `VARCHAR`.
    #[serde(rename = "type")]
    pub data_type: String,
    /// True if rows may have no value in this column.
    #[serde(default = "default_nullable")]
    pub nullable: bool,
    /// A description of the column's content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn default_nullable() -> bool {
    true
}

/// Collects columns given as `(name, type, nullable)`.
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
        let to_column = |(name, data_type, nullable): (N, T, bool)| TableColumn {
            name: name.into(),
            data_type: data_type.into(),
            nullable,
            description: None,
        };
        Self {
            columns: columns.into_iter().map(to_column).collect(),
        }
    }
}

macro_rules! impl_from {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for MetadataValue {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

impl_from! {
    &str => Text, String => Text, bool => Bool, f32 => Float, f64 => Float,
    i8 => Int, i16 => Int, i32 => Int, i64 => Int, u8 => Int, u16 => Int, u32 => Int,
    serde_json::Value => Json, DateTime<Utc> => Timestamp, TableSchema => TableSchema,
}

impl From<usize> for MetadataValue {
    /// Converts a count, saturating at `i64::MAX`.
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<u64> for MetadataValue {
    /// Converts a count, saturating at `i64::MAX`.
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

/// Serializes the numbers that JSON lacks (NaN and infinities) as strings, so that they round-trip.
mod float {
    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize, JsonSchema)]
    #[serde(untagged)]
    pub(super) enum Repr {
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
        match Repr::deserialize(from)? {
            Repr::Number(value) => Ok(value),
            Repr::Name(name) => name.parse().map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_lacks_round_trip() {
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
            // Bits, because NaN is not equal to itself and -0.0 is equal to 0.0.
            assert_eq!(read.to_bits(), value.to_bits(), "{json}");
        }
    }
}
