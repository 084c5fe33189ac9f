//! Creating and extending tables, before anything is replaced.

use arrow_schema::{DataType, Schema};
use precip_core::{key::AssetKey, metadata::TableSchema};
use precip_engine::io::Address;
use precip_io::tables::quote_identifier;
use snowflake_connector_rs::Statement;

use super::{begin_transaction, check_names, read_notes, text_at};
use crate::{
    error::SnowflakeError,
    names::{PARTITION_COLUMN, ROW_COLUMN, TableName, table_comment, to_upper},
    session::OpenSession,
    types::sql_type,
};

/// Creates the table of an asset's notes, with the `turn` row that every transaction changes first.
pub(crate) async fn create_notes(
    session: &OpenSession,
    asset: &AssetKey,
) -> Result<(), SnowflakeError> {
    let name = TableName::of_note_table(asset);
    let create = format!(
        "CREATE TABLE {} AS SELECT 'turn'::VARCHAR AS \"FORM\", NULL::VARCHAR AS \"PARTITION\",
         NULL::VARCHAR AS \"RUN\", 0::NUMBER(38, 0) AS \"ATTEMPT\", NULL::VARCHAR AS \"COLUMNS\",
         NULL::BINARY AS \"CONTENT\"",
        name.quoted_name()
    );
    create_if_missing(session, &name, create).await
}

/// Creates a table with its schema, if it does not exist. An existing table needs no right to create one.
async fn create_if_missing(
    session: &OpenSession,
    name: &TableName,
    create: String,
) -> Result<(), SnowflakeError> {
    if existing_comment(session, name).await?.is_some() {
        return Ok(());
    }
    let schema = format!(
        "CREATE SCHEMA IF NOT EXISTS {}",
        quote_identifier(&name.schema)
    );
    session.run_statement(schema).await?;
    match session.run_statement(create).await {
        // Another session was faster.
        Err(error) if error.already_exists() => Ok(()),
        result => result,
    }
}

/// Returns the comment of a table, if it exists.
async fn existing_comment(
    session: &OpenSession,
    name: &TableName,
) -> Result<Option<String>, SnowflakeError> {
    let statement = Statement::new(
        "SELECT COALESCE(COMMENT, '') AS \"COMMENT\" FROM INFORMATION_SCHEMA.TABLES
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
    )
    .bind(name.schema.clone())
    .bind(name.table.clone());
    let mut rows = session.query_rows(statement).await?;
    rows.pop().map(|mut row| text_at(&mut row, 0)).transpose()
}

/// Creates the table for an asset's rows, or adds its missing columns.
pub(crate) async fn prepare_table(
    session: &OpenSession,
    address: &Address,
    name: &TableName,
    schema: &Schema,
    new: &TableSchema,
) -> Result<(), SnowflakeError> {
    check_names(new)?;
    let columns = schema
        .fields()
        .iter()
        .map(|field| column_definition(field.name(), field.data_type()))
        .collect::<Result<Vec<_>, _>>()?;
    // The comment tells this crate's tables apart from those of other programs.
    let ours = table_comment(&address.asset);
    match existing_comment(session, name).await? {
        Some(comment) if comment == ours => {}
        Some(comment) => return Err(name_taken(address, name, &comment)),
        None => {
            // The table is new, or was dropped by hand: notes about its rows are no longer true.
            forget_rows(session, address).await?;
            let create = format!(
                "CREATE TABLE {} ({} VARCHAR, {} NUMBER(19, 0), {}) COMMENT = '{}'",
                name.quoted_name(),
                quote_identifier(PARTITION_COLUMN),
                quote_identifier(ROW_COLUMN),
                columns.join(", "),
                ours.replace('\\', "\\\\").replace('\'', "''")
            );
            return create_if_missing(session, name, create).await;
        }
    }
    for added in read_notes(session, address)
        .await?
        .missing_columns(name, new)?
    {
        let field = schema.field_with_name(&added.name)?;
        let definition = column_definition(field.name(), field.data_type())?;
        session
            .run_statement(format!(
                "ALTER TABLE {} ADD COLUMN IF NOT EXISTS {definition}",
                name.quoted_name()
            ))
            .await?;
    }
    Ok(())
}

/// Deletes the notes about an asset's rows and columns.
async fn forget_rows(session: &OpenSession, address: &Address) -> Result<(), SnowflakeError> {
    let notes = TableName::of_note_table(&address.asset).quoted_name();
    begin_transaction(session, address).await?;
    session
        .run_statement(format!("DELETE FROM {notes} WHERE \"FORM\" = 'table'"))
        .await?;
    session
        .run_statement(format!(
            "UPDATE {notes} SET \"COLUMNS\" = NULL WHERE \"FORM\" = 'turn'"
        ))
        .await?;
    session.run_statement("COMMIT").await
}

/// Returns the error for a table that another asset or program has created.
fn name_taken(address: &Address, name: &TableName, found: &str) -> SnowflakeError {
    SnowflakeError::Refused(match found.strip_prefix("precip asset ") {
        Some(other) => format!(
            "its table would be that of asset `{other}`, as Snowflake reads names; give one of them \
             another key"
        ),
        None => format!(
            "the database has a table {} already, which `{}` did not make; drop it, or give the asset \
             another key",
            name.quoted_name(),
            address.asset
        ),
    })
}

fn column_definition(name: &str, data_type: &DataType) -> Result<String, SnowflakeError> {
    let sql_type = sql_type(data_type)
        .map_err(|problem| SnowflakeError::Refused(format!("column `{name}`: {problem}")))?;
    Ok(format!("{} {sql_type}", quote_identifier(&to_upper(name))))
}
