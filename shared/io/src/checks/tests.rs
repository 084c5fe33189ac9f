use serde::{Deserialize, Serialize};

use super::*;

#[derive(Serialize, Deserialize)]
struct Row {
    carrier: Option<String>,
    flight: i32,
    at: DateTime<Utc>,
}

fn at(hour: u32) -> DateTime<Utc> {
    format!("2013-01-01T{hour:02}:00:00Z").parse().unwrap()
}

fn table() -> Table {
    let row = |carrier: Option<&str>, flight, hour| Row {
        carrier: carrier.map(str::to_owned),
        flight,
        at: at(hour),
    };
    Table::from_rows(&[
        row(Some("UA"), 1, 5),
        row(Some("DL"), 1, 6),
        row(None, 2, 7),
        row(Some("UA"), 1, 8),
    ])
    .unwrap()
}

fn told(check: DataCheck) -> (String, bool, String) {
    let result = check.check(&table(), at(10));
    let name = result.name.unwrap();
    (name, result.passed, result.description.unwrap())
}

fn expected(name: &str, passed: bool, text: &str) -> (String, bool, String) {
    (name.to_owned(), passed, text.to_owned())
}

#[test]
fn rows_are_counted() {
    let five = told(row_count(5..));
    assert_eq!(
        five,
        expected("row_count", false, "4 rows, expected at least 5")
    );
    assert!(told(row_count(1..=4)).1);
    let few = told(row_count(1..4)).2;
    assert_eq!(few, "4 rows, expected at least 1 and fewer than 4");
}

#[test]
fn what_is_missing_or_repeated_is_counted() {
    assert_eq!(
        told(not_null("carrier")),
        expected("not_null_carrier", false, "1 rows have no `carrier`")
    );
    assert!(told(not_null("flight")).1);
    assert_eq!(
        told(unique(["carrier", "flight"])),
        expected(
            "unique_carrier_flight",
            false,
            "1 rows repeat the `carrier`, `flight` of another"
        )
    );
    assert!(told(unique(["at"])).1);
}

#[test]
fn other_values_are_shown() {
    assert_eq!(
        told(accepted_values("carrier", ["UA"])),
        expected(
            "accepted_values_carrier",
            false,
            "1 rows have another `carrier`, such as `DL`"
        )
    );
    assert!(told(accepted_values("carrier", ["UA", "DL"])).1);
    assert!(told(accepted_values("flight", ["1", "2"])).1);
}

#[test]
fn the_latest_moment_counts() {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    assert!(told(fresh("at", hours(2))).1);
    let old = told(fresh("at", hours(1)));
    assert_eq!(
        old.2,
        "the latest `at` is 2013-01-01T08:00:00+00:00, expected within 3600s of 2013-01-01T10:00:00+00:00"
    );
    assert!(!old.1);
}

#[test]
fn columns_that_came_or_went_are_shown() {
    let all = [
        ("carrier", "Utf8"),
        ("flight", "Int32"),
        ("at", "Timestamp(µs, \"UTC\")"),
    ];
    assert!(told(has_columns(all)).1);
    let changed = told(has_columns([("carrier", "Utf8"), ("flight", "Int64")]));
    assert_eq!(
        changed.2,
        "not expected: `at` Timestamp(µs, \"UTC\"), `flight` Int32; missing: `flight` Int64"
    );
}

#[test]
fn a_column_that_is_not_there_fails_and_says_which_are() {
    let told = told(not_null("carier").warn().named("spelled"));
    assert_eq!((told.0.as_str(), told.1), ("spelled", false));
    assert!(told.2.contains("carrier: Utf8"), "{}", told.2);
}

#[test]
fn no_more_is_asked_for_than_a_check_is_about() {
    let asked = |check: DataCheck| {
        let request = check.request(Some(table().table_schema()));
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
    assert_eq!(asked(unique(["at", "flight"])), names(&["flight", "at"]));
    assert_eq!(asked(row_count(1..)), names(&["carrier"]));
    assert_eq!(asked(not_null("carier")), None);
    assert_eq!(asked(has_columns([("carrier", "Utf8")])), None);
    assert_eq!(row_count(1..).request(None).columns, None);
}

#[test]
fn columns_are_compared_with_those_of_the_time_before() {
    let now = DateTime::UNIX_EPOCH;
    let measured = |table: &Table| Measured::of(&columns_unchanged().measure(), table);
    let table = table();
    let first = columns_unchanged().judge(&measured(&table), None, now);
    assert!(first.passed);
    assert_eq!(columns_compared_with(&first.metadata), None);
    let before = columns_found(&first.metadata).unwrap();
    assert_eq!(before, &table.table_schema());

    let same = columns_unchanged().judge(&measured(&table), Some(before), now);
    assert_eq!(same.description.as_deref(), Some("no column has changed"));
    let other = Table::from_rows(&[Other {
        carrier: 1,
        gate: 2,
    }])
    .unwrap();
    let changed = columns_unchanged().judge(&measured(&other), Some(before), now);
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
