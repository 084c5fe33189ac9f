//! Snowflake's column types for Arrow types.

use arrow_schema::{DataType, TimeUnit};

/// Returns the type of a column that preserves every value of an Arrow type.
///
/// # Errors
/// A message with an alternative, when Snowflake has no such type.
pub(crate) fn sql_type(data_type: &DataType) -> Result<String, String> {
    let name = match data_type {
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 | DataType::UInt8 => "NUMBER(3, 0)",
        DataType::Int16 | DataType::UInt16 => "NUMBER(5, 0)",
        DataType::Int32 | DataType::UInt32 => "NUMBER(10, 0)",
        DataType::Int64 => "NUMBER(19, 0)",
        DataType::UInt64 => "NUMBER(20, 0)",
        DataType::Float32 | DataType::Float64 => "FLOAT",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "BINARY",
        DataType::Date32 => "DATE",
        DataType::Time32(unit) | DataType::Time64(unit) => {
            return Ok(format!("TIME({})", fraction_digits(*unit)));
        }
        DataType::Timestamp(unit, None) => {
            return Ok(format!("TIMESTAMP_NTZ({})", fraction_digits(*unit)));
        }
        // The zone is part of the noted columns; the table has the time.
        DataType::Timestamp(unit, Some(_)) => {
            return Ok(format!("TIMESTAMP_TZ({})", fraction_digits(*unit)));
        }
        // Snowflake allows a scale of 37 at most.
        DataType::Decimal128(precision, scale) if (0..=37).contains(scale) => {
            return Ok(format!("NUMBER({precision}, {scale})"));
        }
        nested if is_nested(nested) => "VARIANT",
        other => {
            return Err(format!(
                "Snowflake cannot store {other}; use another type, or the Parquet IO manager"
            ));
        }
    };
    Ok(name.to_owned())
}

/// Returns `true` for nested types, whose values Snowflake stores as JSON.
pub(crate) fn is_nested(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::List(_) | DataType::LargeList(_) | DataType::Struct(_) | DataType::Map(..)
    )
}

/// Returns the number of decimal places of a second.
fn fraction_digits(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::Field;

    use super::*;

    #[test]
    fn unsupported_types_are_refused_with_an_alternative() {
        let list = DataType::List(Arc::new(Field::new("item", DataType::Int8, true)));
        assert_eq!(sql_type(&list).unwrap(), "VARIANT");
        assert_eq!(
            sql_type(&DataType::Decimal128(38, 38)).unwrap_err(),
            "Snowflake cannot store Decimal128(38, 38); use another type, or the Parquet IO manager"
        );
        let nanos = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        assert_eq!(sql_type(&nanos).unwrap(), "TIMESTAMP_TZ(9)");
    }
}
