//! Getting a partition's data out of tables.

use std::sync::Arc;

use duckdb::{
    Connection, OptionalExt,
    arrow::{array::RecordBatch, compute::cast, datatypes::SchemaRef},
    params,
};
use precip_core::{key::AssetKey, metadata::TableSchema, partitions::PartitionKey};
use precip_engine::io::LoadRequest;
use precip_io::{
    Table, Value,
    tables::{arrow_schema, quoted},
};

use crate::{
    error::Failed,
    names::{NOTES, PARTITION, TableName},
};

/// What is there of a partition, in the form in which it was stored; `None` when nothing is.
pub(crate) fn load(
    connection: &Connection,
    asset: &AssetKey,
    partition: Option<&PartitionKey>,
    request: &LoadRequest,
) -> Result<Option<Value>, Failed> {
    // A database without notes holds nothing of ours.
    let is_ours: bool = connection.query_row(
        "SELECT count(*) > 0 FROM information_schema.tables
         WHERE table_schema = ? AND table_name = 'partitions'",
        params![NOTES],
        |row| row.get(0),
    )?;
    if !is_ours {
        return Ok(None);
    }
    let key = partition.map(PartitionKey::as_str);
    let noted: Option<(String, Option<String>, Option<Vec<u8>>)> = connection
        .query_row(
            &format!(
                "SELECT form, columns, content FROM {NOTES}.partitions
                 WHERE asset = ? AND partition IS NOT DISTINCT FROM ?"
            ),
            params![asset.as_str(), key],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    let Some((form, columns, content)) = noted else {
        return Ok(None);
    };
    let content = content.unwrap_or_default();
    let value = match (form.as_str(), columns) {
        ("table", Some(columns)) => {
            let columns: TableSchema = serde_json::from_str(&columns)?;
            Value::Table(rows(connection, asset, key, &columns, request)?)
        }
        ("json", _) => Value::Json(serde_json::from_slice(&content)?),
        ("text", _) => {
            let text = String::from_utf8(content);
            Value::Text(text.map_err(|error| Failed::Damaged(error.to_string()))?)
        }
        ("bytes", _) => Value::Bytes(content.into()),
        (form, _) => return Err(Failed::Damaged(format!("`{form}` is no form of data"))),
    };
    Ok(Some(value))
}

fn rows(
    connection: &Connection,
    asset: &AssetKey,
    key: Option<&str>,
    columns: &TableSchema,
    request: &LoadRequest,
) -> Result<Table, Failed> {
    let mut wanted = columns.clone();
    wanted.columns.retain(|column| request.wants(&column.name));
    if wanted.columns.is_empty() {
        // A query has columns: who wants none gets all.
        wanted = columns.clone();
    }
    let schema = arrow_schema(&wanted)?;
    let names: Vec<String> = wanted.columns.iter().map(|c| quoted(&c.name)).collect();
    let table = TableName::of(asset).quoted();
    // DuckDB keeps the order in which rows were put in.
    let mut sql = format!("SELECT {} FROM {table}", names.join(", "));
    let partitioned: bool = connection.query_row(
        &format!("SELECT partitioned FROM {NOTES}.assets WHERE asset = ?"),
        params![asset.as_str()],
        |row| row.get(0),
    )?;
    if partitioned {
        sql.push_str(&format!(
            " WHERE {} IS NOT DISTINCT FROM ?",
            quoted(PARTITION)
        ));
    }
    let mut statement = connection.prepare(&sql)?;
    let found = match partitioned {
        true => statement.stream_arrow(params![key])?,
        false => statement.stream_arrow([])?,
    };
    let mut batches = Vec::new();
    for batch in found {
        batches.push(as_stored(&batch?, &schema)?);
    }
    Ok(Table::new(schema, batches)?)
}

/// The batch with the types that it was stored with.
fn as_stored(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Failed> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| cast(column, field.data_type()));
    let columns = columns.collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
