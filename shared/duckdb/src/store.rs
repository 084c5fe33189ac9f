//! Storing an attempt's data in tables, within a transaction.

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
use precip_io::tables::{Rows, StoreInput, columns_to_add, quote_identifier};

use crate::{
    appender::TableAppender,
    error::DuckDbError,
    names::{NOTES_SCHEMA, PARTITION_COLUMN, TableName},
    types::sql_type,
};

/// Replaces the data of a partition, unless that is of a newer attempt.
pub(crate) fn store_partition(
    connection: &Connection,
    address: &Address,
    input: StoreInput,
) -> Result<(), DuckDbError> {
    create_notes(connection)?;
    // A late attempt leaves the data of a newer one, and counts as stored.
    if is_newer(connection, address)? {
        return Ok(());
    }
    delete_partition(connection, address)?;
    let (form, columns, content) = match input {
        StoreInput::Rows(rows) => {
            let columns = serde_json::to_string(&rows.columns())?;
            put_rows(connection, address, rows)?;
            ("table", Some(columns), None)
        }
        StoreInput::Document(form, content) => (form, None, Some(content)),
    };
    let (asset, partition) = note_key(address);
    connection.execute(
        &format!("INSERT INTO {NOTES_SCHEMA}.partitions VALUES (?, ?, ?, ?, ?, ?, ?)"),
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

/// Removes the data of a partition.
pub(crate) fn remove_partition(
    connection: &Connection,
    address: &Address,
) -> Result<(), DuckDbError> {
    create_notes(connection)?;
    delete_partition(connection, address)
}

fn note_key(address: &Address) -> (String, Option<String>) {
    let partition = address.partition.as_ref().map(ToString::to_string);
    (address.asset.to_string(), partition)
}

/// Creates the tables of notes about assets and partitions, if necessary.
fn create_notes(connection: &Connection) -> Result<(), DuckDbError> {
    Ok(connection.execute_batch(&format!(
        "CREATE SCHEMA IF NOT EXISTS {NOTES_SCHEMA};
         CREATE TABLE IF NOT EXISTS {NOTES_SCHEMA}.assets (
             asset VARCHAR NOT NULL, table_name VARCHAR NOT NULL, partitioned BOOLEAN NOT NULL,
             columns VARCHAR NOT NULL);
         CREATE TABLE IF NOT EXISTS {NOTES_SCHEMA}.partitions (
             asset VARCHAR NOT NULL, partition VARCHAR, run VARCHAR NOT NULL,
             attempt UINTEGER NOT NULL, form VARCHAR NOT NULL, columns VARCHAR, content BLOB);"
    ))?)
}

/// Returns `true` if the stored data of the partition is of a newer attempt.
fn is_newer(connection: &Connection, address: &Address) -> Result<bool, DuckDbError> {
    let (asset, partition) = note_key(address);
    let stored: Option<(String, u32)> = connection
        .query_row(
            &format!(
                "SELECT run, attempt FROM {NOTES_SCHEMA}.partitions
                 WHERE asset = ? AND partition IS NOT DISTINCT FROM ?"
            ),
            params![asset, partition],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((run, attempt)) = stored else {
        return Ok(false);
    };
    let run = run
        .parse()
        .map_err(|_| DuckDbError::Damaged(format!("`{run}` is not a run")))?;
    Ok((run, attempt) > (address.run, address.attempt))
}

/// The note about an asset's table.
struct TableNote {
    partitioned: bool,
    columns: TableSchema,
}

fn read_note(connection: &Connection, address: &Address) -> Result<Option<TableNote>, DuckDbError> {
    let row: Option<(bool, String)> = connection
        .query_row(
            &format!("SELECT partitioned, columns FROM {NOTES_SCHEMA}.assets WHERE asset = ?"),
            params![address.asset.as_str()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((partitioned, columns)) = row else {
        return Ok(None);
    };
    Ok(Some(TableNote {
        partitioned,
        columns: serde_json::from_str(&columns)?,
    }))
}

/// Deletes the rows and the note of a partition.
fn delete_partition(connection: &Connection, address: &Address) -> Result<(), DuckDbError> {
    let (asset, partition) = note_key(address);
    let table = TableName::for_asset(&address.asset).quoted_name();
    match read_note(connection, address)? {
        None => {}
        Some(TableNote {
            partitioned: true, ..
        }) => {
            connection.execute(
                &format!(
                    "DELETE FROM {table} WHERE {} IS NOT DISTINCT FROM ?",
                    quote_identifier(PARTITION_COLUMN)
                ),
                params![partition],
            )?;
        }
        // The table of an asset without partitions is emptied, since all rows are of one attempt.
        Some(_) if partition.is_none() => {
            connection.execute(&format!("DELETE FROM {table}"), [])?;
        }
        // Such a table has no rows of a partition.
        Some(_) => {}
    }
    connection.execute(
        &format!(
            "DELETE FROM {NOTES_SCHEMA}.partitions WHERE asset = ? AND partition IS NOT DISTINCT FROM ?"
        ),
        params![asset, partition],
    )?;
    Ok(())
}

/// Prepares the table for the rows of a partition, and appends them.
fn put_rows(connection: &Connection, address: &Address, rows: Rows) -> Result<(), DuckDbError> {
    // The note of this partition is already deleted: these are the others.
    let others: u64 = connection.query_row(
        &format!(
            "SELECT count(*) FROM {NOTES_SCHEMA}.partitions WHERE asset = ? AND form = 'table'"
        ),
        params![address.asset.as_str()],
        |row| row.get(0),
    )?;
    let partitioned = match read_note(connection, address)? {
        Some(note) if others > 0 => extend_table(connection, address, &rows, &note)?,
        note => create_table(connection, address, &rows, note.is_some())?,
    };
    append_rows(connection, address, rows, partitioned)
}

/// Creates the table for the only partition of an asset, and returns `true` if it has a column for the key. An
/// earlier table is dropped, so the columns may differ from it.
fn create_table(
    connection: &Connection,
    address: &Address,
    rows: &Rows,
    exists: bool,
) -> Result<bool, DuckDbError> {
    let name = TableName::for_asset(&address.asset);
    let partitioned = address.partition.is_some();
    let mut columns = rows
        .schema()
        .fields()
        .iter()
        .map(|field| column_definition(field.name(), field.data_type()))
        .collect::<Result<Vec<_>, _>>()?;
    if partitioned {
        columns.push(format!("{} VARCHAR", quote_identifier(PARTITION_COLUMN)));
    }
    if exists {
        connection.execute_batch(&format!("DROP TABLE {}", name.quoted_name()))?;
        let delete = format!("DELETE FROM {NOTES_SCHEMA}.assets WHERE asset = ?");
        connection.execute(&delete, params![address.asset.as_str()])?;
    } else {
        check_name_is_free(connection, address, &name)?;
    }
    connection.execute_batch(&format!(
        "CREATE SCHEMA IF NOT EXISTS {}; CREATE TABLE {} ({})",
        quote_identifier(&name.schema),
        name.quoted_name(),
        columns.join(", ")
    ))?;
    connection.execute(
        &format!("INSERT INTO {NOTES_SCHEMA}.assets VALUES (?, ?, ?, ?)"),
        params![
            address.asset.as_str(),
            name.quoted_name().to_lowercase(),
            partitioned,
            serde_json::to_string(&rows.columns())?
        ],
    )?;
    Ok(partitioned)
}

/// Checks that no other asset or program has a table of the name. DuckDB does not distinguish upper from lower case.
fn check_name_is_free(
    connection: &Connection,
    address: &Address,
    name: &TableName,
) -> Result<(), DuckDbError> {
    let owner: Option<String> = connection
        .query_row(
            &format!("SELECT asset FROM {NOTES_SCHEMA}.assets WHERE table_name = ?"),
            params![name.quoted_name().to_lowercase()],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(owner) = owner {
        return Err(DuckDbError::Refused(format!(
            "its table would be that of asset `{owner}`, as DuckDB reads names; give one of them another key"
        )));
    }
    // Tables and views of other programs are not in the notes.
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
        Some(_) => Err(DuckDbError::Refused(format!(
            "the database has a table {} already, which `{}` did not make; drop it, or give the asset another key",
            name.quoted_name(),
            address.asset
        ))),
    }
}

/// Adds new columns to a table that has other partitions, and returns `true` if it has a column for the key.
fn extend_table(
    connection: &Connection,
    address: &Address,
    rows: &Rows,
    note: &TableNote,
) -> Result<bool, DuckDbError> {
    let name = TableName::for_asset(&address.asset);
    let new_columns = columns_to_add(&note.columns, &rows.columns()).map_err(|differences| {
        DuckDbError::Refused(format!(
            "its columns are not those of table {}, which has other partitions: {}; make what is new \
             optional, or drop the table and make every partition again",
            name.quoted_name(),
            differences.join("; ")
        ))
    })?;
    let mut columns: Vec<TableColumn> = note.columns.columns.clone();
    for new in new_columns {
        let field = rows.schema().field_with_name(&new.name)?;
        let definition = column_definition(field.name(), field.data_type())?;
        connection.execute_batch(&format!(
            "ALTER TABLE {} ADD COLUMN {definition}",
            name.quoted_name()
        ))?;
        columns.push(new);
    }
    let partitioned = note.partitioned || address.partition.is_some();
    // The asset was not partitioned when its other rows were stored.
    if partitioned && !note.partitioned {
        connection.execute_batch(&format!(
            "ALTER TABLE {} ADD COLUMN {} VARCHAR",
            name.quoted_name(),
            quote_identifier(PARTITION_COLUMN)
        ))?;
    }
    connection.execute(
        &format!("UPDATE {NOTES_SCHEMA}.assets SET columns = ?, partitioned = ? WHERE asset = ?"),
        params![
            serde_json::to_string(&TableSchema { columns })?,
            partitioned,
            address.asset.as_str()
        ],
    )?;
    Ok(partitioned)
}

fn column_definition(name: &str, data_type: &DataType) -> Result<String, DuckDbError> {
    if name.eq_ignore_ascii_case(PARTITION_COLUMN) {
        return Err(DuckDbError::Refused(format!(
            "column `{name}` is reserved for the partition key; give it another name"
        )));
    }
    let sql_type = sql_type(data_type)
        .map_err(|problem| DuckDbError::Refused(format!("column `{name}`: {problem}")))?;
    Ok(format!("{} {sql_type}", quote_identifier(name)))
}

fn append_rows(
    connection: &Connection,
    address: &Address,
    rows: Rows,
    partitioned: bool,
) -> Result<(), DuckDbError> {
    let name = TableName::for_asset(&address.asset);
    // Columns are named, since their order in the table may differ.
    let mut fields: Vec<Arc<Field>> = rows.schema().fields().iter().cloned().collect();
    if partitioned {
        fields.push(Arc::new(Field::new(PARTITION_COLUMN, DataType::Utf8, true)));
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    let target = connection.appender_with_columns_to_db(&name.table, &name.schema, &names)?;
    let mut appender = TableAppender::new(target);
    let schema = Arc::new(Schema::new(fields.clone()));
    for batch in rows {
        let batch = batch?;
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        if partitioned {
            let key = address.partition.as_ref().map(|key| key.as_str());
            let keys: StringArray = std::iter::repeat_n(key, batch.num_rows()).collect();
            columns.push(Arc::new(keys));
        }
        appender.append_batch(RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
    }
    appender.finish()
}
