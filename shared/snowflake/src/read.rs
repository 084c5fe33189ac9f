//! Converting Snowflake's values to Arrow columns.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, PrimitiveArray, RecordBatch,
    StringArray, Time64NanosecondArray,
    types::{
        ArrowTimestampType, Date32Type, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType, TimestampSecondType,
    },
};
use arrow_schema::{DataType, Field, SchemaRef, TimeUnit};
use chrono::{DateTime, Timelike, Utc};
use precip_io::{
    Table,
    cast::{Unmatched, cast_column, parse_texts},
    tables::from_json,
};
use snowflake_connector_rs::{CellValue, DynamicRow};

use crate::{error::SnowflakeError, types::is_nested};

/// Converts rows to a table with the types that they were stored with.
pub(crate) fn rows_to_table(
    rows: Vec<DynamicRow>,
    schema: &SchemaRef,
) -> Result<Table, SnowflakeError> {
    if rows.is_empty() {
        return Ok(Table::empty(Arc::clone(schema)));
    }
    // Rows become columns, by position.
    let mut columns: Vec<Vec<CellValue>> = schema
        .fields()
        .iter()
        .map(|_| Vec::with_capacity(rows.len()))
        .collect();
    for row in rows {
        let (_, values) = row.into_parts();
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    let arrays = columns
        .into_iter()
        .zip(schema.fields())
        .map(|(values, field)| to_array(values, field))
        .collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?.into())
}

/// Converts the values of a column to an array of the type that it was stored with.
fn to_array(values: Vec<CellValue>, field: &Field) -> Result<ArrayRef, SnowflakeError> {
    let data_type = field.data_type();
    let damaged = |error: &dyn std::fmt::Display| SnowflakeError::Damaged(error.to_string());
    let array: ArrayRef = match data_type {
        DataType::Boolean => Arc::new(
            convert_values(values, |value| match value {
                CellValue::Boolean(value) => Some(value),
                _ => None,
            })?
            .into_iter()
            .collect::<BooleanArray>(),
        ),
        DataType::Float32 | DataType::Float64 => Arc::new(
            convert_values(values, |value| match value {
                CellValue::Float(value) => Some(value),
                _ => None,
            })?
            .into_iter()
            .collect::<Float64Array>(),
        ),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Arc::new(
            convert_values(values, |value| match value {
                CellValue::Binary(value) => Some(value.into_bytes()),
                _ => None,
            })?
            .into_iter()
            .collect::<BinaryArray>(),
        ),
        DataType::Date32 => Arc::new(
            convert_values(values, |value| match value {
                CellValue::Date(value) => Some(Date32Type::from_naive_date(value)),
                _ => None,
            })?
            .into_iter()
            .collect::<Date32Array>(),
        ),
        DataType::Time32(_) | DataType::Time64(_) => Arc::new(
            convert_values(values, |value| match value {
                CellValue::Time(value) => Some(
                    i64::from(value.num_seconds_from_midnight()) * 1_000_000_000
                        + i64::from(value.nanosecond()),
                ),
                _ => None,
            })?
            .into_iter()
            .collect::<Time64NanosecondArray>(),
        ),
        DataType::Timestamp(unit, zone) => {
            let times = convert_values(values, |value| match value {
                CellValue::TimestampNtz(value) => Some(value.and_utc()),
                CellValue::TimestampTz(value) => Some(value.to_utc()),
                CellValue::TimestampLtz(value) => Some(value),
                _ => None,
            })?;
            let zone = zone.as_ref();
            match unit {
                TimeUnit::Second => {
                    timestamp_array::<TimestampSecondType>(times, zone, |at| Some(at.timestamp()))?
                }
                TimeUnit::Millisecond => {
                    timestamp_array::<TimestampMillisecondType>(times, zone, |at| {
                        Some(at.timestamp_millis())
                    })?
                }
                TimeUnit::Microsecond => {
                    timestamp_array::<TimestampMicrosecondType>(times, zone, |at| {
                        Some(at.timestamp_micros())
                    })?
                }
                TimeUnit::Nanosecond => {
                    timestamp_array::<TimestampNanosecondType>(times, zone, |at| {
                        at.timestamp_nanos_opt()
                    })?
                }
            }
        }
        nested if is_nested(nested) => return Ok(from_json(&text_array(values)?, nested)?),
        // Numbers go through their digits: no native type holds them all.
        _ => {
            let parsed = parse_texts(&text_array(values)?, data_type);
            return parsed.map_err(|error| damaged(&error.describe(field.name(), data_type, 0)));
        }
    };
    // A column that was altered outside may hold what its recorded type does not.
    let optional = field.clone().with_nullable(true);
    cast_column(&array, &optional, Unmatched::Refuse).map_err(|error| damaged(&error))
}

/// Converts texts, and numbers by their digits, to an array of texts.
fn text_array(values: Vec<CellValue>) -> Result<StringArray, SnowflakeError> {
    let texts = convert_values(values, |value| match value {
        CellValue::Integer(value) => Some(value.to_string()),
        CellValue::Decimal(value) => Some(value.raw().to_owned()),
        CellValue::String(value) => Some(value),
        _ => None,
    })?;
    Ok(texts.into_iter().collect())
}

/// Converts all values except missing ones. A value that `take` does not accept is an error.
fn convert_values<T>(
    values: Vec<CellValue>,
    take: impl Fn(CellValue) -> Option<T>,
) -> Result<Vec<Option<T>>, SnowflakeError> {
    let converted = values.into_iter().map(|value| {
        if value.is_null() {
            return Ok(None);
        }
        // The message must not show the value itself.
        let found = kind_of(&value);
        take(value).map(Some).ok_or_else(|| {
            SnowflakeError::Damaged(format!("a column of another type, with {found}"))
        })
    });
    converted.collect()
}

/// Returns the kind of a value, for messages.
fn kind_of(value: &CellValue) -> &'static str {
    match value {
        CellValue::Boolean(_) => "booleans",
        CellValue::Integer(_) | CellValue::Decimal(_) => "exact numbers",
        CellValue::Float(_) => "floats",
        CellValue::String(_) => "texts",
        CellValue::Binary(_) => "bytes",
        CellValue::Date(_) => "dates",
        CellValue::Time(_) => "times",
        CellValue::TimestampNtz(_) | CellValue::TimestampLtz(_) | CellValue::TimestampTz(_) => {
            "moments"
        }
        _ => "semi-structured values",
    }
}

/// Converts times to timestamps of a unit. `since` returns the number of units since 1970.
fn timestamp_array<T: ArrowTimestampType>(
    times: Vec<Option<DateTime<Utc>>>,
    zone: Option<&Arc<str>>,
    since: impl Fn(DateTime<Utc>) -> Option<i64>,
) -> Result<ArrayRef, SnowflakeError> {
    let stamps = times.into_iter().map(|time| {
        let Some(time) = time else {
            return Ok(None);
        };
        since(time).map(Some).ok_or_else(|| {
            SnowflakeError::Damaged(format!("{time} is out of range for {}", T::DATA_TYPE))
        })
    });
    let array = stamps.collect::<Result<PrimitiveArray<T>, SnowflakeError>>()?;
    Ok(Arc::new(array.with_timezone_opt(zone.cloned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_values_that_do_not_fit_are_errors() {
        let numbers = |value| vec![CellValue::Null, CellValue::Integer(value)];
        let field = |data_type| Field::new("seats", data_type, true);
        let large = to_array(numbers(i128::from(u64::MAX)), &field(DataType::UInt64)).unwrap();
        assert_eq!(large.null_count(), 1);
        let refused = to_array(numbers(300), &field(DataType::UInt8)).unwrap_err();
        assert!(refused.to_string().contains("300"), "{refused}");
        // Digits that an integer would drop, and a text that is no number.
        for (digits, data_type) in [("1.5", DataType::Int64), ("01067", DataType::Int32)] {
            let texts = vec![CellValue::String(digits.to_owned())];
            assert!(to_array(texts, &field(data_type)).is_err(), "{digits}");
        }
        let wide = vec![CellValue::Float(1e300)];
        let refused = to_array(wide, &field(DataType::Float32)).unwrap_err();
        assert!(refused.to_string().contains("column `seats`"), "{refused}");
        let other = vec![CellValue::String("secret".to_owned())];
        assert_eq!(
            to_array(other, &field(DataType::Float64))
                .unwrap_err()
                .to_string(),
            "the database does not hold what was stored: a column of another type, with texts"
        );
    }
}
