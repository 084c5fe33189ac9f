//! Running a query in DuckDB.

use std::{env, path::Path};

use duckdb::{ArrowStream, Config, Connection, Error, ToSql, arrow::datatypes::Schema};
use pollster::block_on;
use precip_engine::asset::AssetError;
use precip_io::{
    Table, TableStream,
    tables::{Spool, check_query_columns, quote_identifier},
};
use tokio::task::unconstrained;

use super::{Query, disk};
use crate::{appender::TableAppender, error::DuckDbError, session::use_utc, types::sql_type};

/// Divisor of a function's memory for DuckDB's limit: rows in flight and the program need the rest.
const MEMORY_DIVISOR: u64 = 2;
/// Environment variable with the memory of a Lambda function, in MB.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
const FUNCTION_MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

/// Runs a query, and collects its rows.
pub(super) fn query_table(query: Query) -> Result<Table, AssetError> {
    run_query(query, |found| {
        let schema = found.get_schema();
        Ok(Table::new(schema, found.collect::<Result<_, _>>()?)?)
    })
}

/// Runs a query, and spools its rows to the disk.
pub(super) fn query_stream(query: Query) -> Result<TableStream, AssetError> {
    run_query(query, |found| {
        let schema = found.get_schema();
        let batches = found.map(|batch| batch.map_err(DuckDbError::from));
        Ok(Spool::from_batches(batches, schema, &env::temp_dir())?.into_stream())
    })
}

fn run_query<T>(
    query: Query,
    take: impl FnOnce(ArrowStream<'_>) -> Result<T, DuckDbError>,
) -> Result<T, AssetError> {
    let function_memory = env::var(FUNCTION_MEMORY).ok();
    // Declared before the connection, so that it is removed after the connection is closed.
    let disk = disk::create_folder(&env::temp_dir(), function_memory.is_some())
        .map_err(AssetError::from_boxed)?;
    let connection =
        open_connection(disk.path(), function_memory.as_deref()).map_err(query_error)?;
    for (name, rows) in query.tables {
        fill_table(&connection, &name, rows)?;
    }
    run_statement(&connection, &query.sql, query.partition.as_deref(), take).map_err(query_error)
}

/// Opens a database in memory that spills to a folder and has no other access.
fn open_connection(disk: &Path, function_memory: Option<&str>) -> Result<Connection, DuckDbError> {
    // The folder cannot be set any more once external access is disabled.
    let mut config = Config::default().with("temp_directory", disk.display().to_string())?;
    if let Some(limit) = memory_limit(function_memory) {
        config = config.max_memory(&limit)?;
    }
    let config = config.enable_external_access(false)?;
    let connection = Connection::open_in_memory_with_flags(config)?;
    use_utc(&connection)?;
    Ok(connection)
}

/// Returns the memory limit of DuckDB in a function with some memory, in MB.
fn memory_limit(function_memory: Option<&str>) -> Option<String> {
    let megabytes: u64 = function_memory?.parse().ok()?;
    Some(format!("{}MiB", (megabytes / MEMORY_DIVISOR).max(1)))
}

fn run_statement<T>(
    connection: &Connection,
    sql: &str,
    partition: Option<&str>,
    take: impl FnOnce(ArrowStream<'_>) -> Result<T, DuckDbError>,
) -> Result<T, DuckDbError> {
    let mut statement = connection.prepare(sql)?;
    let found = match partition {
        None => statement.stream_arrow([])?,
        Some(key) => {
            let key: [(&str, &dyn ToSql); 1] = [("partition", &key)];
            statement.stream_arrow(&key[..])?
        }
    };
    check_query_columns(&found.get_schema()).map_err(DuckDbError::Refused)?;
    take(found)
}

/// Returns the terminal error for a query that failed.
fn query_error(error: DuckDbError) -> AssetError {
    AssetError::terminal(match error {
        DuckDbError::DuckDb(error) => format!("the query failed: {}", error_text(&error)),
        other => format!("the query failed: {other}"),
    })
}

/// Returns the message of DuckDB.
fn error_text(error: &Error) -> String {
    match error {
        Error::DuckDBFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

/// Creates a table, and appends the rows of a stream.
fn fill_table(
    connection: &Connection,
    name: &str,
    mut rows: TableStream,
) -> Result<(), AssetError> {
    create_table(connection, name, rows.schema()).map_err(query_error)?;
    let target = connection.appender(name);
    let mut appender = TableAppender::new(target.map_err(|error| query_error(error.into()))?);
    // Unconstrained: tokio wakes a future that has exhausted its budget only once control is back in the runtime,
    // which never happens within `block_on`.
    while let Some(batch) = block_on(unconstrained(rows.next())) {
        appender.append_batch(batch?).map_err(query_error)?;
    }
    appender.finish().map_err(query_error)
}

fn create_table(connection: &Connection, name: &str, schema: &Schema) -> Result<(), DuckDbError> {
    let columns = schema.fields().iter().map(|field| {
        let sql_type = sql_type(field.data_type()).map_err(|problem| {
            DuckDbError::Refused(format!("column `{}` of `{name}`: {problem}", field.name()))
        })?;
        Ok(format!("{} {sql_type}", quote_identifier(field.name())))
    });
    let definitions = columns.collect::<Result<Vec<String>, DuckDbError>>()?;
    if definitions.is_empty() {
        return Err(DuckDbError::Refused(format!(
            "`{name}` is a table of no columns"
        )));
    }
    let statement = format!(
        "CREATE TABLE {} ({})",
        quote_identifier(name),
        definitions.join(", ")
    );
    Ok(connection.execute_batch(&statement)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_keeps_half_of_its_memory_for_itself() {
        assert_eq!(memory_limit(Some("512")).as_deref(), Some("256MiB"));
        assert_eq!(memory_limit(None), None);
        assert_eq!(memory_limit(Some("much")), None);
    }
}
