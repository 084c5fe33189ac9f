//! What DuckDB does of a query.

use std::sync::Arc;

use duckdb::{
    Config, Connection, Error, ToSql,
    arrow::{
        array::RecordBatch,
        compute::{CastOptions, cast_with_options},
        datatypes::Schema,
    },
};
use precip_core::metadata::TableSchema;
use precip_engine::asset::AssetError;
use precip_io::{
    Table,
    tables::{arrow_schema, quoted},
};

use super::Query;
use crate::{error::Failed, types::sql_type};

/// The rows that a query answers.
pub(super) fn rows(query: &Query) -> Result<Table, AssetError> {
    answer(query).map_err(|failed| {
        let message = match failed {
            Failed::DuckDb(error) => format!("the query failed: {}", words(&error)),
            other => format!("the query failed: {other}"),
        };
        AssetError::terminal(message)
    })
}

fn answer(query: &Query) -> Result<Table, Failed> {
    let config = Config::default().enable_external_access(false)?;
    let connection = Connection::open_in_memory_with_flags(config)?;
    for (name, table) in &query.tables {
        give(&connection, name, table)?;
    }
    let mut statement = connection.prepare(&query.sql)?;
    let found = match &query.partition {
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
