use std::collections::BTreeSet;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::*;
use crate::tables::quoted;

fn columns() -> TableSchema {
    let types = [
        ("carrier", "Utf8"),
        ("flight", "Int32"),
        ("delay", "Float64"),
        ("at", "Timestamp(\u{b5}s, \"UTC\")"),
        ("exact", "Timestamp(ns)"),
        ("day", "Date32"),
    ];
    let columns = types.map(|(name, data_type)| (name, data_type, true));
    columns.into_iter().collect()
}

fn ask(measure: &Measure, key: Option<&str>) -> Option<Question> {
    let rows = RowsOf {
        table: r#""raw"."flights""#,
        partition: Some((r#""_partition""#, key)),
        column: quoted,
    };
    question(measure, &columns(), &rows).unwrap()
}

fn sql(measure: &Measure) -> String {
    let question = ask(measure, Some("2013-01-01")).unwrap();
    assert_eq!(question.values[0], "2013-01-01");
    question.sql
}

fn missing_of(column: &str) -> Measure {
    let column = column.to_owned();
    Measure::Missing { column }
}

fn repeated_of(columns: &[&str]) -> Measure {
    let columns = columns.iter().map(|&column| column.to_owned()).collect();
    Measure::Repeated { columns }
}

fn latest_of(column: &str) -> Measure {
    let column = column.to_owned();
    Measure::Latest { column }
}

fn others_of(column: &str, accepted: impl IntoIterator<Item = String>) -> Measure {
    Measure::Others {
        column: column.to_owned(),
        accepted: accepted.into_iter().collect::<BTreeSet<_>>(),
        shown: 5,
    }
}

#[test]
fn each_measure_is_one_query_over_the_partition() {
    let of_partition = r#"FROM "raw"."flights" WHERE "_partition" = ?"#;
    assert_eq!(
        sql(&Measure::Rows),
        format!("SELECT COUNT(*) AS counted {of_partition}")
    );
    assert_eq!(
        sql(&missing_of("delay")),
        format!(r#"SELECT COUNT(*) AS counted, COUNT(*) - COUNT("delay") AS found {of_partition}"#)
    );
    assert_eq!(
        sql(&repeated_of(&["carrier", "flight"])),
        format!(
            "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) AS counted, \
             CAST(COALESCE(SUM(n - 1), 0) AS BIGINT) AS found \
             FROM (SELECT COUNT(*) AS n {of_partition} GROUP BY \"carrier\", \"flight\") AS held"
        )
    );
    assert_eq!(
        sql(&latest_of("at")),
        format!(r#"SELECT COUNT(*) AS counted, MAX("at") AS shown {of_partition}"#)
    );
}

#[test]
fn values_are_given_and_never_written_into_the_query() {
    let odd = "'); DROP TABLE x; --".to_owned();
    let question = ask(
        &others_of("carrier", [odd.clone(), "UA".to_owned()]),
        Some("it's"),
    );
    let question = question.unwrap();
    assert_eq!(question.values, ["it's".to_owned(), odd, "UA".to_owned()]);
    assert_eq!(question.sql.matches('?').count(), question.values.len());
    assert!(!question.sql.contains("DROP"), "{}", question.sql);

    let all = ask(&Measure::Rows, None).unwrap();
    assert!(
        all.sql.ends_with(r#"WHERE "_partition" IS NULL"#),
        "{}",
        all.sql
    );
    assert!(all.values.is_empty());
}

#[test]
fn what_a_database_may_see_otherwise_is_loaded() {
    let many = (0..=MOST_VALUES).map(|n| n.to_string());
    for measure in [
        repeated_of(&["carrier", "delay"]),
        repeated_of(&[]),
        others_of("delay", ["0.1".to_owned()]),
        others_of("day", ["2013-01-01".to_owned()]),
        others_of("flight", many),
        latest_of("carrier"),
        latest_of("exact"),
    ] {
        assert!(ask(&measure, None).is_none(), "{measure:?}");
    }
    // That a value is there is seen alike of every type.
    assert!(ask(&missing_of("delay"), None).is_some());
}

fn told(columns: Vec<(&str, ArrayRef)>) -> Table {
    let columns = columns
        .into_iter()
        .map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns)
        .unwrap()
        .into()
}

#[test]
fn an_answer_is_read_in_any_order() {
    let question = ask(&others_of("carrier", ["UA".to_owned()]), None).unwrap();
    let numbers = |at: usize, number: i64| -> ArrayRef {
        let numbers = (0..3).map(|row| (row == at).then_some(number));
        Arc::new(numbers.collect::<Int64Array>())
    };
    let shown = StringArray::from(vec![Some("DL"), None, Some("AA")]);
    let table = told(vec![
        ("counted", numbers(1, 9)),
        ("found", numbers(1, 4)),
        ("shown", Arc::new(shown)),
    ]);
    assert_eq!(
        question.answer(&table).unwrap(),
        Measured {
            rows: 9,
            found: Found::Rows(4, vec!["AA".to_owned(), "DL".to_owned()]),
        }
    );
    let nothing = told(vec![("counted", Arc::new(Int64Array::from(vec![None])))]);
    let refused = question.answer(&nothing).unwrap_err().to_string();
    assert!(refused.contains("answered no `counted`"), "{refused}");
}

#[test]
fn a_column_that_is_not_there_is_said_with_the_rows_counted() {
    let question = ask(&missing_of("carier"), None).unwrap();
    assert!(question.sql.starts_with("SELECT COUNT(*) AS counted FROM"));
    let table = told(vec![("counted", Arc::new(Int64Array::from(vec![7])))]);
    let measured = question.answer(&table).unwrap();
    assert_eq!(measured.rows, 7);
    let Found::Unknown(reason) = measured.found else {
        panic!("{measured:?}");
    };
    assert!(
        reason.starts_with("there is no column `carier`; the columns are carrier: Utf8, flight"),
        "{reason}"
    );
}
