//! [`Measured`]: what is told of a partition's rows instead of them.

use std::collections::{BTreeSet, HashSet};

use arrow_array::{Array, ArrayRef, cast::AsArray, types::TimestampMicrosecondType};
use arrow_cast::cast;
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use chrono::{DateTime, Utc};
use precip_core::metadata::TableSchema;
use precip_engine::{asset::AssetValue, io::Measure};

use crate::{ConvertError, Table, Value};

/// The answer to a [`Measure`]. It is the same whoever gives it: an IO manager whose database counts, or
/// [`Measured::of`] over rows that were loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// How many rows there are.
    pub rows: usize,
    /// What else was asked for.
    pub found: Found,
}

/// The part of an answer that its [`Measure`] is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// The rows were all that was asked for.
    Nothing,
    /// The columns that there are.
    Columns(TableSchema),
    /// So many rows are missing a value, repeat others, or have another value, and some of those values.
    Rows(usize, Vec<String>),
    /// The latest moment; `None` when no row has one.
    Latest(Option<DateTime<Utc>>),
    /// It cannot be told, for this reason.
    Unknown(String),
}

impl Measured {
    /// Measures rows.
    pub fn of(measure: &Measure, table: &Table) -> Self {
        let columns = table.table_schema();
        let found = missing(measure, &columns).unwrap_or_else(|| {
            found(measure, table).unwrap_or_else(|error| unknown(&columns, measure, &error))
        });
        Self {
            rows: table.num_rows(),
            found,
        }
    }

    /// What an IO manager answered that was asked for a measure: the answer, or the rows to measure.
    ///
    /// # Errors
    /// [`ConvertError`] when it is no table.
    pub fn answered(measure: &Measure, value: AssetValue) -> Result<Self, ConvertError> {
        let value = match value.downcast::<Self>() {
            Ok(measured) => return Ok(measured),
            Err(value) => value,
        };
        match value.downcast::<Value>() {
            Ok(Value::Table(table)) => Ok(Self::of(measure, &table)),
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

/// What is said of a column that is not among those that there are.
pub(crate) fn missing(measure: &Measure, columns: &TableSchema) -> Option<Found> {
    let about = measure.columns().unwrap_or_default();
    let there = |name: &str| columns.columns.iter().any(|column| column.name == name);
    let missing = about.into_iter().find(|name| !there(name))?;
    let columns: Vec<String> = columns
        .columns
        .iter()
        .map(|column| format!("{}: {}", column.name, column.data_type))
        .collect();
    let others = match columns.as_slice() {
        // A file without it was asked for nothing else.
        [] => String::new(),
        columns => format!("; the columns are {}", columns.join(", ")),
    };
    Some(Found::Unknown(format!(
        "there is no column `{missing}`{others}"
    )))
}

/// What is said of columns that do not have what was asked for.
fn unknown(columns: &TableSchema, measure: &Measure, error: &ArrowError) -> Found {
    let about = measure.columns().unwrap_or_default();
    let columns = columns.columns.iter();
    let columns: Vec<String> = columns
        .filter(|column| about.contains(&column.name.as_str()))
        .map(|column| format!("`{}` is {}", column.name, column.data_type))
        .collect();
    Found::Unknown(format!("{}: {error}", columns.join(", ")))
}

fn found(measure: &Measure, table: &Table) -> Result<Found, ArrowError> {
    Ok(match measure {
        Measure::Rows => Found::Nothing,
        Measure::Columns => Found::Columns(table.table_schema()),
        Measure::Missing { column } => {
            Found::Rows(table.column(column)?.logical_null_count(), Vec::new())
        }
        Measure::Repeated { columns } => Found::Rows(repeated(table, columns)?, Vec::new()),
        Measure::Others {
            column,
            accepted,
            shown,
        } => {
            let texts = cast(&table.column(column)?, &DataType::Utf8)?;
            let texts = texts.as_string::<i32>().iter().flatten();
            let (mut rows, mut first) = (0, BTreeSet::new());
            for text in texts.filter(|text| !accepted.contains(*text)) {
                rows += 1;
                first.insert(text);
                if first.len() > *shown {
                    first.pop_last();
                }
            }
            Found::Rows(rows, first.into_iter().map(str::to_owned).collect())
        }
        Measure::Latest { column } => Found::Latest(latest(&table.column(column)?)?),
    })
}

fn repeated(table: &Table, columns: &[String]) -> Result<usize, ArrowError> {
    let arrays: Vec<ArrayRef> = columns
        .iter()
        .map(|column| table.column(column))
        .collect::<Result<_, _>>()?;
    let fields = arrays
        .iter()
        .map(|array| SortField::new(array.data_type().clone()));
    let converter = RowConverter::new(fields.collect())?;
    let rows = converter.convert_columns(&arrays)?;
    let distinct: HashSet<&[u8]> = rows.iter().map(|row| row.data()).collect();
    Ok(rows.num_rows() - distinct.len())
}

/// The latest moment of a column, where one without a zone is in UTC.
pub(crate) fn latest(column: &ArrayRef) -> Result<Option<DateTime<Utc>>, ArrowError> {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let moments = match column.data_type() {
        DataType::Timestamp(_, None) => cast(
            &cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))?,
            &utc,
        )?,
        _ => cast(column, &utc)?,
    };
    let moments = moments.as_primitive::<TimestampMicrosecondType>();
    let latest = moments.iter().flatten().max();
    Ok(latest.and_then(DateTime::from_timestamp_micros))
}
