//! Putting an attempt's data into tables, within a transaction.

use std::sync::Arc;

use duckdb::{
    Connection, OptionalExt,
    arrow::{
        array::{ArrayRef, RecordBatch, StringArray},
        datatypes::{DataType, Field, Schema},
    },
    params,
};
use precip_core::metadata::{TableColumn, TableSchema};
use precip_engine::io::Address;
use precip_io::tables::{Given, Rows, added, quoted};

use crate::{
    error::Failed,
    filling::Filling,
    names::{NOTES, PARTITION, TableName},
    types::sql_type,
};

/// Puts there what was given instead of what is there of its partition, unless that is a newer attempt's.
pub(crate) fn store(
    connection: &Connection,
    address: &Address,
    given: Given,
) -> Result<(), Failed> {
    notes(connection)?;
    if is_newer(connection, address)? {
        return Ok(());
    }
    forget(connection, address)?;
    let (form, columns, content) = match given {
        Given::Rows(rows) => {
            let columns = serde_json::to_string(&rows.columns())?;
            put(connection, address, rows)?;
            ("table", Some(columns), None)
        }
        Given::Noted(form, content) => (form, None, Some(content)),
    };
    let (asset, partition) = key(address);
    connection.execute(
        &format!("INSERT INTO {NOTES}.partitions VALUES (?, ?, ?, ?, ?, ?, ?)"),
        params![
            asset,
            partition,
            address.run.to_string(),
            address.attempt,
            form,
            columns,
            content
        ],
    )?;
    Ok(())
}

/// Takes what is there of a partition away.
pub(crate) fn remove(connection: &Connection, address: &Address) -> Result<(), Failed> {
    notes(connection)?;
    forget(connection, address)
}

fn key(address: &Address) -> (String, Option<String>) {
    let partition = address.partition.as_ref().map(ToString::to_string);
    (address.asset.to_string(), partition)
}

/// The tables of what is noted down.
fn notes(connection: &Connection) -> Result<(), Failed> {
    Ok(connection.execute_batch(&format!(
        "CREATE SCHEMA IF NOT EXISTS {NOTES};
         CREATE TABLE IF NOT EXISTS {NOTES}.assets (
             asset VARCHAR NOT NULL, table_name VARCHAR NOT NULL, partitioned BOOLEAN NOT NULL,
             columns VARCHAR NOT NULL);
         CREATE TABLE IF NOT EXISTS {NOTES}.partitions (
             asset VARCHAR NOT NULL, partition VARCHAR, run VARCHAR NOT NULL,
             attempt UINTEGER NOT NULL, form VARCHAR NOT NULL, columns VARCHAR, content BLOB);"
    ))?)
}

fn is_newer(connection: &Connection, address: &Address) -> Result<bool, Failed> {
    let (asset, partition) = key(address);
    let there: Option<(String, u32)> = connection
        .query_row(
            &format!(
                "SELECT run, attempt FROM {NOTES}.partitions
                 WHERE asset = ? AND partition IS NOT DISTINCT FROM ?"
            ),
            params![asset, partition],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((run, attempt)) = there else {
        return Ok(false);
    };
    let run = run
        .parse()
        .map_err(|_| Failed::Damaged(format!("`{run}` is no run")))?;
    Ok((run, attempt) > (address.run, address.attempt))
}

/// What is noted down of an asset's table.
struct Noted {
    partitioned: bool,
    columns: TableSchema,
}

fn noted(connection: &Connection, address: &Address) -> Result<Option<Noted>, Failed> {
    let row: Option<(bool, String)> = connection
        .query_row(
            &format!("SELECT partitioned, columns FROM {NOTES}.assets WHERE asset = ?"),
            params![address.asset.as_str()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((partitioned, columns)) = row else {
        return Ok(None);
    };
    Ok(Some(Noted {
        partitioned,
        columns: serde_json::from_str(&columns)?,
    }))
}

fn forget(connection: &Connection, address: &Address) -> Result<(), Failed> {
    let (asset, partition) = key(address);
    let table = TableName::of(&address.asset).quoted();
    match noted(connection, address)? {
        None => {}
        Some(Noted {
            partitioned: true, ..
        }) => {
            connection.execute(
                &format!(
                    "DELETE FROM {table} WHERE {} IS NOT DISTINCT FROM ?",
                    quoted(PARTITION)
                ),
                params![partition],
            )?;
        }
        Some(_) if partition.is_none() => {
            connection.execute(&format!("DELETE FROM {table}"), [])?;
        }
        Some(_) => {}
    }
    connection.execute(
        &format!(
            "DELETE FROM {NOTES}.partitions WHERE asset = ? AND partition IS NOT DISTINCT FROM ?"
        ),
        params![asset, partition],
    )?;
    Ok(())
}

fn put(connection: &Connection, address: &Address, rows: Rows) -> Result<(), Failed> {
    let others: u64 = connection.query_row(
        &format!("SELECT count(*) FROM {NOTES}.partitions WHERE asset = ? AND form = 'table'"),
        params![address.asset.as_str()],
        |row| row.get(0),
    )?;
    let partitioned = match noted(connection, address)? {
        Some(noted) if others > 0 => extend(connection, address, &rows, &noted)?,
        there => create(connection, address, &rows, there.is_some())?,
    };
    append(connection, address, rows, partitioned)
}

/// Makes the table, where this partition will be all that is in it. It may have other columns than one
/// that was there before.
fn create(
    connection: &Connection,
    address: &Address,
    rows: &Rows,
    was_there: bool,
) -> Result<bool, Failed> {
    let name = TableName::of(&address.asset);
    let partitioned = address.partition.is_some();
    let mut columns = rows
        .schema()
        .fields()
        .iter()
        .map(|field| column(field.name(), field.data_type()))
        .collect::<Result<Vec<_>, _>>()?;
    if partitioned {
        columns.push(format!("{} VARCHAR", quoted(PARTITION)));
    }
    if was_there {
        connection.execute_batch(&format!("DROP TABLE {}", name.quoted()))?;
        let delete = format!("DELETE FROM {NOTES}.assets WHERE asset = ?");
        connection.execute(&delete, params![address.asset.as_str()])?;
    } else {
        free(connection, address, &name)?;
    }
    connection.execute_batch(&format!(
        "CREATE SCHEMA IF NOT EXISTS {}; CREATE TABLE {} ({})",
        quoted(&name.schema),
        name.quoted(),
        columns.join(", ")
    ))?;
    connection.execute(
        &format!("INSERT INTO {NOTES}.assets VALUES (?, ?, ?, ?)"),
        params![
            address.asset.as_str(),
            name.quoted().to_lowercase(),
            partitioned,
            serde_json::to_string(&rows.columns())?
        ],
    )?;
    Ok(partitioned)
}

/// Whether nobody else has a table of the name. DuckDB does not tell upper from lower case.
fn free(connection: &Connection, address: &Address, name: &TableName) -> Result<(), Failed> {
    let by: Option<String> = connection
        .query_row(
            &format!("SELECT asset FROM {NOTES}.assets WHERE table_name = ?"),
            params![name.quoted().to_lowercase()],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(by) = by {
        return Err(Failed::Refused(format!(
            "its table would be that of asset `{by}`, as DuckDB reads names; give one of them another key"
        )));
    }
    let found: Option<String> = connection
        .query_row(
            "SELECT table_type FROM information_schema.tables
             WHERE lower(table_schema) = lower(?) AND lower(table_name) = lower(?)
               AND table_catalog = current_database()",
            params![name.schema, name.table],
            |row| row.get(0),
        )
        .optional()?;
    match found {
        None => Ok(()),
        Some(_) => Err(Failed::Refused(format!(
            "the database has a table {} already, which `{}` did not make; drop it, or give the asset another key",
            name.quoted(),
            address.asset
        ))),
    }
}

/// Makes room for new columns beside the rows of other partitions.
fn extend(
    connection: &Connection,
    address: &Address,
    rows: &Rows,
    noted: &Noted,
) -> Result<bool, Failed> {
    let name = TableName::of(&address.asset);
    let new_columns = added(&noted.columns, &rows.columns()).map_err(|differences| {
        Failed::Refused(format!(
            "its columns are not those of table {}, which has other partitions: {}; make what is new \
             optional, or drop the table and make every partition again",
            name.quoted(),
            differences.join("; ")
        ))
    })?;
    let mut columns: Vec<TableColumn> = noted.columns.columns.clone();
    for new in new_columns {
        let field = rows.schema().field_with_name(&new.name)?;
        let column = column(field.name(), field.data_type())?;
        connection.execute_batch(&format!(
            "ALTER TABLE {} ADD COLUMN {column}",
            name.quoted()
        ))?;
        columns.push(new);
    }
    let partitioned = noted.partitioned || address.partition.is_some();
    if partitioned && !noted.partitioned {
        connection.execute_batch(&format!(
            "ALTER TABLE {} ADD COLUMN {} VARCHAR",
            name.quoted(),
            quoted(PARTITION)
        ))?;
    }
    connection.execute(
        &format!("UPDATE {NOTES}.assets SET columns = ?, partitioned = ? WHERE asset = ?"),
        params![
            serde_json::to_string(&TableSchema { columns })?,
            partitioned,
            address.asset.as_str()
        ],
    )?;
    Ok(partitioned)
}

fn column(name: &str, data_type: &DataType) -> Result<String, Failed> {
    if name.eq_ignore_ascii_case(PARTITION) {
        return Err(Failed::Refused(format!(
            "column `{name}` is where DuckDB's IO manager keeps the partition; give it another name"
        )));
    }
    let sql_type = sql_type(data_type);
    let sql_type =
        sql_type.map_err(|problem| Failed::Refused(format!("column `{name}`: {problem}")))?;
    Ok(format!("{} {sql_type}", quoted(name)))
}

fn append(
    connection: &Connection,
    address: &Address,
    rows: Rows,
    partitioned: bool,
) -> Result<(), Failed> {
    let name = TableName::of(&address.asset);
    let mut fields: Vec<Arc<Field>> = rows.schema().fields().iter().cloned().collect();
    if partitioned {
        fields.push(Arc::new(Field::new(PARTITION, DataType::Utf8, true)));
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    let appender = connection.appender_with_columns_to_db(&name.table, &name.schema, &names)?;
    let mut filling = Filling::of(appender);
    let schema = Arc::new(Schema::new(fields.clone()));
    for batch in rows {
        let batch = batch?;
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        if partitioned {
            let key = address.partition.as_ref().map(|key| key.as_str());
            let keys: StringArray = std::iter::repeat_n(key, batch.num_rows()).collect();
            columns.push(Arc::new(keys));
        }
        filling.push(RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
    }
    filling.finish()
}
