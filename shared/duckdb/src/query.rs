//! [`Query`]: a query over tables that were loaded.

use std::sync::Arc;

use duckdb::{
    Config, Connection, Error, ToSql,
    arrow::{compute::CastOptions, compute::cast_with_options, datatypes::Schema},
};
use precip_core::metadata::TableSchema;
use precip_engine::asset::AssetError;
use precip_io::{
    FromAsset, Table,
    tables::{arrow_schema, quoted},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{error::Failed, types::sql_type};

/// A query over tables of this process.
///
/// ```
/// use precip_duckdb::Query;
/// use precip_io::Table;
///
/// let numbers = Table::from_rows(&[1_i64, 2, 3])?;
/// let sums: Vec<i64> = Query::new("SELECT sum(value) AS value FROM numbers")
///     .table("numbers", numbers)
///     .run()?;
/// assert_eq!(sums, [6]);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
#[must_use = "`run` runs it"]
pub struct Query {
    sql: String,
    tables: Vec<(String, Table)>,
    partition: Option<String>,
}

impl Query {
    /// One statement that answers rows.
    pub fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            tables: Vec::new(),
            partition: None,
        }
    }

    /// A table that the query can name.
    pub fn table(mut self, name: impl Into<String>, table: Table) -> Self {
        self.tables.push((name.into(), table));
        self
    }

    /// What `$partition` is in the query.
    pub fn partition(mut self, key: impl Into<String>) -> Self {
        self.partition = Some(key.into());
        self
    }

    /// Runs it, in a DuckDB that is gone afterwards and reaches nothing but the tables.
    ///
    /// # Errors
    /// [`AssetError`], not to be tried again: DuckDB's own words about the query, or that the rows are
    /// not what is asked for.
    pub fn run<T: FromQuery>(self) -> Result<T, AssetError> {
        let rows = self.rows().map_err(|failed| {
            let message = match failed {
                Failed::DuckDb(error) => format!("the query failed: {}", words(&error)),
                other => format!("the query failed: {other}"),
            };
            AssetError::terminal(message)
        })?;
        T::from_query(rows)
    }

    fn rows(&self) -> Result<Table, Failed> {
        let config = Config::default().enable_external_access(false)?;
        let connection = Connection::open_in_memory_with_flags(config)?;
        for (name, table) in &self.tables {
            give(&connection, name, table)?;
        }
        let mut statement = connection.prepare(&self.sql)?;
        let found = match &self.partition {
            None => statement.stream_arrow([])?,
            Some(key) => {
                let key: [(&str, &dyn ToSql); 1] = [("partition", key)];
                statement.stream_arrow(&key[..])?
            }
        };
        let schema = found.get_schema();
        let batches = found.collect::<Result<Vec<_>, _>>()?;
        Ok(Table::new(schema, batches)?)
    }
}

/// DuckDB's own words.
fn words(error: &Error) -> String {
    match error {
        Error::DuckDBFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

fn give(connection: &Connection, name: &str, table: &Table) -> Result<(), Failed> {
    let columns = table.schema().fields().iter().map(|field| {
        let sql_type = sql_type(field.data_type()).map_err(|problem| {
            Failed::Refused(format!("column `{}` of `{name}`: {problem}", field.name()))
        })?;
        Ok(format!("{} {sql_type}", quoted(field.name())))
    });
    let columns: Result<Vec<String>, Failed> = columns.collect();
    let columns = columns?;
    if columns.is_empty() {
        return Err(Failed::Refused(format!(
            "`{name}` is a table of no columns"
        )));
    }
    let create = format!("CREATE TABLE {} ({})", quoted(name), columns.join(", "));
    connection.execute_batch(&create)?;
    let mut appender = connection.appender(name)?;
    for batch in table.batches() {
        appender.append_record_batch(batch.clone())?;
    }
    Ok(appender.flush()?)
}

/// What a query's rows may be answered as.
pub trait FromQuery: Sized {
    /// Takes the rows as this type.
    ///
    /// # Errors
    /// [`AssetError`] when they are something else.
    fn from_query(rows: Table) -> Result<Self, AssetError>;
}

impl FromQuery for Table {
    fn from_query(rows: Table) -> Result<Self, AssetError> {
        Ok(rows)
    }
}

impl<T: Serialize + DeserializeOwned + Send> FromQuery for Vec<T> {
    fn from_query(rows: Table) -> Result<Self, AssetError> {
        let rows = match Self::needs().request.columns {
            None => rows,
            Some(columns) => as_fields(&rows, &columns)
                .map_err(|failed| AssetError::terminal(format!("the query's rows: {failed}")))?,
        };
        rows.to_rows()
            .map_err(|error| AssetError::from(error).into_terminal())
    }
}

/// The rows with the types of a struct's fields, where a value fits; columns without a field are left
/// as they are.
fn as_fields(rows: &Table, columns: &TableSchema) -> Result<Table, Failed> {
    let fields = arrow_schema(columns)?;
    let wanted: Vec<_> = rows
        .schema()
        .fields()
        .iter()
        .map(|field| match fields.field_with_name(field.name()) {
            Ok(wanted) => Arc::new(wanted.clone().with_nullable(true)),
            Err(_) => Arc::clone(field),
        })
        .collect();
    let schema = Arc::new(Schema::new(wanted));
    // What does not fit is an error, not a value that is missing.
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let batches = rows.batches().iter().map(|batch| {
        let columns = batch.columns().iter().zip(schema.fields());
        let columns = columns
            .map(|(column, field)| cast_with_options(column, field.data_type(), &strict))
            .collect::<Result<_, _>>()?;
        Ok(duckdb::arrow::array::RecordBatch::try_new(
            Arc::clone(&schema),
            columns,
        )?)
    });
    let batches: Result<Vec<_>, Failed> = batches.collect();
    Ok(Table::new(Arc::clone(&schema), batches?)?)
}
