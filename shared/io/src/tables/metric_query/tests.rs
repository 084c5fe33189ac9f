use std::collections::BTreeSet;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::*;
use crate::tables::quote_identifier;

fn stored_columns() -> TableSchema {
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

fn query_for(metric: &Metric, key: Option<&str>) -> Option<MetricQuery> {
    let rows = PartitionRows {
        table: r#""raw"."flights""#,
        partition: Some((r#""_partition""#, key)),
        column: quote_identifier,
    };
    metric_query(metric, &stored_columns(), &rows).unwrap()
}

fn sql_for(metric: &Metric) -> String {
    let query = query_for(metric, Some("2013-01-01")).unwrap();
    assert_eq!(query.values[0], "2013-01-01");
    query.sql
}

fn null_count_of(column: &str) -> Metric {
    let column = column.to_owned();
    Metric::NullCount { column }
}

fn duplicates_of(columns: &[&str]) -> Metric {
    let columns = columns.iter().map(|&column| column.to_owned()).collect();
    Metric::DuplicateCount {
        columns,
        nulls_not_distinct: false,
    }
}

fn latest_of(column: &str) -> Metric {
    let column = column.to_owned();
    Metric::Latest { column }
}

fn unexpected_of(column: &str, accepted: impl IntoIterator<Item = String>) -> Metric {
    Metric::UnexpectedValues {
        column: column.to_owned(),
        accepted: accepted.into_iter().collect::<BTreeSet<_>>(),
        shown: 5,
    }
}

#[test]
fn each_metric_is_one_query_over_the_partition() {
    let of_partition = r#"FROM "raw"."flights" WHERE "_partition" = ?"#;
    assert_eq!(
        sql_for(&Metric::RowCount),
        format!("SELECT COUNT(*) AS counted {of_partition}")
    );
    assert_eq!(
        sql_for(&null_count_of("delay")),
        format!(r#"SELECT COUNT(*) AS counted, COUNT(*) - COUNT("delay") AS found {of_partition}"#)
    );
    let of_groups = |repeated: &str| {
        format!(
            "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) AS counted, \
             CAST(COALESCE(SUM(repeated), 0) AS BIGINT) AS found \
             FROM (SELECT COUNT(*) AS n, {repeated} AS repeated {of_partition} \
             GROUP BY \"carrier\", \"flight\") AS held"
        )
    };
    assert_eq!(
        sql_for(&duplicates_of(&["carrier", "flight"])),
        of_groups(
            "CASE WHEN \"carrier\" IS NULL OR \"flight\" IS NULL THEN 0 ELSE COUNT(*) - 1 END"
        )
    );
    let equal_nulls = Metric::DuplicateCount {
        columns: vec!["carrier".to_owned(), "flight".to_owned()],
        nulls_not_distinct: true,
    };
    assert_eq!(sql_for(&equal_nulls), of_groups("COUNT(*) - 1"));
    assert_eq!(
        sql_for(&latest_of("at")),
        format!(r#"SELECT COUNT(*) AS counted, MAX("at") AS shown {of_partition}"#)
    );
}

#[test]
fn values_are_parameters_and_never_part_of_the_query() {
    let odd = "'); DROP TABLE x; --".to_owned();
    let query = query_for(
        &unexpected_of("carrier", [odd.clone(), "UA".to_owned()]),
        Some("it's"),
    )
    .unwrap();
    assert_eq!(query.values, ["it's".to_owned(), odd, "UA".to_owned()]);
    assert_eq!(query.sql.matches('?').count(), query.values.len());
    assert!(!query.sql.contains("DROP"), "{}", query.sql);

    let all = query_for(&Metric::RowCount, None).unwrap();
    assert!(
        all.sql.ends_with(r#"WHERE "_partition" IS NULL"#),
        "{}",
        all.sql
    );
    assert!(all.values.is_empty());
}

#[test]
fn rows_that_a_database_may_compare_differently_are_loaded() {
    let many = (0..=MAX_VALUES).map(|n| n.to_string());
    for metric in [
        duplicates_of(&["carrier", "delay"]),
        duplicates_of(&[]),
        unexpected_of("delay", ["0.1".to_owned()]),
        unexpected_of("day", ["2013-01-01".to_owned()]),
        unexpected_of("flight", many),
        latest_of("carrier"),
        latest_of("exact"),
    ] {
        assert!(query_for(&metric, None).is_none(), "{metric:?}");
    }
    // Missing values are counted alike in columns of every type.
    assert!(query_for(&null_count_of("delay"), None).is_some());
}

fn result_table(columns: Vec<(&str, ArrayRef)>) -> Table {
    let columns = columns
        .into_iter()
        .map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns)
        .unwrap()
        .into()
}

#[test]
fn the_rows_of_an_answer_come_in_any_order() {
    let query = query_for(&unexpected_of("carrier", ["UA".to_owned()]), None).unwrap();
    let numbers = |index: usize, number: i64| -> ArrayRef {
        let numbers = (0..3).map(|row| (row == index).then_some(number));
        Arc::new(numbers.collect::<Int64Array>())
    };
    let shown = StringArray::from(vec![Some("DL"), None, Some("AA")]);
    let table = result_table(vec![
        ("counted", numbers(1, 9)),
        ("found", numbers(1, 4)),
        ("shown", Arc::new(shown)),
    ]);
    assert_eq!(
        query.read_answer(&table).unwrap(),
        Measurement {
            rows: 9,
            value: MetricValue::Count(4, vec!["AA".to_owned(), "DL".to_owned()]),
        }
    );
    let nothing = result_table(vec![("counted", Arc::new(Int64Array::from(vec![None])))]);
    let refused = query.read_answer(&nothing).unwrap_err().to_string();
    assert!(refused.contains("returned no `counted`"), "{refused}");
}

#[test]
fn a_missing_column_is_reported_with_the_number_of_rows() {
    let query = query_for(&null_count_of("carier"), None).unwrap();
    assert!(query.sql.starts_with("SELECT COUNT(*) AS counted FROM"));
    let table = result_table(vec![("counted", Arc::new(Int64Array::from(vec![7])))]);
    let measurement = query.read_answer(&table).unwrap();
    assert_eq!(measurement.rows, 7);
    let MetricValue::Unknown(reason) = measurement.value else {
        panic!("{measurement:?}");
    };
    assert!(
        reason.starts_with("there is no column `carier`; the columns are carrier: Utf8, flight"),
        "{reason}"
    );
}
