//! Loading a partition's data from tables.

use std::{path::Path, sync::Arc};

use duckdb::{
    Connection, OptionalExt,
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    params, params_from_iter,
};
use precip_core::{key::AssetKey, metadata::TableSchema, partitions::PartitionKey};
use precip_engine::{
    asset::AssetValue,
    io::{LoadRequest, Metric},
};
use precip_io::{
    Table, Value,
    cast::{Unmatched, cast_column},
    checks::Measurement,
    tables::{
        PartitionRows, Spool, arrow_schema, decode_document, metric_query, quote_identifier,
        requested_columns,
    },
};

use crate::{
    error::DuckDbError,
    names::{NOTES_SCHEMA, PARTITION_COLUMN, TableName},
};

/// Loads the value of a partition, or computes the requested metric over it; `None` when nothing is stored. Rows that
/// are requested as a stream are spooled to a folder.
pub(crate) fn load_partition(
    connection: &Connection,
    asset: &AssetKey,
    partition: Option<&PartitionKey>,
    request: &LoadRequest,
    folder: &Path,
) -> Result<Option<AssetValue>, DuckDbError> {
    // Without the tables of notes, the database holds no asset.
    let has_notes: bool = connection.query_row(
        "SELECT count(*) > 0 FROM information_schema.tables
         WHERE table_schema = ? AND table_name = 'partitions'",
        params![NOTES_SCHEMA],
        |row| row.get(0),
    )?;
    if !has_notes {
        return Ok(None);
    }
    let key = partition.map(PartitionKey::as_str);
    let note: Option<(String, Option<String>, Option<Vec<u8>>)> = connection
        .query_row(
            &format!(
                "SELECT form, columns, content FROM {NOTES_SCHEMA}.partitions
                 WHERE asset = ? AND partition IS NOT DISTINCT FROM ?"
            ),
            params![asset.as_str(), key],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    let Some((form, columns, content)) = note else {
        return Ok(None);
    };
    // A table has a note of its columns; other forms have their content in the note.
    let value = match (form.as_str(), columns) {
        ("table", Some(columns)) => {
            let columns: TableSchema = serde_json::from_str(&columns)?;
            if let Some(metric) = &request.metric
                && let Some(measurement) = compute_metric(connection, asset, key, &columns, metric)?
            {
                return Ok(Some(AssetValue::new(measurement)));
            }
            load_rows(connection, asset, key, &columns, request, folder)?
        }
        (form, _) => decode_document(form, content.unwrap_or_default())
            .map_err(DuckDbError::Damaged)?
            .into(),
    };
    Ok(Some(value))
}

/// Loads the requested columns of a partition's rows.
fn load_rows(
    connection: &Connection,
    asset: &AssetKey,
    key: Option<&str>,
    columns: &TableSchema,
    request: &LoadRequest,
    folder: &Path,
) -> Result<AssetValue, DuckDbError> {
    let requested = requested_columns(columns, request).map_err(DuckDbError::Refused)?;
    let schema = arrow_schema(&requested)?;
    let names: Vec<String> = requested
        .columns
        .iter()
        .map(|c| quote_identifier(&c.name))
        .collect();
    let table = TableName::for_asset(asset).quoted_name();
    // DuckDB preserves the insertion order, so no ORDER BY is needed.
    let mut sql = format!("SELECT {} FROM {table}", names.join(", "));
    let partitioned = is_partitioned(connection, asset)?;
    if partitioned {
        sql.push_str(&format!(
            " WHERE {} IS NOT DISTINCT FROM ?",
            quote_identifier(PARTITION_COLUMN)
        ));
    }
    let mut statement = connection.prepare(&sql)?;
    let batches = if partitioned {
        statement.stream_arrow(params![key])?
    } else {
        statement.stream_arrow([])?
    };
    if !request.streamed {
        return Ok(Value::Table(as_table(batches, schema)?).into());
    }
    let stored = batches.map(|batch| as_stored(&batch?, &schema));
    let rows = Spool::from_batches(stored, Arc::clone(&schema), folder)?;
    Ok(AssetValue::new(rows.into_stream()))
}

/// Lets the database compute a metric over a partition's rows; `None` when its result could differ from that over
/// loaded rows.
fn compute_metric(
    connection: &Connection,
    asset: &AssetKey,
    key: Option<&str>,
    columns: &TableSchema,
    metric: &Metric,
) -> Result<Option<Measurement>, DuckDbError> {
    let partition = quote_identifier(PARTITION_COLUMN);
    let partitioned = is_partitioned(connection, asset)?;
    let rows = PartitionRows {
        table: &TableName::for_asset(asset).quoted_name(),
        partition: partitioned.then_some((partition.as_str(), key)),
        column: quote_identifier,
    };
    let Some(query) = metric_query(metric, columns, &rows)? else {
        return Ok(None);
    };
    let mut statement = connection.prepare(&query.sql)?;
    let found = statement.stream_arrow(params_from_iter(&query.values))?;
    let result = as_table(found, Arc::clone(&query.schema))?;
    Ok(Some(query.read_answer(&result)?))
}

/// Returns `true` if the table of an asset has a column for the partition key.
fn is_partitioned(connection: &Connection, asset: &AssetKey) -> Result<bool, DuckDbError> {
    Ok(connection.query_row(
        &format!("SELECT partitioned FROM {NOTES_SCHEMA}.assets WHERE asset = ?"),
        params![asset.as_str()],
        |row| row.get(0),
    )?)
}

/// Collects the result of a query into a table of a schema.
fn as_table(
    found: impl Iterator<Item = Result<RecordBatch, duckdb::Error>>,
    schema: SchemaRef,
) -> Result<Table, DuckDbError> {
    let stored = found.map(|batch| as_stored(&batch?, &schema));
    let batches = stored.collect::<Result<_, DuckDbError>>()?;
    Ok(Table::new(schema, batches)?)
}

/// Casts a batch to the types that it was stored with. A value that does not fit them is an error: another program
/// has changed the table.
fn as_stored(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, DuckDbError> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| cast_column(column, field, Unmatched::Refuse))
        .collect::<Result<_, _>>()
        .map_err(|error| DuckDbError::Damaged(error.to_string()))?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
