//! Columns out of Snowflake's values.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, PrimitiveArray, RecordBatch,
    StringArray, Time64NanosecondArray,
    types::{
        ArrowTimestampType, Date32Type, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType, TimestampSecondType,
    },
};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use chrono::{DateTime, Timelike, Utc};
use precip_io::{Table, tables::from_json};
use snowflake_connector_rs::{CellValue, DynamicRow};

use crate::{error::Failed, types::is_nested};

/// The rows with the types that they were stored with.
pub(crate) fn table(rows: Vec<DynamicRow>, schema: &SchemaRef) -> Result<Table, Failed> {
    if rows.is_empty() {
        return Ok(Table::empty(Arc::clone(schema)));
    }
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
    let columns = columns.into_iter().zip(schema.fields());
    let columns = columns.map(|(values, field)| column(values, field.data_type()));
    let columns = columns.collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?.into())
}

fn column(values: Vec<CellValue>, data_type: &DataType) -> Result<ArrayRef, Failed> {
    let array: ArrayRef = match data_type {
        DataType::Boolean => Arc::new(
            each(values, |value| match value {
                CellValue::Boolean(value) => Some(value),
                _ => None,
            })?
            .into_iter()
            .collect::<BooleanArray>(),
        ),
        DataType::Float32 | DataType::Float64 => Arc::new(
            each(values, |value| match value {
                CellValue::Float(value) => Some(value),
                _ => None,
            })?
            .into_iter()
            .collect::<Float64Array>(),
        ),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Arc::new(
            each(values, |value| match value {
                CellValue::Binary(value) => Some(value.into_bytes()),
                _ => None,
            })?
            .into_iter()
            .collect::<BinaryArray>(),
        ),
        DataType::Date32 => Arc::new(
            each(values, |value| match value {
                CellValue::Date(value) => Some(Date32Type::from_naive_date(value)),
                _ => None,
            })?
            .into_iter()
            .collect::<Date32Array>(),
        ),
        DataType::Time32(_) | DataType::Time64(_) => Arc::new(
            each(values, |value| match value {
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
            let moments = each(values, |value| match value {
                CellValue::TimestampNtz(value) => Some(value.and_utc()),
                CellValue::TimestampTz(value) => Some(value.to_utc()),
                CellValue::TimestampLtz(value) => Some(value),
                _ => None,
            })?;
            let zone = zone.as_ref();
            match unit {
                TimeUnit::Second => {
                    stamps::<TimestampSecondType>(moments, zone, |at| Some(at.timestamp()))?
                }
                TimeUnit::Millisecond => stamps::<TimestampMillisecondType>(moments, zone, |at| {
                    Some(at.timestamp_millis())
                })?,
                TimeUnit::Microsecond => stamps::<TimestampMicrosecondType>(moments, zone, |at| {
                    Some(at.timestamp_micros())
                })?,
                TimeUnit::Nanosecond => {
                    stamps::<TimestampNanosecondType>(moments, zone, |at| at.timestamp_nanos_opt())?
                }
            }
        }
        nested if is_nested(nested) => return Ok(from_json(&texts(values)?, nested)?),
        // Numbers of any size as their digits, and texts.
        _ => Arc::new(texts(values)?),
    };
    // What does not fit is an error, not a value that is missing.
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    Ok(cast_with_options(&array, data_type, &strict)?)
}

fn texts(values: Vec<CellValue>) -> Result<StringArray, Failed> {
    let texts = each(values, |value| match value {
        CellValue::Integer(value) => Some(value.to_string()),
        CellValue::Decimal(value) => Some(value.raw().to_owned()),
        CellValue::String(value) => Some(value),
        _ => None,
    })?;
    Ok(texts.into_iter().collect())
}

/// Each value that is there, as what the column should hold.
fn each<T>(
    values: Vec<CellValue>,
    take: impl Fn(CellValue) -> Option<T>,
) -> Result<Vec<Option<T>>, Failed> {
    let values = values.into_iter().map(|value| {
        if value.is_null() {
            return Ok(None);
        }
        let found = kind(&value);
        let value = take(value);
        value
            .map(Some)
            .ok_or_else(|| Failed::Damaged(format!("a column of another type, with {found}")))
    });
    values.collect()
}

/// What sort of value it is, without the value.
fn kind(value: &CellValue) -> &'static str {
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

fn stamps<T: ArrowTimestampType>(
    moments: Vec<Option<DateTime<Utc>>>,
    zone: Option<&Arc<str>>,
    since: impl Fn(DateTime<Utc>) -> Option<i64>,
) -> Result<ArrayRef, Failed> {
    let stamps = moments.into_iter().map(|moment| {
        let Some(moment) = moment else {
            return Ok(None);
        };
        let since = since(moment);
        since
            .map(Some)
            .ok_or_else(|| Failed::Damaged(format!("{moment} has no place in {}", T::DATA_TYPE)))
    });
    let stamps = stamps.collect::<Result<PrimitiveArray<T>, Failed>>()?;
    Ok(Arc::new(stamps.with_timezone_opt(zone.cloned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_what_does_not_fit_is_an_error() {
        let numbers = |value| vec![CellValue::Null, CellValue::Integer(value)];
        let large = column(numbers(i128::from(u64::MAX)), &DataType::UInt64).unwrap();
        assert_eq!(large.null_count(), 1);
        let refused = column(numbers(300), &DataType::UInt8).unwrap_err();
        assert!(refused.to_string().contains("300"), "{refused}");
        let other = vec![CellValue::String("secret".to_owned())];
        assert_eq!(
            column(other, &DataType::Float64).unwrap_err().to_string(),
            "the database holds something else than was stored: a column of another type, with texts"
        );
    }
}
