//! Metrics of checks as queries: [`metric_query`].

use std::sync::Arc;

use arrow_array::{cast::AsArray, types::Int64Type};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use precip_core::metadata::TableSchema;
use precip_engine::io::Metric;

use crate::{
    Table,
    checks::{Measurement, MetricValue, latest_time, missing_column},
};

/// Largest number of accepted values in a query. With more, the rows are loaded.
const MAX_VALUES: usize = 1_000;

/// The location of a partition's rows in a database.
#[derive(Debug, Clone, Copy)]
pub struct PartitionRows<'a> {
    /// The table, as an SQL identifier.
    pub table: &'a str,
    /// The column of the partition key, as an SQL identifier, and the key. `None` selects all rows of the table.
    pub partition: Option<(&'a str, Option<&'a str>)>,
    /// Formats a column name as an SQL identifier.
    pub column: fn(&str) -> String,
}

/// A query that computes a metric, in the SQL that DuckDB and Snowflake share.
#[derive(Debug, Clone)]
pub struct MetricQuery {
    /// The query, which returns a few rows.
    pub sql: String,
    /// The values of its `?` parameters, in order.
    pub values: Vec<String>,
    /// The columns of its result, in order, with the types to read them as.
    pub schema: SchemaRef,
    /// The value that is known without the query, or [`MetricValue::RowsOnly`].
    known: MetricValue,
}

/// Returns the query for a metric over rows with these stored columns.
///
/// Returns `None` when a database may compare or format values of such a column differently from
/// [`Measurement::of_table`]; then the rows are loaded.
///
/// # Errors
/// [`ArrowError`] when the type of a column is not an Arrow type.
pub fn metric_query(
    metric: &Metric,
    columns: &TableSchema,
    rows: &PartitionRows<'_>,
) -> Result<Option<MetricQuery>, ArrowError> {
    let from = from_clause(rows);
    let counted = || (format!("SELECT COUNT(*) AS counted {from}"), Vec::new());
    let known = missing_column(metric, columns).unwrap_or_else(|| match metric {
        Metric::Columns => MetricValue::Columns(columns.clone()),
        _ => MetricValue::RowsOnly,
    });
    // Types of the stored columns decide whether the database may compute the metric.
    let types = super::arrow_schema(columns)?;
    let type_of = |column: &str| Ok::<_, ArrowError>(types.field_with_name(column)?.data_type());
    let mut accepted_values = Vec::new();
    let (sql, more_fields) = match metric {
        // Only the number of rows is still unknown.
        _ if known != MetricValue::RowsOnly => counted(),
        Metric::RowCount | Metric::Columns => counted(),
        Metric::NullCount { column } => {
            let column = (rows.column)(column);
            let sql =
                format!("SELECT COUNT(*) AS counted, COUNT(*) - COUNT({column}) AS found {from}");
            (sql, vec![Field::new("found", DataType::Int64, true)])
        }
        Metric::DuplicateCount {
            columns,
            nulls_not_distinct,
        } => {
            for column in columns {
                if !is_exact(type_of(column)?) {
                    return Ok(None);
                }
            }
            if columns.is_empty() {
                return Ok(None);
            }
            let names: Vec<String> = columns.iter().map(|column| (rows.column)(column)).collect();
            // GROUP BY puts missing values into one group, whose rows UNIQUE regards as distinct.
            let repeated = if *nulls_not_distinct {
                "COUNT(*) - 1".to_owned()
            } else {
                let missing = names.join(" IS NULL OR ");
                format!("CASE WHEN {missing} IS NULL THEN 0 ELSE COUNT(*) - 1 END")
            };
            // A sum over no groups is NULL, hence COALESCE.
            let sql = format!(
                "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) AS counted, \
                 CAST(COALESCE(SUM(repeated), 0) AS BIGINT) AS found \
                 FROM (SELECT COUNT(*) AS n, {repeated} AS repeated {from} GROUP BY {}) AS held",
                names.join(", ")
            );
            (sql, vec![Field::new("found", DataType::Int64, true)])
        }
        Metric::UnexpectedValues {
            column,
            accepted,
            shown,
        } => {
            if !is_formatted_alike(type_of(column)?) || accepted.len() > MAX_VALUES {
                return Ok(None);
            }
            let column = (rows.column)(column);
            // `NOT IN ()` is a syntax error.
            let others = match accepted.len() {
                0 => "written IS NOT NULL".to_owned(),
                values => format!("written NOT IN ({})", vec!["?"; values].join(", ")),
            };
            accepted_values.extend(accepted.iter().cloned());
            // One row has the numbers, and the following ones have a value each.
            let sql = format!(
                "WITH held AS (SELECT CAST({column} AS VARCHAR) AS written {from}), \
                 others AS (SELECT written FROM held WHERE {others}) \
                 SELECT (SELECT COUNT(*) FROM held) AS counted, (SELECT COUNT(*) FROM others) AS found, \
                 CAST(NULL AS VARCHAR) AS shown \
                 UNION ALL SELECT NULL, NULL, written FROM \
                 (SELECT DISTINCT written FROM others ORDER BY written LIMIT {shown}) AS first_others"
            );
            let fields = vec![
                Field::new("found", DataType::Int64, true),
                Field::new("shown", DataType::Utf8, true),
            ];
            (sql, fields)
        }
        Metric::Latest { column } => {
            let data_type = type_of(column)?.clone();
            if !is_time(&data_type) {
                return Ok(None);
            }
            let column = (rows.column)(column);
            let sql = format!("SELECT COUNT(*) AS counted, MAX({column}) AS shown {from}");
            (sql, vec![Field::new("shown", data_type, true)])
        }
    };
    // The key is the first parameter, since the FROM clause precedes the accepted values.
    let key = rows.partition.and_then(|(_, key)| key).map(str::to_owned);
    let fields: Vec<Field> = [Field::new("counted", DataType::Int64, true)]
        .into_iter()
        .chain(more_fields)
        .collect();
    Ok(Some(MetricQuery {
        sql,
        values: key.into_iter().chain(accepted_values).collect(),
        schema: Arc::new(Schema::new(fields)),
        known,
    }))
}

impl MetricQuery {
    /// Reads the measurement from the rows of the query, which have the types of its [`schema`](Self::schema).
    ///
    /// # Errors
    /// [`ArrowError`] when the rows do not answer the query.
    pub fn read_answer(&self, result: &Table) -> Result<Measurement, ArrowError> {
        // The rows come in any order, and only one of them has the numbers.
        let number = |name: &str| -> Result<usize, ArrowError> {
            let column = result.column(name)?;
            let mut numbers = column.as_primitive::<Int64Type>().iter().flatten();
            let first = numbers.next().and_then(|number| number.try_into().ok());
            first.ok_or_else(|| {
                ArrowError::InvalidArgumentError(format!("the query returned no `{name}`"))
            })
        };
        let rows = number("counted")?;
        let has = |name: &str| self.schema.index_of(name).is_ok();
        let value = match (has("found"), has("shown")) {
            (false, false) => self.known.clone(),
            (false, true) => MetricValue::Latest(latest_time(&result.column("shown")?)?),
            (true, false) => MetricValue::Count(number("found")?, Vec::new()),
            (true, true) => {
                let column = result.column("shown")?;
                let texts = column.as_string::<i32>().iter().flatten();
                let mut shown: Vec<String> = texts.map(str::to_owned).collect();
                shown.sort_unstable();
                MetricValue::Count(number("found")?, shown)
            }
        };
        Ok(Measurement { rows, value })
    }
}

/// Returns the `FROM` clause for the rows of the partition. Its key is the first `?`.
fn from_clause(rows: &PartitionRows<'_>) -> String {
    let table = rows.table;
    match rows.partition {
        None => format!("FROM {table}"),
        Some((column, None)) => format!("FROM {table} WHERE {column} IS NULL"),
        Some((column, Some(_))) => format!("FROM {table} WHERE {column} = ?"),
    }
}

/// Returns `true` if a database and Arrow agree on which values of the type are equal. They do not for floats: zero
/// has two signs, and there are several NaNs.
fn is_exact(data_type: &DataType) -> bool {
    is_formatted_alike(data_type)
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

/// Returns `true` if a database formats values of the type as Arrow does.
fn is_formatted_alike(data_type: &DataType) -> bool {
    data_type.is_integer()
        || matches!(
            data_type,
            DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        )
}

/// Returns `true` if a database and Arrow agree on the latest value of the type. They do not for nanoseconds, which
/// are cut off before they are compared.
fn is_time(data_type: &DataType) -> bool {
    match data_type {
        DataType::Date32 => true,
        DataType::Timestamp(unit, _) => *unit != TimeUnit::Nanosecond,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
