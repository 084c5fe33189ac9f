//! Putting an attempt's data into tables.
//!
//! Snowflake commits at every statement that changes a definition. So tables are made and widened first,
//! by statements that may be repeated and take nothing away; then one transaction replaces the rows and what
//! is noted down about them. Its first statement changes the row in the asset's notes that everybody
//! changes: who comes second waits there, and sees what the first has done.

mod prepare;
mod replace;

pub(crate) use prepare::{notes, prepare};
pub(crate) use replace::{begin, end, remove, replace};

use precip_core::metadata::{TableColumn, TableSchema};
use precip_engine::io::Address;
use precip_io::tables::added;
use snowflake_connector_rs::{CellValue, DynamicRow, PositionalBinds, Statement};

use crate::{
    error::Failed,
    names::{PARTITION, ROW, TableName, upper},
    session::Open,
};

/// The columns of other partitions' rows, as they were noted down: each way once.
async fn others(open: &Open, address: &Address) -> Result<Vec<TableSchema>, Failed> {
    let notes = TableName::of_notes(&address.asset).quoted();
    let statement = of_partition(
        format!(
            "SELECT DISTINCT \"COLUMNS\" FROM {notes}
             WHERE \"FORM\" = 'table' AND NOT EQUAL_NULL(\"PARTITION\", ?)"
        ),
        address,
    );
    let mut others = Vec::new();
    for row in open.rows(statement).await? {
        others.push(serde_json::from_str(&text(row, 0)?)?);
    }
    Ok(others)
}

/// The columns that have to be added so that new rows fit beside those of other partitions, in a table
/// with the columns of all of them.
///
/// # Errors
/// Refused, with the difference, when adding columns is not enough.
fn fit(
    table: &TableName,
    others: &[TableSchema],
    new: &TableSchema,
) -> Result<Vec<TableColumn>, Failed> {
    let mut all = TableSchema::default();
    for other in others {
        for column in &other.columns {
            let is_known = |known: &TableColumn| upper(&known.name) == upper(&column.name);
            match all.columns.iter_mut().find(|known| is_known(known)) {
                // Where some rows need not have one, new ones need not either.
                Some(known) => known.nullable |= column.nullable,
                None => all.columns.push(column.clone()),
            }
        }
    }
    // A column that some of the others have not is one that a row may lack.
    for column in &mut all.columns {
        let has = |other: &TableSchema| {
            let mut columns = other.columns.iter();
            columns.any(|known| upper(&known.name) == upper(&column.name))
        };
        column.nullable |= !others.iter().all(has);
    }
    added(&all, new).map_err(|differences| {
        Failed::Refused(format!(
            "its columns are not those of table {}, which has other partitions: {}; make what is new \
             optional, or drop the table and make every partition again",
            table.quoted(),
            differences.join("; ")
        ))
    })
}

/// Whether the columns can be told apart, from each other and from those of this crate.
pub(crate) fn check_names(columns: &TableSchema) -> Result<(), Failed> {
    for (n, column) in columns.columns.iter().enumerate() {
        let name = upper(&column.name);
        if name == PARTITION || name == ROW {
            return Err(Failed::Refused(format!(
                "column `{}` is where Snowflake's IO manager keeps which row it is; give it another name",
                column.name
            )));
        }
        let mut before = columns.columns[..n].iter();
        if let Some(other) = before.find(|other| upper(&other.name) == name) {
            return Err(Failed::Refused(format!(
                "columns `{}` and `{}` are one for Snowflake, which reads names as upper case; give one \
                 of them another name",
                other.name, column.name
            )));
        }
    }
    if columns.columns.is_empty() {
        return Err(Failed::Refused(
            "a table of no columns has no place in Snowflake; return `Json` instead".to_owned(),
        ));
    }
    Ok(())
}

/// A statement whose next value is the partition's key.
fn of_partition(sql: String, address: &Address) -> Statement<PositionalBinds> {
    let partition = address.partition.as_ref().map(ToString::to_string);
    Statement::new(sql).bind(partition)
}

fn text(mut row: DynamicRow, index: usize) -> Result<String, Failed> {
    match row.take_at(index) {
        Ok(CellValue::String(text)) => Ok(text),
        _ => Err(Failed::Damaged("a note has no text".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(columns: &[(&str, &str, bool)]) -> TableSchema {
        let column = |&(name, data_type, nullable): &(&str, &str, bool)| TableColumn {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
            nullable,
            description: None,
        };
        TableSchema {
            columns: columns.iter().map(column).collect(),
        }
    }

    #[test]
    fn rows_fit_beside_those_of_every_other_partition() {
        let table = TableName::of(&"raw/flights".parse().unwrap(), "PUBLIC");
        let old = schema(&[("a", "Int32", false)]);
        let wider = schema(&[("a", "Int32", false), ("b", "Utf8", true)]);
        assert_eq!(fit(&table, &[], &old).unwrap().len(), 1);
        assert_eq!(
            fit(&table, &[old.clone(), wider.clone()], &old).unwrap(),
            []
        );
        assert_eq!(
            fit(&table, std::slice::from_ref(&old), &wider).unwrap()[0].name,
            "b"
        );
        let refused = fit(&table, &[old, wider], &schema(&[("A", "Int64", false)]));
        assert_eq!(
            refused.unwrap_err().to_string(),
            "its columns are not those of table \"RAW\".\"FLIGHTS\", which has other partitions: `A` was \
             Int32 and is Int64; make what is new optional, or drop the table and make every partition again"
        );
    }

    #[test]
    fn names_that_are_taken_are_refused() {
        let refused = |columns| check_names(&schema(columns)).unwrap_err().to_string();
        let taken = refused(&[("_row", "Int32", false)]);
        assert!(taken.contains("give it another name"), "{taken}");
        let twice = refused(&[("a", "Int32", false), ("A", "Int32", false)]);
        assert!(twice.contains("columns `a` and `A` are one"), "{twice}");
        assert!(refused(&[]).contains("no columns"));
    }
}
