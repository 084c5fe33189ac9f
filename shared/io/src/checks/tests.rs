use serde::{Deserialize, Serialize};

use super::*;

#[derive(Serialize, Deserialize)]
struct Row {
    carrier: Option<String>,
    flight: i32,
    at: DateTime<Utc>,
}

fn at_hour(hour: u32) -> DateTime<Utc> {
    format!("2013-01-01T{hour:02}:00:00Z").parse().unwrap()
}

fn flights_table() -> Table {
    let row = |carrier: Option<&str>, flight, hour| Row {
        carrier: carrier.map(str::to_owned),
        flight,
        at: at_hour(hour),
    };
    Table::from_rows(&[
        row(Some("UA"), 1, 5),
        row(Some("DL"), 1, 6),
        row(None, 2, 7),
        row(Some("UA"), 1, 8),
    ])
    .unwrap()
}

fn run_check(check: DataCheck) -> (String, bool, String) {
    let result = check.check_table(&flights_table(), at_hour(10));
    let name = result.name.unwrap();
    (name, result.passed, result.description.unwrap())
}

fn expected_result(name: &str, passed: bool, text: &str) -> (String, bool, String) {
    (name.to_owned(), passed, text.to_owned())
}

#[test]
fn rows_are_counted() {
    let five = run_check(row_count(5..));
    assert_eq!(
        five,
        expected_result("row_count", false, "4 rows, expected at least 5")
    );
    assert!(run_check(row_count(1..=4)).1);
    let few = run_check(row_count(1..4)).2;
    assert_eq!(few, "4 rows, expected at least 1 and fewer than 4");
}

#[test]
fn missing_and_repeated_values_are_counted() {
    assert_eq!(
        run_check(not_null("carrier")),
        expected_result("not_null_carrier", false, "1 rows have no `carrier`")
    );
    assert!(run_check(not_null("flight")).1);
    assert_eq!(
        run_check(unique(["carrier", "flight"])),
        expected_result(
            "unique_carrier_flight",
            false,
            "1 rows repeat the `carrier`, `flight` of another"
        )
    );
    assert!(run_check(unique(["at"])).1);
}

#[test]
fn missing_values_are_equal_only_on_request() {
    let row = |carrier: Option<&str>, flight| Row {
        carrier: carrier.map(str::to_owned),
        flight,
        at: at_hour(1),
    };
    let repeated = |check: DataCheck, rows: &[Row]| {
        let table = Table::from_rows(rows).unwrap();
        let value = Measurement::of_table(&check.metric(), &table).value;
        let MetricValue::Count(count, _) = value else {
            panic!("{value:?}");
        };
        count
    };
    let rows = [
        row(None, 1),
        row(None, 1),
        row(Some("UA"), 1),
        row(None, 2),
        row(Some("UA"), 1),
    ];
    assert_eq!(repeated(unique(["carrier"]), &rows), 1);
    assert_eq!(repeated(unique(["carrier", "flight"]), &rows), 1);
    assert_eq!(repeated(unique(["flight", "carrier"]), &rows[..4]), 0);
    let equal = |columns: &[&str]| unique(columns.iter().copied()).nulls_not_distinct();
    assert_eq!(repeated(equal(&["carrier"]), &rows), 3);
    assert_eq!(repeated(equal(&["carrier", "flight"]), &rows), 2);
    assert_eq!(repeated(equal(&["carrier", "at"]), &rows[..2]), 1);
    assert_eq!(repeated(unique(["carrier"]), &[]), 0);
    // Zeros of a column without missing values are values.
    assert_eq!(repeated(unique(["flight"]), &rows), 3);

    assert_eq!(
        equal(&["carrier"]).description(),
        "No two rows have the same `carrier`. Missing values are equal."
    );
    assert_eq!(equal(&["carrier"]).name(), "unique_carrier");
    assert_eq!(
        row_count(1..).nulls_not_distinct().metric(),
        row_count(1..).metric()
    );
}

#[test]
fn other_values_are_shown() {
    assert_eq!(
        run_check(accepted_values("carrier", ["UA"])),
        expected_result(
            "accepted_values_carrier",
            false,
            "1 rows have another `carrier`, such as `DL`"
        )
    );
    assert!(run_check(accepted_values("carrier", ["UA", "DL"])).1);
    assert!(run_check(accepted_values("flight", ["1", "2"])).1);
}

#[test]
fn freshness_depends_on_the_latest_time() {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    assert!(run_check(fresh("at", hours(2))).1);
    let old = run_check(fresh("at", hours(1)));
    assert_eq!(
        old.2,
        "the latest `at` is 2013-01-01T08:00:00+00:00, expected within 3600s of 2013-01-01T10:00:00+00:00"
    );
    assert!(!old.1);
}

#[test]
fn unexpected_and_missing_columns_are_shown() {
    let all = [
        ("carrier", "Utf8"),
        ("flight", "Int32"),
        ("at", "Timestamp(µs, \"UTC\")"),
    ];
    assert!(run_check(has_columns(all)).1);
    let changed = run_check(has_columns([("carrier", "Utf8"), ("flight", "Int64")]));
    assert_eq!(
        changed.2,
        "not expected: `at` Timestamp(µs, \"UTC\"), `flight` Int32; missing: `flight` Int64"
    );
}

#[test]
fn a_missing_column_fails_and_the_existing_ones_are_listed() {
    let result = run_check(not_null("carier").warn().named("spelled"));
    assert_eq!((result.0.as_str(), result.1), ("spelled", false));
    assert!(result.2.contains("carrier: Utf8"), "{}", result.2);
}

#[test]
fn only_the_columns_of_a_check_are_requested() {
    let requested = |check: DataCheck| {
        let request = check.load_request(Some(flights_table().table_schema()));
        let columns = request.columns.map(|known| known.columns);
        columns.map(|columns| columns.into_iter().map(|column| column.name).collect())
    };
    let names = |names: &[&str]| {
        Some(
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        requested(unique(["at", "flight"])),
        names(&["flight", "at"])
    );
    assert_eq!(requested(row_count(1..)), names(&["carrier"]));
    assert_eq!(requested(not_null("carier")), None);
    assert_eq!(requested(has_columns([("carrier", "Utf8")])), None);
    assert_eq!(row_count(1..).load_request(None).columns, None);
}

#[test]
fn columns_are_compared_with_those_of_the_previous_check() {
    let now = DateTime::UNIX_EPOCH;
    let measure = |table: &Table| Measurement::of_table(&columns_unchanged().metric(), table);
    let table = flights_table();
    // The first check passes, and records the columns.
    let first = columns_unchanged().evaluate(&measure(&table), None, now);
    assert!(first.passed);
    assert_eq!(columns_compared_with(&first.metadata), None);
    let before = columns_found(&first.metadata).unwrap();
    assert_eq!(before, &table.table_schema());

    // The same columns pass.
    let same = columns_unchanged().evaluate(&measure(&table), Some(before), now);
    assert_eq!(same.description.as_deref(), Some("no column has changed"));
    let other = Table::from_rows(&[Other {
        carrier: 1,
        gate: 2,
    }])
    .unwrap();
    // Other types, new and missing columns fail, and the result records both schemas.
    let changed = columns_unchanged().evaluate(&measure(&other), Some(before), now);
    assert!(!changed.passed);
    assert_eq!(
        changed.description.as_deref(),
        Some(
            "`carrier` was Utf8 and is Int64; `gate` Int32 is new; `at` Timestamp(µs, \"UTC\") is gone; \
             `flight` Int32 is gone"
        )
    );
    assert_eq!(columns_compared_with(&changed.metadata), Some(before));
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Other {
    carrier: i64,
    gate: i32,
}
