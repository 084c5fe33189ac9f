//! Checks over data as queries: [`question`].

use std::sync::Arc;

use arrow_array::{cast::AsArray, types::Int64Type};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use precip_core::metadata::TableSchema;
use precip_engine::io::Measure;

use crate::{
    Table,
    checks::{Found, Measured, latest, missing},
};

/// How many values a query is given to compare with. With more, the rows are loaded.
const MOST_VALUES: usize = 1_000;

/// Where a partition's rows are in a database.
#[derive(Debug, Clone, Copy)]
pub struct RowsOf<'a> {
    /// The table, as it is written in a statement.
    pub table: &'a str,
    /// The column with the partition's key, as it is written in a statement, and the key. `None` where all
    /// rows of the table are meant.
    pub partition: Option<(&'a str, Option<&'a str>)>,
    /// How a column is written in a statement.
    pub column: fn(&str) -> String,
}

/// A query that answers a measure, in words that DuckDB and Snowflake have in common.
#[derive(Debug, Clone)]
pub struct Question {
    /// The query. It answers a few rows.
    pub sql: String,
    /// What its `?` stand for, in order.
    pub values: Vec<String>,
    /// The columns of its answer, in order, as they are to be read.
    pub schema: SchemaRef,
    /// What is known without asking.
    known: Found,
}

/// The query that tells a measure of rows with these columns (as they were stored); `None` when a database may
/// compare values of such a column otherwise than [`Measured::of`] does, or writes them otherwise: then the
/// rows are loaded.
///
/// # Errors
/// [`ArrowError`] when a column's type is none of Arrow's.
pub fn question(
    measure: &Measure,
    columns: &TableSchema,
    rows: &RowsOf<'_>,
) -> Result<Option<Question>, ArrowError> {
    let from = from(rows);
    let counted = || (format!("SELECT COUNT(*) AS counted {from}"), Vec::new());
    let known = missing(measure, columns).unwrap_or_else(|| match measure {
        Measure::Columns => Found::Columns(columns.clone()),
        _ => Found::Nothing,
    });
    let types = super::arrow_schema(columns)?;
    let type_of = |column: &str| Ok::<_, ArrowError>(types.field_with_name(column)?.data_type());
    let mut accepted_values = Vec::new();
    let (sql, more) = match measure {
        _ if known != Found::Nothing => counted(),
        Measure::Rows | Measure::Columns => counted(),
        Measure::Missing { column } => {
            let column = (rows.column)(column);
            let sql =
                format!("SELECT COUNT(*) AS counted, COUNT(*) - COUNT({column}) AS found {from}");
            (sql, vec![Field::new("found", DataType::Int64, true)])
        }
        Measure::Repeated { columns } => {
            for column in columns {
                if !is_exact(type_of(column)?) {
                    return Ok(None);
                }
            }
            if columns.is_empty() {
                return Ok(None);
            }
            let columns: Vec<String> = columns.iter().map(|column| (rows.column)(column)).collect();
            let sql = format!(
                "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) AS counted, \
                 CAST(COALESCE(SUM(n - 1), 0) AS BIGINT) AS found \
                 FROM (SELECT COUNT(*) AS n {from} GROUP BY {}) AS held",
                columns.join(", ")
            );
            (sql, vec![Field::new("found", DataType::Int64, true)])
        }
        Measure::Others {
            column,
            accepted,
            shown,
        } => {
            if !is_written_alike(type_of(column)?) || accepted.len() > MOST_VALUES {
                return Ok(None);
            }
            let column = (rows.column)(column);
            let others = match accepted.len() {
                0 => "written IS NOT NULL".to_owned(),
                values => format!("written NOT IN ({})", vec!["?"; values].join(", ")),
            };
            accepted_values.extend(accepted.iter().cloned());
            let sql = format!(
                "WITH held AS (SELECT CAST({column} AS VARCHAR) AS written {from}), \
                 others AS (SELECT written FROM held WHERE {others}) \
                 SELECT (SELECT COUNT(*) FROM held) AS counted, (SELECT COUNT(*) FROM others) AS found, \
                 CAST(NULL AS VARCHAR) AS shown \
                 UNION ALL SELECT NULL, NULL, written FROM \
                 (SELECT DISTINCT written FROM others ORDER BY written LIMIT {shown}) AS first_others"
            );
            let shown = Field::new("shown", DataType::Utf8, true);
            (sql, vec![Field::new("found", DataType::Int64, true), shown])
        }
        Measure::Latest { column } => {
            let data_type = type_of(column)?.clone();
            if !is_moment(&data_type) {
                return Ok(None);
            }
            let column = (rows.column)(column);
            let sql = format!("SELECT COUNT(*) AS counted, MAX({column}) AS shown {from}");
            (sql, vec![Field::new("shown", data_type, true)])
        }
    };
    let key = rows.partition.and_then(|(_, key)| key).map(str::to_owned);
    let fields: Vec<Field> = [Field::new("counted", DataType::Int64, true)]
        .into_iter()
        .chain(more)
        .collect();
    Ok(Some(Question {
        sql,
        values: key.into_iter().chain(accepted_values).collect(),
        schema: Arc::new(Schema::new(fields)),
        known,
    }))
}

impl Question {
    /// What the query's rows say, read with the types of its [`schema`](Self::schema).
    ///
    /// # Errors
    /// [`ArrowError`] when they are not the answer to it.
    pub fn answer(&self, told: &Table) -> Result<Measured, ArrowError> {
        let number = |name: &str| -> Result<usize, ArrowError> {
            let column = told.column(name)?;
            let mut numbers = column.as_primitive::<Int64Type>().iter().flatten();
            let number = numbers.next().and_then(|number| number.try_into().ok());
            number.ok_or_else(|| {
                ArrowError::InvalidArgumentError(format!("the query answered no `{name}`"))
            })
        };
        let rows = number("counted")?;
        let has = |name: &str| self.schema.index_of(name).is_ok();
        let found = match (has("found"), has("shown")) {
            (false, false) => self.known.clone(),
            (false, true) => Found::Latest(latest(&told.column("shown")?)?),
            (true, false) => Found::Rows(number("found")?, Vec::new()),
            (true, true) => {
                let shown = told.column("shown")?;
                let shown = shown.as_string::<i32>().iter().flatten();
                let mut shown: Vec<String> = shown.map(str::to_owned).collect();
                shown.sort_unstable();
                Found::Rows(number("found")?, shown)
            }
        };
        Ok(Measured { rows, found })
    }
}

/// The rows of the partition. Its key is the first `?`.
fn from(rows: &RowsOf<'_>) -> String {
    let table = rows.table;
    match rows.partition {
        None => format!("FROM {table}"),
        Some((column, None)) => format!("FROM {table} WHERE {column} IS NULL"),
        Some((column, Some(_))) => format!("FROM {table} WHERE {column} = ?"),
    }
}

/// Whether two values of the type are the same for a database if they are for Arrow. Floats are not: zero has
/// two signs, and what is no number is more than one.
fn is_exact(data_type: &DataType) -> bool {
    is_written_alike(data_type)
        || matches!(
            data_type,
            DataType::Binary
                | DataType::LargeBinary
                | DataType::BinaryView
                | DataType::Date32
                | DataType::Time32(_)
                | DataType::Time64(_)
                | DataType::Timestamp(..)
                | DataType::Decimal128(..)
        )
}

/// Whether a database writes values of the type as Arrow does.
fn is_written_alike(data_type: &DataType) -> bool {
    data_type.is_integer()
        || matches!(
            data_type,
            DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        )
}

/// Whether the latest of the type is the same for a database. Nanoseconds are cut, not compared.
fn is_moment(data_type: &DataType) -> bool {
    match data_type {
        DataType::Date32 => true,
        DataType::Timestamp(unit, _) => *unit != TimeUnit::Nanosecond,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
