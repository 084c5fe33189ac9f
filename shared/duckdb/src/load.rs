//! Getting a partition's data out of tables.

use std::{path::Path, sync::Arc};

use duckdb::{
    Connection, OptionalExt,
    arrow::{array::RecordBatch, compute::cast, datatypes::SchemaRef},
    params, params_from_iter,
};
use precip_core::{key::AssetKey, metadata::TableSchema, partitions::PartitionKey};
use precip_engine::{
    asset::AssetValue,
    io::{LoadRequest, Measure},
};
use precip_io::{
    Table, Value,
    checks::Measured,
    tables::{RowsOf, Spool, arrow_schema, noted_value, question, quoted, wanted},
};

use crate::{
    error::Failed,
    names::{NOTES, PARTITION, TableName},
};

/// What is there of a partition, in the form in which it was stored, or what was asked about it; `None` when
/// nothing is. Rows that are asked for as a stream wait on the disk of a folder.
pub(crate) fn load(
    connection: &Connection,
    asset: &AssetKey,
    partition: Option<&PartitionKey>,
    request: &LoadRequest,
    folder: &Path,
) -> Result<Option<AssetValue>, Failed> {
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
    let value = match (form.as_str(), columns) {
        ("table", Some(columns)) => {
            let columns: TableSchema = serde_json::from_str(&columns)?;
            let measure = request.measure.as_ref();
            let told = measure.map(|measure| tell(connection, asset, key, &columns, measure));
            if let Some(told) = told.transpose()?.flatten() {
                return Ok(Some(AssetValue::new(told)));
            }
            rows(connection, asset, key, &columns, request, folder)?
        }
        (form, _) => noted_value(form, content.unwrap_or_default())
            .map_err(Failed::Damaged)?
            .into(),
    };
    Ok(Some(value))
}

fn rows(
    connection: &Connection,
    asset: &AssetKey,
    key: Option<&str>,
    columns: &TableSchema,
    request: &LoadRequest,
    folder: &Path,
) -> Result<AssetValue, Failed> {
    let wanted = wanted(columns, request);
    let schema = arrow_schema(&wanted)?;
    let names: Vec<String> = wanted.columns.iter().map(|c| quoted(&c.name)).collect();
    let table = TableName::of(asset).quoted();
    // DuckDB keeps the order in which rows were put in.
    let mut sql = format!("SELECT {} FROM {table}", names.join(", "));
    let partitioned = is_partitioned(connection, asset)?;
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
    if !request.streamed {
        return Ok(Value::Table(as_table(found, schema)?).into());
    }
    let stored = found.map(|batch| as_stored(&batch?, &schema));
    let rows = Spool::all(stored, Arc::clone(&schema), folder)?;
    Ok(AssetValue::new(rows.into_stream()))
}

/// The answer of the database to what is asked about a partition's rows; `None` where it would be another than
/// that of the rows.
fn tell(
    connection: &Connection,
    asset: &AssetKey,
    key: Option<&str>,
    columns: &TableSchema,
    measure: &Measure,
) -> Result<Option<Measured>, Failed> {
    let partition = quoted(PARTITION);
    let partitioned = is_partitioned(connection, asset)?;
    let rows = RowsOf {
        table: &TableName::of(asset).quoted(),
        partition: partitioned.then_some((partition.as_str(), key)),
        column: quoted,
    };
    let Some(question) = question(measure, columns, &rows)? else {
        return Ok(None);
    };
    let mut statement = connection.prepare(&question.sql)?;
    let found = statement.stream_arrow(params_from_iter(&question.values))?;
    let told = as_table(found, Arc::clone(&question.schema))?;
    Ok(Some(question.answer(&told)?))
}

fn is_partitioned(connection: &Connection, asset: &AssetKey) -> Result<bool, Failed> {
    Ok(connection.query_row(
        &format!("SELECT partitioned FROM {NOTES}.assets WHERE asset = ?"),
        params![asset.as_str()],
        |row| row.get(0),
    )?)
}

/// What a query found, with the types that it has to have.
fn as_table(
    found: impl Iterator<Item = Result<RecordBatch, duckdb::Error>>,
    schema: SchemaRef,
) -> Result<Table, Failed> {
    let stored = found.map(|batch| as_stored(&batch?, &schema));
    let batches = stored.collect::<Result<_, Failed>>()?;
    Ok(Table::new(schema, batches)?)
}

/// The batch with the types that it was stored with.
fn as_stored(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Failed> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| cast(column, field.data_type()));
    let columns = columns.collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
