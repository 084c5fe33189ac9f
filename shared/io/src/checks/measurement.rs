//! [`Measurement`]: a metric computed over a partition's rows.

use std::collections::{BTreeSet, HashSet};

use arrow_array::{Array, ArrayRef, cast::AsArray, types::TimestampMicrosecondType};
use arrow_cast::cast;
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use chrono::{DateTime, Utc};
use precip_core::metadata::TableSchema;
use precip_engine::{asset::AssetValue, io::Metric};

use crate::{ConvertError, Table, Value};

/// The result of computing a [`Metric`].
///
/// The result is the same whether a database computes it or [`Measurement::of_table`] does, over loaded rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Number of rows.
    pub rows: usize,
    /// The value of the metric.
    pub value: MetricValue,
}

/// The value of a [`Metric`], next to the number of rows.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricValue {
    /// Only the number of rows was requested.
    RowsOnly,
    /// The columns of the table.
    Columns(TableSchema),
    /// The number of rows that are counted, and the first of the unexpected values.
    Count(usize, Vec<String>),
    /// The latest time; `None` when no row has one.
    Latest(Option<DateTime<Utc>>),
    /// The metric could not be computed, for this reason.
    Unknown(String),
}

impl Measurement {
    /// Computes a metric over the rows of a table.
    pub fn of_table(metric: &Metric, table: &Table) -> Self {
        let columns = table.table_schema();
        let value = missing_column(metric, &columns).unwrap_or_else(|| {
            compute_metric(metric, table)
                .unwrap_or_else(|error| mismatched_columns(&columns, metric, &error))
        });
        Self {
            rows: table.num_rows(),
            value,
        }
    }

    /// Reads the answer of an IO manager to a request for a metric: a measurement, or the rows to measure.
    ///
    /// # Errors
    /// [`ConvertError`] when the answer is neither.
    pub fn from_answer(metric: &Metric, value: AssetValue) -> Result<Self, ConvertError> {
        let value = match value.downcast::<Self>() {
            Ok(measurement) => return Ok(measurement),
            Err(value) => value,
        };
        match value.downcast::<Value>() {
            Ok(Value::Table(table)) => Ok(Self::of_table(metric, &table)),
            Ok(other) => Err(ConvertError::new(format!(
                "it holds {}, and checks over data look at tables",
                other.form()
            ))),
            Err(other) => Err(ConvertError::new(format!(
                "its IO manager loads `{}`, and checks over data look at tables",
                other.type_name()
            ))),
        }
    }
}

/// Returns the value for a metric over a column that the table does not have, or `None` if it has them all.
pub(crate) fn missing_column(metric: &Metric, columns: &TableSchema) -> Option<MetricValue> {
    let needed = metric.columns().unwrap_or_default();
    let exists = |name: &str| columns.columns.iter().any(|column| column.name == name);
    let missing = needed.into_iter().find(|name| !exists(name))?;
    let existing: Vec<String> = columns
        .columns
        .iter()
        .map(|column| format!("{}: {}", column.name, column.data_type))
        .collect();
    let hint = match existing.as_slice() {
        // Only the missing column was requested of the file, so its other columns are not known here.
        [] => String::new(),
        existing => format!("; the columns are {}", existing.join(", ")),
    };
    Some(MetricValue::Unknown(format!(
        "there is no column `{missing}`{hint}"
    )))
}

/// Returns the value for a metric over columns of an unsuitable type.
fn mismatched_columns(columns: &TableSchema, metric: &Metric, error: &ArrowError) -> MetricValue {
    let needed = metric.columns().unwrap_or_default();
    let types: Vec<String> = columns
        .columns
        .iter()
        .filter(|column| needed.contains(&column.name.as_str()))
        .map(|column| format!("`{}` is {}", column.name, column.data_type))
        .collect();
    MetricValue::Unknown(format!("{}: {error}", types.join(", ")))
}

fn compute_metric(metric: &Metric, table: &Table) -> Result<MetricValue, ArrowError> {
    Ok(match metric {
        Metric::RowCount => MetricValue::RowsOnly,
        Metric::Columns => MetricValue::Columns(table.table_schema()),
        Metric::NullCount { column } => {
            MetricValue::Count(table.column(column)?.logical_null_count(), Vec::new())
        }
        Metric::DuplicateCount {
            columns,
            nulls_not_distinct,
        } => {
            let count = count_duplicates(table, columns, *nulls_not_distinct)?;
            MetricValue::Count(count, Vec::new())
        }
        Metric::UnexpectedValues {
            column,
            accepted,
            shown,
        } => {
            let column = cast(&table.column(column)?, &DataType::Utf8)?;
            let texts = column.as_string::<i32>().iter().flatten();
            // The set never holds more than `shown` texts, whatever the number of distinct values.
            let (mut count, mut smallest) = (0, BTreeSet::new());
            for text in texts.filter(|text| !accepted.contains(*text)) {
                count += 1;
                smallest.insert(text);
                if smallest.len() > *shown {
                    smallest.pop_last();
                }
            }
            MetricValue::Count(count, smallest.into_iter().map(str::to_owned).collect())
        }
        Metric::Latest { column } => MetricValue::Latest(latest_time(&table.column(column)?)?),
    })
}

/// Counts the rows whose values in these columns another row has already. Unless missing values are equal, rows without
/// a value in one of the columns are passed over.
fn count_duplicates(
    table: &Table,
    columns: &[String],
    nulls_not_distinct: bool,
) -> Result<usize, ArrowError> {
    let arrays: Vec<ArrayRef> = columns
        .iter()
        .map(|column| table.column(column))
        .collect::<Result<_, _>>()?;
    let fields = arrays
        .iter()
        .map(|array| SortField::new(array.data_type().clone()));
    // Arrow's row format encodes equal values as equal bytes, so a set of bytes finds the distinct rows.
    let converter = RowConverter::new(fields.collect())?;
    let rows = converter.convert_columns(&arrays)?;
    let nulls: Vec<_> = arrays
        .iter()
        .filter(|_| !nulls_not_distinct)
        .filter_map(|array| array.logical_nulls())
        .collect();
    let mut distinct: HashSet<&[u8]> = HashSet::new();
    let repeated = rows.iter().enumerate().filter(|(index, row)| {
        nulls.iter().all(|nulls| nulls.is_valid(*index)) && !distinct.insert(row.data())
    });
    Ok(repeated.count())
}

/// Returns the latest time of a column. A time without a zone is read as UTC.
pub(crate) fn latest_time(column: &ArrayRef) -> Result<Option<DateTime<Utc>>, ArrowError> {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let times = match column.data_type() {
        // First to microseconds, then to UTC: Arrow's cast to a zone keeps the wall clock of a zoneless time.
        DataType::Timestamp(_, None) => cast(
            &cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))?,
            &utc,
        )?,
        _ => cast(column, &utc)?,
    };
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let latest = times.iter().flatten().max();
    Ok(latest.and_then(DateTime::from_timestamp_micros))
}
