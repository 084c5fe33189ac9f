//! The transaction that replaces the data of a partition.

use precip_engine::io::Address;
use precip_io::tables::{Rows, StoreInput, describe_address, quote_identifier};
use snowflake_connector_rs::{CellValue, Statement, bind::Binary};

use super::{bind_partition, read_notes, text_at};
use crate::{
    error::SnowflakeError,
    names::{PARTITION_COLUMN, TableName},
    session::OpenSession,
    write,
};

/// Largest binary value that Snowflake stores, in bytes.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Begins a transaction, waiting for any other one about the asset.
pub(crate) async fn begin_transaction(
    session: &OpenSession,
    address: &Address,
) -> Result<(), SnowflakeError> {
    let notes = TableName::of_note_table(&address.asset).quoted_name();
    session.run_statement("BEGIN").await?;
    session
        .run_statement(format!(
            "UPDATE {notes} SET \"ATTEMPT\" = \"ATTEMPT\" + 1 WHERE \"FORM\" = 'turn'"
        ))
        .await
}

/// Commits a transaction that succeeded, or rolls it back and returns its error.
pub(crate) async fn end_transaction(
    session: &OpenSession,
    result: Result<(), SnowflakeError>,
) -> Result<(), SnowflakeError> {
    match result {
        Ok(()) => session.run_statement("COMMIT").await,
        Err(error) => {
            // If this fails too, the session is not reused, and its transaction ends with it.
            let _ = session.run_statement("ROLLBACK").await;
            Err(error)
        }
    }
}

/// Replaces the data of a partition within a transaction, unless it is of a newer attempt.
pub(crate) async fn replace_partition(
    session: &OpenSession,
    address: &Address,
    table: &TableName,
    input: StoreInput,
) -> Result<(), SnowflakeError> {
    if is_newer(session, address).await? {
        return Ok(());
    }
    remove_partition(session, address, table).await?;
    let (form, columns, content) = match input {
        StoreInput::Rows(rows) => {
            let columns = serde_json::to_string(&rows.columns())?;
            put_rows(session, address, table, rows).await?;
            ("table", Some(columns), None)
        }
        StoreInput::Document(form, content) => (form, None, Some(content)),
    };
    if let Some(content) = content.as_ref().filter(|bytes| bytes.len() > MAX_BYTES) {
        return Err(SnowflakeError::Refused(format!(
            "it has {} bytes, and Snowflake keeps {MAX_BYTES} in one value; return rows, or use the \
             Parquet IO manager",
            content.len()
        )));
    }
    let notes = TableName::of_note_table(&address.asset).quoted_name();
    let value = content.as_ref().map_or("NULL", |_| "?");
    let insert = format!(
        "INSERT INTO {notes} (\"PARTITION\", \"FORM\", \"RUN\", \"ATTEMPT\", \"COLUMNS\", \"CONTENT\")
         SELECT ?, ?, ?, ?, ?, {value}"
    );
    let statement = bind_partition(insert, address)
        .bind(form)
        .bind(address.run.to_string())
        .bind(i64::from(address.attempt))
        .bind(columns);
    match content {
        None => session.run_statement(statement).await,
        Some(content) => {
            session
                .run_statement(statement.bind(Binary::new(content)))
                .await
        }
    }
}

/// Inserts rows, and adds their columns to the notes.
async fn put_rows(
    session: &OpenSession,
    address: &Address,
    table: &TableName,
    rows: Rows,
) -> Result<(), SnowflakeError> {
    // Checked again within the transaction: another partition may have been stored since.
    let mut notes = read_notes(session, address).await?;
    let added = notes.missing_columns(table, &rows.columns())?;
    if !added.is_empty() {
        notes.table.columns.extend(added);
        let note_table = TableName::of_note_table(&address.asset).quoted_name();
        let update = format!("UPDATE {note_table} SET \"COLUMNS\" = ? WHERE \"FORM\" = 'turn'");
        let columns = serde_json::to_string(&notes.table)?;
        session
            .run_statement(Statement::new(update).bind(columns))
            .await?;
    }
    let insert = write::insert_statement(table, rows.schema().fields())?;
    // Several statements for many rows, all in this transaction.
    for text in write::json_chunks(rows) {
        session
            .run_statement(bind_partition(insert.clone(), address).bind(text?))
            .await?;
    }
    Ok(())
}

/// Removes the data of a partition within a transaction.
pub(crate) async fn remove_partition(
    session: &OpenSession,
    address: &Address,
    table: &TableName,
) -> Result<(), SnowflakeError> {
    let notes = TableName::of_note_table(&address.asset).quoted_name();
    let condition = "WHERE EQUAL_NULL(\"PARTITION\", ?) AND \"FORM\" <> 'turn'";
    let forms = bind_partition(format!("SELECT \"FORM\" FROM {notes} {condition}"), address);
    // Only a partition of rows has any in the table, which may not exist otherwise.
    for mut row in session.query_rows(forms).await? {
        if text_at(&mut row, 0)? == "table" {
            let delete = format!(
                "DELETE FROM {} WHERE EQUAL_NULL({}, ?)",
                table.quoted_name(),
                quote_identifier(PARTITION_COLUMN)
            );
            session
                .run_statement(bind_partition(delete, address))
                .await?;
        }
    }
    let delete = bind_partition(format!("DELETE FROM {notes} {condition}"), address);
    session.run_statement(delete).await
}

/// Returns `true` if the stored data of the partition is of a newer attempt.
async fn is_newer(session: &OpenSession, address: &Address) -> Result<bool, SnowflakeError> {
    let notes = TableName::of_note_table(&address.asset).quoted_name();
    let statement = bind_partition(
        format!(
            "SELECT \"RUN\", \"ATTEMPT\" FROM {notes}
             WHERE EQUAL_NULL(\"PARTITION\", ?) AND \"FORM\" <> 'turn'"
        ),
        address,
    );
    for row in session.query_rows(statement).await? {
        let (_, values) = row.into_parts();
        let [CellValue::String(run), CellValue::Integer(attempt)] = &*values else {
            return Err(damaged_note(address));
        };
        let run = run.parse().map_err(|_| damaged_note(address))?;
        if (run, *attempt) > (address.run, i128::from(address.attempt)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the error for a note without an attempt.
fn damaged_note(address: &Address) -> SnowflakeError {
    SnowflakeError::Damaged(format!(
        "the note about {} names no attempt",
        describe_address(address)
    ))
}
