//! Storing an attempt's data in tables.
//!
//! Snowflake commits at every statement that changes a definition. So tables are created and extended first, by
//! statements that can be repeated and remove nothing; then one transaction replaces the rows and their note. Its
//! first statement changes the `turn` row of the asset's notes, which every transaction changes: a second one waits
//! there, and then sees the result of the first.

mod prepare;
mod replace;

pub(crate) use prepare::{create_notes, prepare_table};
pub(crate) use replace::{begin_transaction, end_transaction, remove_partition, replace_partition};

use precip_core::metadata::{TableColumn, TableSchema};
use precip_engine::io::Address;
use precip_io::tables::columns_to_add;
use snowflake_connector_rs::{CellValue, DynamicRow, PositionalBinds, Statement};

use crate::{
    error::SnowflakeError,
    names::{PARTITION_COLUMN, ROW_COLUMN, TableName, to_upper},
    session::OpenSession,
};

/// The notes about an asset's columns.
#[derive(Default)]
struct ColumnNotes {
    /// The columns of its table, of any rows.
    table: TableSchema,
    /// The distinct sets of columns of other partitions' rows.
    others: Vec<TableSchema>,
}

/// Reads the notes about an asset's columns, except those of the partition at the address.
async fn read_notes(
    session: &OpenSession,
    address: &Address,
) -> Result<ColumnNotes, SnowflakeError> {
    let note_table = TableName::of_note_table(&address.asset).quoted_name();
    let statement = bind_partition(
        format!(
            "SELECT DISTINCT \"FORM\", \"COLUMNS\" FROM {note_table} WHERE \"COLUMNS\" IS NOT NULL
             AND (\"FORM\" = 'turn' OR NOT EQUAL_NULL(\"PARTITION\", ?))"
        ),
        address,
    );
    let mut notes = ColumnNotes::default();
    for mut row in session.query_rows(statement).await? {
        let columns = serde_json::from_str(&text_at(&mut row, 1)?)?;
        // The `turn` row has the columns of the table; the others have those of their partition.
        match text_at(&mut row, 0)?.as_str() {
            "turn" => notes.table = columns,
            _ => notes.others.push(columns),
        }
    }
    Ok(notes)
}

/// Finds a column by name, as Snowflake reads names.
fn find_column<'a>(schema: &'a TableSchema, name: &str) -> Option<&'a TableColumn> {
    let mut columns = schema.columns.iter();
    columns.find(|column| to_upper(&column.name) == to_upper(name))
}

impl ColumnNotes {
    /// Merges the columns of all other partitions' rows.
    fn columns_of_others(&self) -> TableSchema {
        let mut all = TableSchema::default();
        for column in self.others.iter().flat_map(|other| &other.columns) {
            if find_column(&all, &column.name).is_none() {
                let mut merged = column.clone();
                // A column that some rows may lack is optional for new rows too.
                let is_required =
                    |other| find_column(other, &column.name).is_some_and(|found| !found.nullable);
                merged.nullable = !self.others.iter().all(is_required);
                all.columns.push(merged);
            }
        }
        all
    }

    /// Returns the columns to add to the table so that it can hold new rows.
    ///
    /// # Errors
    /// [`SnowflakeError::Refused`] with the differences, when adding columns is not enough.
    fn missing_columns(
        &self,
        table: &TableName,
        new: &TableSchema,
    ) -> Result<Vec<TableColumn>, SnowflakeError> {
        // Without other partitions, only the types of existing columns matter.
        let differences = if self.others.is_empty() {
            let columns = new.columns.iter().filter_map(|column| {
                let before = find_column(&self.table, &column.name)?;
                let (name, before, now) = (&column.name, &before.data_type, &column.data_type);
                (before != now).then(|| format!("`{name}` was {before} and is {now}"))
            });
            columns.collect()
        } else {
            columns_to_add(&self.columns_of_others(), new)
                .err()
                .unwrap_or_default()
        };
        if differences.is_empty() {
            let columns = new.columns.iter();
            let missing = columns.filter(|column| find_column(&self.table, &column.name).is_none());
            return Ok(missing.cloned().collect());
        }
        let (context, advice) = if self.others.is_empty() {
            ("", "drop the table, and make it again")
        } else {
            (
                ", which has other partitions",
                "make what is new optional, or drop the table and make every partition again",
            )
        };
        Err(SnowflakeError::Refused(format!(
            "its columns are not those of table {}{context}: {}; {advice}",
            table.quoted_name(),
            differences.join("; ")
        )))
    }
}

/// Checks that the names of columns differ from each other and from those of this crate.
pub(crate) fn check_names(columns: &TableSchema) -> Result<(), SnowflakeError> {
    for (index, column) in columns.columns.iter().enumerate() {
        let name = to_upper(&column.name);
        if name == PARTITION_COLUMN || name == ROW_COLUMN {
            return Err(SnowflakeError::Refused(format!(
                "column `{}` is reserved for the partition key or row number; give it another name",
                column.name
            )));
        }
        let mut before = columns.columns[..index].iter();
        if let Some(other) = before.find(|other| to_upper(&other.name) == name) {
            return Err(SnowflakeError::Refused(format!(
                "columns `{}` and `{}` are one for Snowflake, which reads names as upper case; give one \
                 of them another name",
                other.name, column.name
            )));
        }
    }
    if columns.columns.is_empty() {
        return Err(SnowflakeError::Refused(
            "Snowflake cannot store a table of no columns; return `Json` instead".to_owned(),
        ));
    }
    Ok(())
}

/// Creates a statement whose first parameter is the partition's key.
fn bind_partition(sql: String, address: &Address) -> Statement<PositionalBinds> {
    let partition = address.partition.as_ref().map(ToString::to_string);
    Statement::new(sql).bind(partition)
}

/// Takes a text from a row of notes.
fn text_at(row: &mut DynamicRow, index: usize) -> Result<String, SnowflakeError> {
    match row.take_at(index) {
        Ok(CellValue::String(text)) => Ok(text),
        _ => Err(SnowflakeError::Damaged("a note has no text".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes_with(table: TableSchema, others: &[&TableSchema]) -> ColumnNotes {
        let others = others.iter().map(|&other| other.clone()).collect();
        ColumnNotes { table, others }
    }

    #[test]
    fn new_rows_must_fit_the_rows_of_other_partitions() {
        let table = TableName::for_asset(&"raw/flights".parse().unwrap(), "PUBLIC");
        let old = TableSchema::from_iter([("a", "Int32", false)]);
        let wider = TableSchema::from_iter([("a", "Int32", false), ("b", "Utf8", true)]);
        let fit = |notes: ColumnNotes, new: &TableSchema| {
            let added = notes
                .missing_columns(&table, new)
                .map_err(|error| error.to_string())?;
            Ok::<_, String>(
                added
                    .into_iter()
                    .map(|column| column.name)
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(fit(ColumnNotes::default(), &old).unwrap(), ["a"]);
        assert!(
            fit(notes_with(wider.clone(), &[&old, &wider]), &old)
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            fit(notes_with(old.clone(), &[&old]), &wider).unwrap(),
            ["b"]
        );
        assert_eq!(
            fit(
                notes_with(wider.clone(), &[&old, &wider]),
                &TableSchema::from_iter([("A", "Int64", false)])
            )
            .unwrap_err(),
            "its columns are not those of table \"RAW\".\"FLIGHTS\", which has other partitions: `A` was \
             Int32 and is Int64; make what is new optional, or drop the table and make every partition again"
        );
    }

    #[test]
    fn without_other_partitions_only_types_must_stay() {
        let table = TableName::for_asset(&"raw/flights".parse().unwrap(), "PUBLIC");
        let alone = || {
            notes_with(
                TableSchema::from_iter([("a", "Int32", false), ("b", "Utf8", false)]),
                &[],
            )
        };
        let added = alone().missing_columns(
            &table,
            &TableSchema::from_iter([("b", "Utf8", false), ("c", "Date32", false)]),
        );
        assert_eq!(added.unwrap()[0].name, "c");
        let refused =
            alone().missing_columns(&table, &TableSchema::from_iter([("a", "Int64", false)]));
        assert_eq!(
            refused.unwrap_err().to_string(),
            "its columns are not those of table \"RAW\".\"FLIGHTS\": `a` was Int32 and is Int64; drop the \
             table, and make it again"
        );
    }

    #[test]
    fn reserved_and_duplicate_names_are_refused() {
        let refused = |columns: &[(&str, &str, bool)]| {
            let columns = columns.iter().copied().collect();
            check_names(&columns).unwrap_err().to_string()
        };
        let taken = refused(&[("_row", "Int32", false)]);
        assert!(taken.contains("give it another name"), "{taken}");
        let twice = refused(&[("a", "Int32", false), ("A", "Int32", false)]);
        assert!(twice.contains("columns `a` and `A` are one"), "{twice}");
        assert!(refused(&[]).contains("no columns"));
    }
}
