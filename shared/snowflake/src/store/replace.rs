//! The transaction that puts new data where the old is.

use precip_engine::io::Address;
use precip_io::tables::{Given, Rows, quoted, whose};
use snowflake_connector_rs::{CellValue, Statement, bind::Binary};

use super::{noted, of_partition, text};
use crate::{
    error::Failed,
    names::{PARTITION, TableName},
    session::Open,
    write,
};

/// How long one value of bytes may be.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Begins a transaction, when nobody else is in one about the asset.
pub(crate) async fn begin(open: &Open, address: &Address) -> Result<(), Failed> {
    let notes = TableName::of_notes(&address.asset).quoted();
    open.run("BEGIN").await?;
    open.run(format!(
        "UPDATE {notes} SET \"ATTEMPT\" = \"ATTEMPT\" + 1 WHERE \"FORM\" = 'turn'"
    ))
    .await
}

/// Ends a transaction: what was done is there from then on; or nothing was done, and the error stays.
pub(crate) async fn end(open: &Open, done: Result<(), Failed>) -> Result<(), Failed> {
    match done {
        Ok(()) => open.run("COMMIT").await,
        Err(failed) => {
            // If this fails too, the session is not used again, and what it had begun is undone with it.
            let _ = open.run("ROLLBACK").await;
            Err(failed)
        }
    }
}

/// Within a transaction: puts there what was given instead of what is there of its partition, unless that
/// is a newer attempt's.
pub(crate) async fn replace(
    open: &Open,
    address: &Address,
    table: &TableName,
    given: Given,
) -> Result<(), Failed> {
    if is_newer(open, address).await? {
        return Ok(());
    }
    remove(open, address, table).await?;
    let (form, columns, content) = match given {
        Given::Rows(rows) => {
            let columns = serde_json::to_string(&rows.columns())?;
            put(open, address, table, rows).await?;
            ("table", Some(columns), None)
        }
        Given::Noted(form, content) => (form, None, Some(content)),
    };
    if let Some(content) = content.as_ref().filter(|bytes| bytes.len() > MOST_BYTES) {
        return Err(Failed::Refused(format!(
            "it has {} bytes, and Snowflake keeps {MOST_BYTES} in one value; return rows, or use the \
             Parquet IO manager",
            content.len()
        )));
    }
    let notes = TableName::of_notes(&address.asset).quoted();
    let value = content.as_ref().map_or("NULL", |_| "?");
    let insert = format!(
        "INSERT INTO {notes} (\"PARTITION\", \"FORM\", \"RUN\", \"ATTEMPT\", \"COLUMNS\", \"CONTENT\")
         SELECT ?, ?, ?, ?, ?, {value}"
    );
    let statement = of_partition(insert, address)
        .bind(form)
        .bind(address.run.to_string())
        .bind(i64::from(address.attempt))
        .bind(columns);
    match content {
        None => open.run(statement).await,
        Some(content) => open.run(statement.bind(Binary::new(content))).await,
    }
}

async fn put(open: &Open, address: &Address, table: &TableName, rows: Rows) -> Result<(), Failed> {
    // Once more, where nobody else can change it: another partition may have come in between.
    let mut noted = noted(open, address).await?;
    let added = noted.fit(table, &rows.columns())?;
    if !added.is_empty() {
        noted.table.columns.extend(added);
        let notes = TableName::of_notes(&address.asset).quoted();
        let update = format!("UPDATE {notes} SET \"COLUMNS\" = ? WHERE \"FORM\" = 'turn'");
        let columns = serde_json::to_string(&noted.table)?;
        open.run(Statement::new(update).bind(columns)).await?;
    }
    let insert = write::insert(table, rows.schema().fields())?;
    for text in write::texts(rows) {
        open.run(of_partition(insert.clone(), address).bind(text?))
            .await?;
    }
    Ok(())
}

/// Within a transaction: takes what is there of a partition away.
pub(crate) async fn remove(
    open: &Open,
    address: &Address,
    table: &TableName,
) -> Result<(), Failed> {
    let notes = TableName::of_notes(&address.asset).quoted();
    let of_this = "WHERE EQUAL_NULL(\"PARTITION\", ?) AND \"FORM\" <> 'turn'";
    let forms = of_partition(format!("SELECT \"FORM\" FROM {notes} {of_this}"), address);
    for mut row in open.rows(forms).await? {
        if text(&mut row, 0)? == "table" {
            let delete = format!(
                "DELETE FROM {} WHERE EQUAL_NULL({}, ?)",
                table.quoted(),
                quoted(PARTITION)
            );
            open.run(of_partition(delete, address)).await?;
        }
    }
    let delete = of_partition(format!("DELETE FROM {notes} {of_this}"), address);
    open.run(delete).await
}

async fn is_newer(open: &Open, address: &Address) -> Result<bool, Failed> {
    let notes = TableName::of_notes(&address.asset).quoted();
    let statement = of_partition(
        format!(
            "SELECT \"RUN\", \"ATTEMPT\" FROM {notes}
             WHERE EQUAL_NULL(\"PARTITION\", ?) AND \"FORM\" <> 'turn'"
        ),
        address,
    );
    for row in open.rows(statement).await? {
        let (_, values) = row.into_parts();
        let [CellValue::String(run), CellValue::Integer(attempt)] = &*values else {
            return Err(damaged(address));
        };
        let run = run.parse().map_err(|_| damaged(address))?;
        if (run, *attempt) > (address.run, i128::from(address.attempt)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn damaged(address: &Address) -> Failed {
    Failed::Damaged(format!(
        "what is noted of {} names no attempt",
        whose(address)
    ))
}
