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

/// What is noted down of an asset's columns.
#[derive(Default)]
struct Noted {
    /// The columns that its table has, from whatever rows.
    table: TableSchema,
    /// The columns of other partitions' rows: each way once.
    others: Vec<TableSchema>,
}

async fn noted(open: &Open, address: &Address) -> Result<Noted, Failed> {
    let notes = TableName::of_notes(&address.asset).quoted();
    let statement = of_partition(
        format!(
            "SELECT DISTINCT \"FORM\", \"COLUMNS\" FROM {notes} WHERE \"COLUMNS\" IS NOT NULL
             AND (\"FORM\" = 'turn' OR NOT EQUAL_NULL(\"PARTITION\", ?))"
        ),
        address,
    );
    let mut noted = Noted::default();
    for mut row in open.rows(statement).await? {
        let columns = serde_json::from_str(&text(&mut row, 1)?)?;
        match text(&mut row, 0)?.as_str() {
            "turn" => noted.table = columns,
            _ => noted.others.push(columns),
        }
    }
    Ok(noted)
}

fn find<'a>(schema: &'a TableSchema, name: &str) -> Option<&'a TableColumn> {
    let mut columns = schema.columns.iter();
    columns.find(|column| upper(&column.name) == upper(name))
}

impl Noted {
    /// The columns of all other partitions' rows, as those of one.
    fn of_others(&self) -> TableSchema {
        let mut all = TableSchema::default();
        for column in self.others.iter().flat_map(|other| &other.columns) {
            if find(&all, &column.name).is_none() {
                let mut column = column.clone();
                // Where some rows need not have one, new ones need not either.
                let must = |other| find(other, &column.name).is_some_and(|found| !found.nullable);
                column.nullable = !self.others.iter().all(must);
                all.columns.push(column);
            }
        }
        all
    }

    /// The columns that have to be added to the table so that it takes new rows.
    ///
    /// # Errors
    /// Refused, with the difference, when that is not enough.
    fn fit(&self, table: &TableName, new: &TableSchema) -> Result<Vec<TableColumn>, Failed> {
        let differences = if self.others.is_empty() {
            let columns = new.columns.iter().filter_map(|column| {
                let before = find(&self.table, &column.name)?;
                let (name, before, now) = (&column.name, &before.data_type, &column.data_type);
                (before != now).then(|| format!("`{name}` was {before} and is {now}"))
            });
            columns.collect()
        } else {
            added(&self.of_others(), new).err().unwrap_or_default()
        };
        if differences.is_empty() {
            let columns = new.columns.iter();
            let missing = columns.filter(|column| find(&self.table, &column.name).is_none());
            return Ok(missing.cloned().collect());
        }
        let (whose, instead) = match self.others.is_empty() {
            true => ("", "drop the table, and make it again"),
            false => (
                ", which has other partitions",
                "make what is new optional, or drop the table and make every partition again",
            ),
        };
        Err(Failed::Refused(format!(
            "its columns are not those of table {}{whose}: {}; {instead}",
            table.quoted(),
            differences.join("; ")
        )))
    }
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

fn text(row: &mut DynamicRow, index: usize) -> Result<String, Failed> {
    match row.take_at(index) {
        Ok(CellValue::String(text)) => Ok(text),
        _ => Err(Failed::Damaged("a note has no text".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(table: TableSchema, others: &[&TableSchema]) -> Noted {
        let others = others.iter().map(|&other| other.clone()).collect();
        Noted { table, others }
    }

    #[test]
    fn rows_fit_beside_those_of_every_other_partition() {
        let table = TableName::of(&"raw/flights".parse().unwrap(), "PUBLIC");
        let old = TableSchema::from_iter([("a", "Int32", false)]);
        let wider = TableSchema::from_iter([("a", "Int32", false), ("b", "Utf8", true)]);
        let fit = |noted: Noted, new: &TableSchema| {
            let added = noted
                .fit(&table, new)
                .map_err(|failed| failed.to_string())?;
            Ok::<_, String>(
                added
                    .into_iter()
                    .map(|column| column.name)
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(fit(Noted::default(), &old).unwrap(), ["a"]);
        assert!(
            fit(noted(wider.clone(), &[&old, &wider]), &old)
                .unwrap()
                .is_empty()
        );
        assert_eq!(fit(noted(old.clone(), &[&old]), &wider).unwrap(), ["b"]);
        assert_eq!(
            fit(
                noted(wider.clone(), &[&old, &wider]),
                &TableSchema::from_iter([("A", "Int64", false)])
            )
            .unwrap_err(),
            "its columns are not those of table \"RAW\".\"FLIGHTS\", which has other partitions: `A` was \
             Int32 and is Int64; make what is new optional, or drop the table and make every partition again"
        );
    }

    #[test]
    fn where_nothing_else_is_left_only_types_stay() {
        let table = TableName::of(&"raw/flights".parse().unwrap(), "PUBLIC");
        let alone = || {
            noted(
                TableSchema::from_iter([("a", "Int32", false), ("b", "Utf8", false)]),
                &[],
            )
        };
        let added = alone().fit(
            &table,
            &TableSchema::from_iter([("b", "Utf8", false), ("c", "Date32", false)]),
        );
        assert_eq!(added.unwrap()[0].name, "c");
        let refused = alone().fit(&table, &TableSchema::from_iter([("a", "Int64", false)]));
        assert_eq!(
            refused.unwrap_err().to_string(),
            "its columns are not those of table \"RAW\".\"FLIGHTS\": `a` was Int32 and is Int64; drop the \
             table, and make it again"
        );
    }

    #[test]
    fn names_that_are_taken_are_refused() {
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
