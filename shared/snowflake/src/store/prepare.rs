//! Making tables and room in them, before anything is replaced.

use arrow_schema::{DataType, Schema};
use precip_core::{key::AssetKey, metadata::TableSchema};
use precip_engine::io::Address;
use precip_io::tables::quoted;
use snowflake_connector_rs::Statement;

use super::{begin, check_names, noted, text};
use crate::{
    error::Failed,
    names::{PARTITION, ROW, TableName, comment, upper},
    session::Open,
    types::sql_type,
};

/// Makes the table of an asset's notes, with the row that is changed first in every transaction.
pub(crate) async fn notes(open: &Open, asset: &AssetKey) -> Result<(), Failed> {
    let name = TableName::of_notes(asset);
    let create = format!(
        "CREATE TABLE {} AS SELECT 'turn'::VARCHAR AS \"FORM\", NULL::VARCHAR AS \"PARTITION\",
         NULL::VARCHAR AS \"RUN\", 0::NUMBER(38, 0) AS \"ATTEMPT\", NULL::VARCHAR AS \"COLUMNS\",
         NULL::BINARY AS \"CONTENT\"",
        name.quoted()
    );
    make(open, &name, create).await
}

/// Makes what is not there yet, with its schema. To be able to use a table is enough where it is.
async fn make(open: &Open, name: &TableName, create: String) -> Result<(), Failed> {
    if is_there(open, name).await?.is_some() {
        return Ok(());
    }
    let schema = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(&name.schema));
    open.run(schema).await?;
    match open.run(create).await {
        Err(failed) if failed.is_there_already() => Ok(()),
        done => done,
    }
}

/// The comment of a table, if there is one of the name.
async fn is_there(open: &Open, name: &TableName) -> Result<Option<String>, Failed> {
    let statement = Statement::new(
        "SELECT COALESCE(COMMENT, '') AS \"COMMENT\" FROM INFORMATION_SCHEMA.TABLES
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
    )
    .bind(name.schema.clone())
    .bind(name.table.clone());
    let mut rows = open.rows(statement).await?;
    rows.pop().map(|mut row| text(&mut row, 0)).transpose()
}

/// Makes the table for an asset's rows, or room in it.
pub(crate) async fn prepare(
    open: &Open,
    address: &Address,
    name: &TableName,
    schema: &Schema,
    new: &TableSchema,
) -> Result<(), Failed> {
    check_names(new)?;
    let fields = schema.fields().iter();
    let columns = fields.map(|field| column(field.name(), field.data_type()));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let ours = comment(&address.asset);
    match is_there(open, name).await? {
        Some(comment) if comment == ours => {}
        Some(comment) => return Err(taken(address, name, &comment)),
        None => {
            // Somebody has dropped it: nothing is there of what was noted down.
            forget_rows(open, address).await?;
            let create = format!(
                "CREATE TABLE {} ({} VARCHAR, {} NUMBER(19, 0), {}) COMMENT = '{}'",
                name.quoted(),
                quoted(PARTITION),
                quoted(ROW),
                columns.join(", "),
                ours.replace('\\', "\\\\").replace('\'', "''")
            );
            return make(open, name, create).await;
        }
    }
    for added in noted(open, address).await?.fit(name, new)? {
        let field = schema.field_with_name(&added.name)?;
        let column = column(field.name(), field.data_type())?;
        open.run(format!(
            "ALTER TABLE {} ADD COLUMN IF NOT EXISTS {column}",
            name.quoted()
        ))
        .await?;
    }
    Ok(())
}

/// Takes away what is noted down of an asset's rows and columns.
async fn forget_rows(open: &Open, address: &Address) -> Result<(), Failed> {
    let notes = TableName::of_notes(&address.asset).quoted();
    begin(open, address).await?;
    open.run(format!("DELETE FROM {notes} WHERE \"FORM\" = 'table'"))
        .await?;
    open.run(format!(
        "UPDATE {notes} SET \"COLUMNS\" = NULL WHERE \"FORM\" = 'turn'"
    ))
    .await?;
    open.run("COMMIT").await
}

/// A table of the name, made by somebody else.
fn taken(address: &Address, name: &TableName, found: &str) -> Failed {
    Failed::Refused(match found.strip_prefix("precip asset ") {
        Some(other) => format!(
            "its table would be that of asset `{other}`, as Snowflake reads names; give one of them \
             another key"
        ),
        None => format!(
            "the database has a table {} already, which `{}` did not make; drop it, or give the asset \
             another key",
            name.quoted(),
            address.asset
        ),
    })
}

fn column(name: &str, data_type: &DataType) -> Result<String, Failed> {
    let sql_type = sql_type(data_type);
    let sql_type =
        sql_type.map_err(|problem| Failed::Refused(format!("column `{name}`: {problem}")))?;
    Ok(format!("{} {sql_type}", quoted(&upper(name))))
}
