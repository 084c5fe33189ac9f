//! Fitting the result of a query to declared rows.

use std::{collections::BTreeSet, sync::Arc};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use precip_core::{metadata::TableSchema, prose::and_list};

use crate::Table;

/// Checks that a query returns each column once: of two columns of one name, readers would find the first only.
///
/// # Errors
/// A message with the columns that it returns more than once.
pub fn check_query_columns(schema: &Schema) -> Result<(), String> {
    let mut names = BTreeSet::new();
    let fields = schema.fields().iter().map(|field| field.name().as_str());
    let repeated: BTreeSet<&str> = fields.filter(|name| !names.insert(*name)).collect();
    if repeated.is_empty() {
        return Ok(());
    }
    let repeated: Vec<&str> = repeated.into_iter().collect();
    Err(format!(
        "it returns column {} more than once; name each with `AS`",
        and_list(&repeated)
    ))
}

/// Arranges the result of a query in the columns of declared rows. The types stay those of the query.
///
/// A column in another case than its field is accepted, as databases do, if no other column or field differs from it
/// in case only.
///
/// # Errors
/// A message with the columns that only the query or only the rows have.
pub fn fit_query_columns(rows: &Table, declared: &TableSchema) -> Result<Table, String> {
    let found = rows.schema();
    check_query_columns(found)?;
    let indices = match_columns(found, declared)?;
    let fields = indices.iter().zip(&declared.columns);
    let fields = fields.map(|(&index, column)| found.field(index).clone().with_name(&column.name));
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batches = rows.batches().iter().map(|batch| {
        let columns = indices.iter().map(|&index| Arc::clone(batch.column(index)));
        RecordBatch::try_new(Arc::clone(&schema), columns.collect())
    });
    let batches: Result<Vec<RecordBatch>, _> = batches.collect();
    batches
        .and_then(|batches| Table::new(Arc::clone(&schema), batches))
        .map_err(|error| error.to_string())
}

/// Returns the index of each declared column in the result of a query.
fn match_columns(found: &Schema, declared: &TableSchema) -> Result<Vec<usize>, String> {
    let columns: Vec<&str> = found.fields().iter().map(|field| field.name().as_str()).collect();
    let fields: Vec<&str> = declared.columns.iter().map(|column| column.name.as_str()).collect();
    let matches: Vec<Option<usize>> = fields
        .iter()
        .map(|field| find_column(field, &columns, &fields))
        .collect();
    let unmatched = |names: &[&str], is_matched: &dyn Fn(usize) -> bool| -> Vec<String> {
        let names = names.iter().enumerate();
        let names = names.filter(|(index, _)| !is_matched(*index));
        names.map(|(_, name)| (*name).to_owned()).collect()
    };
    let missing = unmatched(&fields, &|index| matches[index].is_some());
    let extra = unmatched(&columns, &|index| matches.contains(&Some(index)));
    let problem = match (extra.is_empty(), missing.is_empty()) {
        (true, true) => return Ok(matches.into_iter().flatten().collect()),
        (false, true) => format!("its rows have no field for {}", and_list(&extra)),
        (true, false) => format!("it has no column for the fields {}", and_list(&missing)),
        (false, false) => format!(
            "its rows have no field for {}, and it has no column for the fields {}",
            and_list(&extra),
            and_list(&missing)
        ),
    };
    Err(format!(
        "it returns the columns {}, and the rows have the fields {}: {problem}; name its columns with `AS` as \
         the fields are named, or change the fields",
        and_list(&columns),
        and_list(&fields)
    ))
}

/// Returns the index of the column of a field: the one of its name, or else the only one that differs in case.
fn find_column(field: &str, columns: &[&str], fields: &[&str]) -> Option<usize> {
    if let Some(index) = columns.iter().position(|column| *column == field) {
        return Some(index);
    }
    let is_alike = |name: &&&str| name.eq_ignore_ascii_case(field);
    let is_only = |names: &[&str]| names.iter().filter(is_alike).count() == 1;
    (is_only(columns) && is_only(fields))
        .then(|| columns.iter().position(|column| is_alike(&column)))?
}

#[cfg(test)]
mod tests {
    use arrow_array::Int32Array;
    use arrow_schema::{DataType, Field};

    use super::*;

    fn query_result(names: &[&str]) -> Table {
        let fields = names.iter().map(|name| Field::new(*name, DataType::Int32, true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let columns = (0_i32..).take(names.len());
        let columns = columns.map(|number| Arc::new(Int32Array::from(vec![number])) as _);
        RecordBatch::try_new(schema, columns.collect()).unwrap().into()
    }

    /// Returns the index of the query's column for each field.
    fn fit(columns: &[&str], fields: &[&str]) -> Result<Vec<i32>, String> {
        let declared = fields.iter().map(|field| (*field, "Int64", true)).collect();
        let fitted = fit_query_columns(&query_result(columns), &declared)?;
        let names: Vec<&String> = fitted.schema().fields().iter().map(|f| f.name()).collect();
        assert_eq!(names, fields);
        let batch = fitted.to_batch().unwrap();
        Ok(batch
            .columns()
            .iter()
            .map(|column| arrow_array::cast::as_primitive_array::<arrow_array::types::Int32Type>(column).value(0))
            .collect())
    }

    #[test]
    fn columns_are_matched_by_name_in_any_order() {
        assert_eq!(fit(&["a", "b"], &["a", "b"]).unwrap(), [0, 1]);
        assert_eq!(fit(&["b", "a"], &["a", "b"]).unwrap(), [1, 0]);
    }

    #[test]
    fn case_matters_only_between_names_that_differ_in_nothing_else() {
        assert_eq!(fit(&["A", "b"], &["a", "B"]).unwrap(), [0, 1]);
        assert_eq!(fit(&["A", "a"], &["a", "A"]).unwrap(), [1, 0]);
        for (columns, fields) in [
            (&["A"][..], &["a", "A"][..]),
            (&["a", "A"], &["a"]),
            (&["Ab", "aB"], &["ab"]),
            (&["ab"], &["Ab", "aB"]),
        ] {
            fit(columns, fields).unwrap_err();
        }
    }

    #[test]
    fn unmatched_columns_are_refused_with_both_lists() {
        assert_eq!(
            fit(&["number", "holdr", "n"], &["number", "holder"]).unwrap_err(),
            "it returns the columns `number`, `holdr` and `n`, and the rows have the fields `number` and \
             `holder`: its rows have no field for `holdr` and `n`, and it has no column for the fields `holder`; \
             name its columns with `AS` as the fields are named, or change the fields"
        );
        let missing = fit(&["a"], &["a", "b"]).unwrap_err();
        assert!(missing.contains("it has no column for the fields `b`;"), "{missing}");
        let extra = fit(&["a", "b"], &["a"]).unwrap_err();
        assert!(extra.contains("its rows have no field for `b`;"), "{extra}");
    }

    #[test]
    fn a_column_that_is_returned_twice_is_refused() {
        assert_eq!(
            fit(&["a", "b", "a", "a"], &["a", "b"]).unwrap_err(),
            "it returns column `a` more than once; name each with `AS`"
        );
    }

    #[test]
    fn a_result_of_no_rows_is_fitted_too() {
        let empty = Table::empty(Arc::clone(query_result(&["holdr"]).schema()));
        let declared = [("holder", "Int32", true)].into_iter().collect();
        fit_query_columns(&empty, &declared).unwrap_err();
    }
}
