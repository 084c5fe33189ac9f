//! Evolving a table's columns.

use precip_core::metadata::{TableColumn, TableSchema};

/// Returns the columns to add to a table of `old` columns so that it can hold rows of `new` columns too.
/// Optional columns may be new or gone; nothing else may change.
///
/// # Errors
/// Every other difference.
pub fn columns_to_add(
    old: &TableSchema,
    new: &TableSchema,
) -> Result<Vec<TableColumn>, Vec<String>> {
    let mut to_add = Vec::new();
    let mut differences = Vec::new();
    for column in &new.columns {
        let name = &column.name;
        match find_column(old, name) {
            Some(before) if before.data_type == column.data_type => {}
            Some(before) => differences.push(format!(
                "`{name}` was {} and is {}",
                before.data_type, column.data_type
            )),
            None if column.nullable => to_add.push(column.clone()),
            None => differences.push(format!("`{name}` is new, and its rows must have one")),
        }
    }
    // New rows have no value for a column that is gone, so it must be optional.
    for before in &old.columns {
        if find_column(new, &before.name).is_none() && !before.nullable {
            let name = &before.name;
            differences.push(format!("`{name}` is gone, and its rows must have one"));
        }
    }
    if differences.is_empty() {
        Ok(to_add)
    } else {
        Err(differences)
    }
}

/// Finds a column by name. Databases do not distinguish upper from lower case.
fn find_column<'a>(schema: &'a TableSchema, name: &str) -> Option<&'a TableColumn> {
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
        let names: Vec<String> = columns_to_add(&old, &new)
            .unwrap()
            .into_iter()
            .map(|column| column.name)
            .collect();
        assert_eq!(names, ["c"]);
        assert_eq!(columns_to_add(&old, &old), Ok(Vec::new()));
    }

    #[test]
    fn every_other_difference_is_shown() {
        let old = TableSchema::from_iter([("a", "Int32", false), ("b", "Utf8", false)]);
        let new = TableSchema::from_iter([("a", "Int64", false), ("c", "Date32", false)]);
        assert_eq!(
            columns_to_add(&old, &new).unwrap_err(),
            [
                "`a` was Int32 and is Int64",
                "`c` is new, and its rows must have one",
                "`b` is gone, and its rows must have one",
            ]
        );
    }
}
