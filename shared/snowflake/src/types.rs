//! Which column types Snowflake has for Arrow's.

use arrow_schema::{DataType, TimeUnit};

/// The type of a column, in which every value of the Arrow type comes back as it was; or what to use
/// instead where there is none.
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
            return Ok(format!("TIME({})", digits(*unit)));
        }
        DataType::Timestamp(unit, None) => return Ok(format!("TIMESTAMP_NTZ({})", digits(*unit))),
        // The zone is noted down with the columns; the table has the moment.
        DataType::Timestamp(unit, Some(_)) => {
            return Ok(format!("TIMESTAMP_TZ({})", digits(*unit)));
        }
        DataType::Decimal128(precision, scale) if (0..=37).contains(scale) => {
            return Ok(format!("NUMBER({precision}, {scale})"));
        }
        nested if is_nested(nested) => "VARIANT",
        other => {
            return Err(format!(
                "{other} has no place in Snowflake; use another type, or the Parquet IO manager"
            ));
        }
    };
    Ok(name.to_owned())
}

/// Whether values of the type have parts: Snowflake keeps them as JSON.
pub(crate) fn is_nested(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::List(_) | DataType::LargeList(_) | DataType::Struct(_) | DataType::Map(..)
    )
}

/// How many digits a second has after the point.
fn digits(unit: TimeUnit) -> u8 {
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
    fn what_has_no_place_is_refused_with_a_way_out() {
        let list = DataType::List(Arc::new(Field::new("item", DataType::Int8, true)));
        assert_eq!(sql_type(&list).unwrap(), "VARIANT");
        assert_eq!(
            sql_type(&DataType::Decimal128(38, 38)).unwrap_err(),
            "Decimal128(38, 38) has no place in Snowflake; use another type, or the Parquet IO manager"
        );
        let nanos = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        assert_eq!(sql_type(&nanos).unwrap(), "TIMESTAMP_TZ(9)");
    }
}
