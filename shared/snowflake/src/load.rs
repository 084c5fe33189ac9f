//! Getting a partition's data out of tables.

use std::{env, sync::Arc};

use precip_core::metadata::TableSchema;
use precip_engine::{
    asset::AssetValue,
    io::{Address, LoadRequest, Measure},
};
use precip_io::{
    Value,
    checks::Measured,
    tables::{RowsOf, Spool, arrow_schema, noted_value, question, quoted, wanted},
};
use snowflake_connector_rs::{CellValue, Statement};

use crate::{
    error::Failed,
    names::{PARTITION, ROW, TableName, upper},
    read,
    session::Open,
    types::is_nested,
};

/// What is there of a partition, in the form in which it was stored, or what was asked about it; `None` when
/// nothing is. Rows that are asked for as a stream wait on the disk.
pub(crate) async fn load(
    open: &Open,
    address: &Address,
    table: &TableName,
    request: &LoadRequest,
) -> Result<Option<AssetValue>, Failed> {
    let notes = TableName::of_notes(&address.asset).quoted();
    let key = address.partition.as_ref().map(ToString::to_string);
    let statement = Statement::new(format!(
        "SELECT \"FORM\", \"COLUMNS\", \"CONTENT\" FROM {notes}
         WHERE EQUAL_NULL(\"PARTITION\", ?) AND \"FORM\" <> 'turn'"
    ))
    .bind(key.clone());
    let mut noted = match open.rows(statement).await {
        // No attempt of the asset was ever stored.
        Err(failed) if failed.is_missing() => return Ok(None),
        noted => noted?,
    };
    let Some(row) = noted.pop() else {
        return Ok(None);
    };
    let (_, values) = row.into_parts();
    let [CellValue::String(form), columns, content] = &*values else {
        return Err(Failed::Damaged("a note says nothing".to_owned()));
    };
    let content = match content {
        CellValue::Binary(bytes) => bytes.as_bytes(),
        _ => &[],
    };
    let value = match (form.as_str(), columns) {
        ("table", CellValue::String(columns)) => {
            let columns: TableSchema = serde_json::from_str(columns)?;
            if let Some(measure) = &request.measure
                && let Some(told) = tell(open, table, key.as_deref(), &columns, measure).await?
            {
                return Ok(Some(AssetValue::new(told)));
            }
            rows(open, table, key, &columns, request).await?
        }
        (form, _) => noted_value(form, content.to_vec())
            .map_err(Failed::Damaged)?
            .into(),
    };
    Ok(Some(value))
}

async fn rows(
    open: &Open,
    table: &TableName,
    key: Option<String>,
    columns: &TableSchema,
    request: &LoadRequest,
) -> Result<AssetValue, Failed> {
    let wanted = wanted(columns, request);
    let schema = arrow_schema(&wanted)?;
    let names: Vec<String> = wanted
        .columns
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| {
            let name = quoted(&upper(&column.name));
            match is_nested(field.data_type()) {
                true => format!("TO_JSON({name})"),
                false => name,
            }
        })
        .collect();
    let statement = Statement::new(format!(
        "SELECT {} FROM {} WHERE EQUAL_NULL({}, ?) ORDER BY {}",
        names.join(", "),
        table.quoted(),
        quoted(PARTITION),
        quoted(ROW)
    ))
    .bind(key);
    if !request.streamed {
        let rows = read::table(open.rows(statement).await?, &schema)?;
        return Ok(Value::Table(rows).into());
    }
    let mut parts = open.parts(statement).await?;
    let mut spool = Spool::below(&env::temp_dir(), Arc::clone(&schema))?;
    while let Some(part) = parts.next_table().await? {
        let rows = part.dynamic_rows()?.collect::<Result<Vec<_>, _>>()?;
        for batch in read::table(rows, &schema)?.batches() {
            spool.push(batch)?;
        }
    }
    Ok(AssetValue::new(spool.finish()?.into_stream()))
}

/// The answer of the database to what is asked about a partition's rows; `None` where it would be another than
/// that of the rows.
async fn tell(
    open: &Open,
    table: &TableName,
    key: Option<&str>,
    columns: &TableSchema,
    measure: &Measure,
) -> Result<Option<Measured>, Failed> {
    let rows = RowsOf {
        table: &table.quoted(),
        partition: Some((&quoted(PARTITION), key)),
        column: |name| quoted(&upper(name)),
    };
    let Some(question) = question(measure, columns, &rows)? else {
        return Ok(None);
    };
    let asked = Statement::new(question.sql.clone());
    let found = match question.values.split_first() {
        None => open.rows(asked).await?,
        Some((first, others)) => {
            let mut asked = asked.bind(first.clone());
            for value in others {
                asked = asked.bind(value.clone());
            }
            open.rows(asked).await?
        }
    };
    let told = read::table(found, &question.schema)?;
    Ok(Some(question.answer(&told)?))
}
