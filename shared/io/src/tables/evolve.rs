//! What new columns mean to the rows that are there.

use precip_core::metadata::{TableColumn, TableSchema};

/// The columns that have to be added to a table so that it holds rows of `new` beside those of `old`.
/// A value that is missing in a column is not there; nothing else may change.
///
/// # Errors
/// Every difference that is more than that.
pub fn added(old: &TableSchema, new: &TableSchema) -> Result<Vec<TableColumn>, Vec<String>> {
    let mut added = Vec::new();
    let mut differences = Vec::new();
    for column in &new.columns {
        let name = &column.name;
        match find(old, name) {
            Some(before) if before.data_type == column.data_type => {}
            Some(before) => differences.push(format!(
                "`{name}` was {} and is {}",
                before.data_type, column.data_type
            )),
            None if column.nullable => added.push(column.clone()),
            None => differences.push(format!("`{name}` is new, and its rows must have one")),
        }
    }
    for before in &old.columns {
        if find(new, &before.name).is_none() && !before.nullable {
            let name = &before.name;
            differences.push(format!("`{name}` is gone, and its rows must have one"));
        }
    }
    if differences.is_empty() {
        Ok(added)
    } else {
        Err(differences)
    }
}

/// Databases take names that differ in case for one.
fn find<'a>(schema: &'a TableSchema, name: &str) -> Option<&'a TableColumn> {
    let mut columns = schema.columns.iter();
    columns.find(|column| column.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_column_may_come_and_go() {
        let old = TableSchema::from_iter([("a", "Int32", false), ("b", "Utf8", true)]);
        let new = TableSchema::from_iter([("a", "Int32", false), ("c", "Date32", true)]);
        let names: Vec<String> = added(&old, &new)
            .unwrap()
            .into_iter()
            .map(|column| column.name)
            .collect();
        assert_eq!(names, ["c"]);
        assert_eq!(added(&old, &old), Ok(Vec::new()));
    }

    #[test]
    fn every_other_difference_is_shown() {
        let old = TableSchema::from_iter([("a", "Int32", false), ("b", "Utf8", false)]);
        let new = TableSchema::from_iter([("a", "Int64", false), ("c", "Date32", false)]);
        assert_eq!(
            added(&old, &new).unwrap_err(),
            [
                "`a` was Int32 and is Int64",
                "`c` is new, and its rows must have one",
                "`b` is gone, and its rows must have one",
            ]
        );
    }
}
