//! What DuckDB does of a query.

use std::{env, path::Path, sync::Arc};

use duckdb::{
    ArrowStream, Config, Connection, Error, ToSql,
    arrow::{
        array::RecordBatch,
        compute::{CastOptions, cast_with_options},
        datatypes::Schema,
    },
};
use pollster::block_on;
use precip_core::metadata::TableSchema;
use precip_engine::asset::AssetError;
use precip_io::{
    Table, TableStream,
    tables::{Spool, arrow_schema, quoted},
};
use tokio::task::unconstrained;

use super::{Query, disk};
use crate::{error::Failed, filling::Filling, types::sql_type};

/// How much of a function's memory is DuckDB's: the rows on their way and the program need the rest.
const SHARE: u64 = 2;
/// How much memory a function has, in MB, where this is one.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
const FUNCTION_MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

/// The rows that a query answers.
pub(super) fn table(query: Query) -> Result<Table, AssetError> {
    answer(query, |found| {
        let schema = found.get_schema();
        Ok(Table::new(schema, found.collect::<Result<_, _>>()?)?)
    })
}

/// The rows that a query answers, on the disk.
pub(super) fn stream(query: Query) -> Result<TableStream, AssetError> {
    answer(query, |found| {
        let schema = found.get_schema();
        let batches = found.map(|batch| batch.map_err(Failed::from));
        Ok(Spool::all(batches, schema, &env::temp_dir())?.into_stream())
    })
}

fn answer<T>(
    query: Query,
    take: impl FnOnce(ArrowStream<'_>) -> Result<T, Failed>,
) -> Result<T, AssetError> {
    let of_function = env::var(FUNCTION_MEMORY).ok();
    // Gone with everything in it once the connection is.
    let disk = disk::make(&env::temp_dir(), of_function.is_some());
    let disk = disk.map_err(AssetError::from_boxed)?;
    let connection = open(disk.path(), of_function.as_deref()).map_err(failed)?;
    for (name, rows) in query.tables {
        give(&connection, &name, rows)?;
    }
    ask(&connection, &query.sql, query.partition.as_deref(), take).map_err(failed)
}

fn open(disk: &Path, memory_of_function: Option<&str>) -> Result<Connection, Failed> {
    // Where to wait has to be said before the disk is closed to queries.
    let mut config = Config::default().with("temp_directory", disk.display().to_string())?;
    if let Some(memory) = memory(memory_of_function) {
        config = config.max_memory(&memory)?;
    }
    let config = config.enable_external_access(false)?;
    Ok(Connection::open_in_memory_with_flags(config)?)
}

/// How much DuckDB takes in a function of so many MB.
fn memory(of_function: Option<&str>) -> Option<String> {
    let megabytes: u64 = of_function?.parse().ok()?;
    Some(format!("{}MiB", (megabytes / SHARE).max(1)))
}

fn ask<T>(
    connection: &Connection,
    sql: &str,
    partition: Option<&str>,
    take: impl FnOnce(ArrowStream<'_>) -> Result<T, Failed>,
) -> Result<T, Failed> {
    let mut statement = connection.prepare(sql)?;
    take(match partition {
        None => statement.stream_arrow([])?,
        Some(key) => {
            let key: [(&str, &dyn ToSql); 1] = [("partition", &key)];
            statement.stream_arrow(&key[..])?
        }
    })
}

fn failed(failed: Failed) -> AssetError {
    AssetError::terminal(match failed {
        Failed::DuckDb(error) => format!("the query failed: {}", words(&error)),
        other => format!("the query failed: {other}"),
    })
}

/// DuckDB's own words.
fn words(error: &Error) -> String {
    match error {
        Error::DuckDBFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

/// Puts the rows into a table of DuckDB's, as they come.
fn give(connection: &Connection, name: &str, mut rows: TableStream) -> Result<(), AssetError> {
    create(connection, name, rows.schema()).map_err(failed)?;
    let appender = connection.appender(name);
    let mut filling = Filling::of(appender.map_err(|error| failed(error.into()))?);
    // Unconstrained, since nobody who could give it its turn again hears of it when it gives it up.
    while let Some(batch) = block_on(unconstrained(rows.next())) {
        filling.push(batch?).map_err(failed)?;
    }
    filling.finish().map_err(failed)
}

fn create(connection: &Connection, name: &str, schema: &Schema) -> Result<(), Failed> {
    let columns = schema.fields().iter().map(|field| {
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
    Ok(connection.execute_batch(&create)?)
}

/// The rows with the types of a struct's fields, where a value fits; columns without a field are left
/// as they are.
pub(super) fn as_fields(rows: &Table, columns: &TableSchema) -> Result<Table, AssetError> {
    cast(rows, columns)
        .map_err(|failed| AssetError::terminal(format!("the query's rows: {failed}")))
}

fn cast(rows: &Table, columns: &TableSchema) -> Result<Table, Failed> {
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
        Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
    });
    let batches: Result<Vec<_>, Failed> = batches.collect();
    Ok(Table::new(Arc::clone(&schema), batches?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_keeps_half_of_its_memory_for_itself() {
        assert_eq!(memory(Some("512")).as_deref(), Some("256MiB"));
        assert_eq!(memory(None), None);
        assert_eq!(memory(Some("much")), None);
    }
}
