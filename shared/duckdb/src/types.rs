//! DuckDB's column types for Arrow types.

use duckdb::arrow::datatypes::{DataType, TimeUnit};

use precip_io::tables::quote_identifier;

/// Returns the type of a column that preserves every value of an Arrow type.
///
/// # Errors
/// A message with an alternative, when DuckDB has no such type.
pub(crate) fn sql_type(data_type: &DataType) -> Result<String, String> {
    let name = match data_type {
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::UInt8 => "UTINYINT",
        DataType::UInt16 => "USMALLINT",
        DataType::UInt32 => "UINTEGER",
        DataType::UInt64 => "UBIGINT",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "BLOB",
        DataType::Date32 => "DATE",
        DataType::Time32(_) | DataType::Time64(TimeUnit::Microsecond) => "TIME",
        DataType::Timestamp(TimeUnit::Second, None) => "TIMESTAMP_S",
        DataType::Timestamp(TimeUnit::Millisecond, None) => "TIMESTAMP_MS",
        DataType::Timestamp(TimeUnit::Microsecond, None) => "TIMESTAMP",
        DataType::Timestamp(TimeUnit::Nanosecond, None) => "TIMESTAMP_NS",
        DataType::Timestamp(TimeUnit::Nanosecond, Some(_))
        | DataType::Time64(TimeUnit::Nanosecond) => {
            return Err(format!(
                "{data_type} has more digits than DuckDB keeps; use microseconds"
            ));
        }
        DataType::Timestamp(_, Some(_)) => "TIMESTAMPTZ",
        DataType::Decimal128(precision, scale) if *scale >= 0 => {
            return Ok(format!("DECIMAL({precision}, {scale})"));
        }
        DataType::List(item) | DataType::LargeList(item) => {
            return Ok(format!("{}[]", sql_type(item.data_type())?));
        }
        DataType::Struct(fields) if !fields.is_empty() => {
            let definitions = fields.iter().map(|field| {
                let sql_type = sql_type(field.data_type())?;
                Ok(format!("{} {sql_type}", quote_identifier(field.name())))
            });
            let definitions: Result<Vec<String>, String> = definitions.collect();
            return Ok(format!("STRUCT({})", definitions?.join(", ")));
        }
        DataType::Map(entries, _) => {
            // A map of Arrow is a list of structs with two fields.
            let DataType::Struct(fields) = entries.data_type() else {
                return Err(format!("{data_type} is not a map"));
            };
            let [key, value] = fields.as_ref() else {
                return Err(format!("{data_type} is not a map"));
            };
            return Ok(format!(
                "MAP({}, {})",
                sql_type(key.data_type())?,
                sql_type(value.data_type())?
            ));
        }
        other => {
            return Err(format!(
                "DuckDB cannot store {other}; use another type, or the Parquet IO manager"
            ));
        }
    };
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use duckdb::arrow::datatypes::Field;

    use super::*;

    #[test]
    fn nested_types_are_supported_and_types_that_lose_digits_are_refused() {
        let inner = DataType::Struct(vec![Field::new("a \"b\"", DataType::Int8, true)].into());
        let list = DataType::List(Arc::new(Field::new("item", inner, true)));
        assert_eq!(sql_type(&list).unwrap(), r#"STRUCT("a ""b""" TINYINT)[]"#);
        let nano = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        assert_eq!(
            sql_type(&nano).unwrap_err(),
            "Timestamp(ns, \"UTC\") has more digits than DuckDB keeps; use microseconds"
        );
    }
}
