//! Loading a partition's data from tables.

use std::{env, sync::Arc};

use precip_core::metadata::TableSchema;
use precip_engine::{
    asset::AssetValue,
    io::{Address, LoadRequest, Metric},
};
use precip_io::{
    Value,
    checks::Measurement,
    tables::{
        PartitionRows, Spool, arrow_schema, decode_document, metric_query, quote_identifier,
        requested_columns,
    },
};
use snowflake_connector_rs::{CellValue, Statement};

use crate::{
    error::SnowflakeError,
    names::{PARTITION_COLUMN, ROW_COLUMN, TableName, to_upper},
    read,
    session::OpenSession,
    types::is_nested,
};

/// Loads the value of a partition, or computes the requested metric over it; `None` when nothing is stored. Rows that
/// are requested as a stream are spooled to the disk.
pub(crate) async fn load_partition(
    session: &OpenSession,
    address: &Address,
    table: &TableName,
    request: &LoadRequest,
) -> Result<Option<AssetValue>, SnowflakeError> {
    let notes = TableName::of_note_table(&address.asset).quoted_name();
    let key = address.partition.as_ref().map(ToString::to_string);
    let statement = Statement::new(format!(
        "SELECT \"FORM\", \"COLUMNS\", \"CONTENT\" FROM {notes}
         WHERE EQUAL_NULL(\"PARTITION\", ?) AND \"FORM\" <> 'turn'"
    ))
    .bind(key.clone());
    let mut note_rows = match session.query_rows(statement).await {
        // Without a table of notes, nothing of the asset was ever stored.
        Err(error) if error.is_missing() => return Ok(None),
        note_rows => note_rows?,
    };
    let Some(row) = note_rows.pop() else {
        return Ok(None);
    };
    let (_, values) = row.into_parts();
    let [CellValue::String(form), columns, content] = &*values else {
        return Err(SnowflakeError::Damaged("a note has no form".to_owned()));
    };
    // Tables have no content in their note.
    let content = match content {
        CellValue::Binary(bytes) => bytes.as_bytes(),
        _ => &[],
    };
    let value = match (form.as_str(), columns) {
        ("table", CellValue::String(columns)) => {
            let columns: TableSchema = serde_json::from_str(columns)?;
            if let Some(metric) = &request.metric
                && let Some(measurement) =
                    compute_metric(session, table, key.as_deref(), &columns, metric).await?
            {
                return Ok(Some(AssetValue::new(measurement)));
            }
            load_rows(session, table, key, &columns, request).await?
        }
        (form, _) => decode_document(form, content.to_vec())
            .map_err(SnowflakeError::Damaged)?
            .into(),
    };
    Ok(Some(value))
}

/// Loads the requested columns of a partition's rows.
async fn load_rows(
    session: &OpenSession,
    table: &TableName,
    key: Option<String>,
    columns: &TableSchema,
    request: &LoadRequest,
) -> Result<AssetValue, SnowflakeError> {
    let requested = requested_columns(columns, request).map_err(SnowflakeError::Refused)?;
    let schema = arrow_schema(&requested)?;
    let names: Vec<String> = requested
        .columns
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| {
            let name = quote_identifier(&to_upper(&column.name));
            if is_nested(field.data_type()) {
                format!("TO_JSON({name})")
            } else {
                name
            }
        })
        .collect();
    let statement = Statement::new(format!(
        "SELECT {} FROM {} WHERE EQUAL_NULL({}, ?) ORDER BY {}",
        names.join(", "),
        table.quoted_name(),
        quote_identifier(PARTITION_COLUMN),
        quote_identifier(ROW_COLUMN)
    ))
    .bind(key);
    if !request.streamed {
        let table = read::rows_to_table(session.query_rows(statement).await?, &schema)?;
        return Ok(Value::Table(table).into());
    }
    // Snowflake divides a large result into parts, which are fetched one by one.
    let mut parts = session.query_parts(statement).await?;
    let mut spool = Spool::create_in(&env::temp_dir(), Arc::clone(&schema))?;
    while let Some(part) = parts.next_table().await? {
        let rows = part.dynamic_rows()?.collect::<Result<Vec<_>, _>>()?;
        for batch in read::rows_to_table(rows, &schema)?.batches() {
            spool.push_batch(batch)?;
        }
    }
    Ok(AssetValue::new(spool.finish()?.into_stream()))
}

/// Lets the database compute a metric over a partition's rows; `None` when its result could differ from that over
/// loaded rows.
async fn compute_metric(
    session: &OpenSession,
    table: &TableName,
    key: Option<&str>,
    columns: &TableSchema,
    metric: &Metric,
) -> Result<Option<Measurement>, SnowflakeError> {
    let rows = PartitionRows {
        table: &table.quoted_name(),
        partition: Some((&quote_identifier(PARTITION_COLUMN), key)),
        column: |name| quote_identifier(&to_upper(name)),
    };
    let Some(query) = metric_query(metric, columns, &rows)? else {
        return Ok(None);
    };
    let statement = Statement::new(query.sql.clone());
    // The type of a statement changes with its first bound value.
    let found = match query.values.split_first() {
        None => session.query_rows(statement).await?,
        Some((first, others)) => {
            let mut bound = statement.bind(first.clone());
            for value in others {
                bound = bound.bind(value.clone());
            }
            session.query_rows(bound).await?
        }
    };
    let result = read::rows_to_table(found, &query.schema)?;
    Ok(Some(query.read_answer(&result)?))
}
