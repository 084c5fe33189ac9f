//! Fitting the result of a query to declared rows.

use std::{collections::BTreeSet, sync::Arc};

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use precip_core::{metadata::TableSchema, prose::and_list};

use super::arrow_schema;
use crate::{
    Table,
    cast::{Unmatched, cast_column},
};

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

/// Fits the result of a query to declared rows: each column to the field of its name, cast by the table of casts.
///
/// A column in another case than its field is accepted, as databases do, if no other column or field differs from it
/// in case only.
///
/// # Errors
/// A message with the columns that only the query or only the rows have, or with a column whose values the field
/// cannot hold.
pub fn fit_query_rows(rows: &Table, declared: &TableSchema) -> Result<Table, String> {
    let found = rows.schema();
    check_query_columns(found)?;
    let indices = match_columns(found, declared)?;
    let schema = arrow_schema(declared).map_err(|error| error.to_string())?;
    let fit_batch = |batch: &RecordBatch| {
        let columns = indices.iter().zip(schema.fields());
        let columns = columns.map(|(&index, field)| {
            cast_column(batch.column(index), field, Unmatched::Refuse)
                .map_err(|error| error.to_string())
        });
        RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_, _>>()?)
            .map_err(|error| error.to_string())
    };
    // The types are checked even if there are no rows, so that a query is refused before its data comes.
    fit_batch(&RecordBatch::new_empty(Arc::clone(found)))?;
    let batches: Result<Vec<RecordBatch>, String> = rows.batches().iter().map(fit_batch).collect();
    Table::new(Arc::clone(&schema), batches?).map_err(|error| error.to_string())
}

/// Returns the index of each declared column in the result of a query.
fn match_columns(found: &Schema, declared: &TableSchema) -> Result<Vec<usize>, String> {
    let columns: Vec<&str> = found
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let fields: Vec<&str> = declared
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
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
    use arrow_array::{Int32Array, cast::AsArray, types::Int64Type};
    use arrow_schema::{DataType, Field};

    use super::*;

    fn query_result(names: &[&str]) -> Table {
        let fields = names
            .iter()
            .map(|name| Field::new(*name, DataType::Int32, true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let columns = (0_i32..).take(names.len());
        let columns = columns.map(|number| Arc::new(Int32Array::from(vec![number])) as _);
        RecordBatch::try_new(schema, columns.collect())
            .unwrap()
            .into()
    }

    /// Returns the index of the query's column for each field.
    fn fit(columns: &[&str], fields: &[&str]) -> Result<Vec<i64>, String> {
        let declared = fields.iter().map(|field| (*field, "Int64", true)).collect();
        let fitted = fit_query_rows(&query_result(columns), &declared)?;
        let names: Vec<&String> = fitted.schema().fields().iter().map(|f| f.name()).collect();
        assert_eq!(names, fields);
        let batch = fitted.to_batch().unwrap();
        Ok(batch
            .columns()
            .iter()
            .map(|column| column.as_primitive::<Int64Type>().value(0))
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
        assert!(
            missing.contains("it has no column for the fields `b`;"),
            "{missing}"
        );
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
    fn values_that_a_field_cannot_hold_are_refused() {
        let large = Int32Array::from(vec![1, 300]);
        let batch = RecordBatch::try_from_iter([("a", Arc::new(large) as _)]).unwrap();
        let declared = |data_type| [("a", data_type, true)].into_iter().collect();
        fit_query_rows(&batch.clone().into(), &declared("Int16")).unwrap();
        let refused = fit_query_rows(&batch.into(), &declared("Int8")).unwrap_err();
        assert!(refused.contains("column `a` holds Int32"), "{refused}");
    }

    #[test]
    fn a_result_of_no_rows_is_fitted_too() {
        let empty = Table::empty(Arc::clone(query_result(&["holdr"]).schema()));
        let fit = |name, data_type| {
            fit_query_rows(&empty, &[(name, data_type, true)].into_iter().collect())
        };
        fit("holder", "Int32").unwrap_err();
        fit("holdr", "Utf8").unwrap_err();
        assert_eq!(fit("holdr", "Int64").unwrap().num_rows(), 0);
    }
}
