//! Checks that checks over stored data find the same as checks over the rows.

use std::{sync::Arc, time::Duration};

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, RecordBatch,
    StringArray, TimestampMicrosecondArray, TimestampMillisecondArray, UInt64Array,
};
use arrow_schema::{Field, Schema};
use chrono::{DateTime, Utc};
use precip_engine::io::IoManager;

use super::support::{store_value, test_address};
use crate::{
    Table,
    checks::{
        DataCheck, Measurement, accepted_values, fresh, has_columns, not_null, row_count, unique,
    },
};

/// Returns rows with missing, repeated and odd values.
fn sample_rows() -> Table {
    let carriers = [
        Some("UA"),
        None,
        Some("日本 🛫"),
        Some("O'Hare \"x\"; --"),
        Some("e\u{301}"),
        Some("é"),
        Some("UA"),
        Some("ua"),
        Some(" UA "),
    ];
    // Around the end of June 2013, and some much earlier.
    let seconds = [
        1_372_636_799,
        1_372_636_800,
        -2_208_988_800,
        1_372_550_400,
        1_372_550_401,
        1_372_550_402,
        1_372_636_799,
        1,
        0,
    ];
    let second_of = |n: usize| (n != 3).then_some(seconds[n]);
    let micros: TimestampMicrosecondArray = (0..9)
        .map(|n| second_of(n).map(|at| at * 1_000_000 + 123_456))
        .collect();
    let millis: TimestampMillisecondArray = (0..9)
        .map(|n| second_of(n).map(|at| at * 1_000 + 7))
        .collect();
    let days = [
        Some(15_887),
        None,
        Some(-25_567),
        Some(15_886),
        Some(0),
        Some(-1),
        Some(15_887),
        Some(15_885),
        Some(1),
    ];
    let prices = Decimal128Array::from(vec![150, 1_500, -1, 0, 150, 10, 20, 30, 40]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("carrier", Arc::new(StringArray::from(carriers.to_vec()))),
        (
            "flight",
            Arc::new(Int32Array::from(vec![10, 9, -1, 100, 2, 2, 10, 0, 7])),
        ),
        (
            "seats",
            Arc::new(UInt64Array::from(vec![
                Some(u64::MAX),
                None,
                Some(0),
                Some(u64::MAX),
                None,
                Some(1),
                Some(2),
                Some(3),
                Some(4),
            ])),
        ),
        (
            "late",
            Arc::new(BooleanArray::from(vec![
                Some(true),
                Some(false),
                None,
                Some(true),
                None,
                None,
                None,
                None,
                None,
            ])),
        ),
        (
            "ratio",
            Arc::new(Float64Array::from(vec![
                0.5, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0,
            ])),
        ),
        (
            "price",
            Arc::new(prices.with_precision_and_scale(9, 2).expect("they fit")),
        ),
        ("day", Arc::new(Date32Array::from(days.to_vec()))),
        ("civil", Arc::new(micros.clone())),
        ("at", Arc::new(micros.with_timezone("UTC"))),
        (
            "local \"time\"",
            Arc::new(millis.with_timezone("America/New_York")),
        ),
        ("never", Arc::new(Int32Array::from(vec![None; 9]))),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, column)| column).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays);
    batch.expect("a batch").into()
}

/// Returns some of the sample rows.
fn slice_rows(start: usize, count: usize) -> Table {
    let all = sample_rows().to_batch().expect("one batch");
    all.slice(start, count).into()
}

/// Returns checks of every kind that look at the values of columns.
fn all_checks() -> Vec<DataCheck> {
    let day = Duration::from_secs(24 * 3600);
    let mut checks = vec![
        row_count(3..9),
        unique(["carrier"]),
        unique(["carrier", "flight"]),
        unique(["late"]),
        unique(["late"]).nulls_not_distinct(),
        unique(["never"]),
        unique(["never"]).nulls_not_distinct(),
        unique(["late", "never"]),
        unique(["late", "never"]).nulls_not_distinct(),
        unique(["carrier", "late"]).nulls_not_distinct(),
        unique(["seats"]),
        unique(["seats"]).nulls_not_distinct(),
        unique(["ratio"]),
        unique(["day"]),
        unique(["day", "at"]),
        unique(["at"]),
        unique(["at", "carrier"]).nulls_not_distinct(),
        unique(["local \"time\"", "civil"]),
        accepted_values("carrier", ["UA", "é", "O'Hare \"x\"; --"]),
        accepted_values("carrier", ["日本 🛫"]),
        accepted_values::<&str>("carrier", []),
        accepted_values("flight", ["10", "2", "-1", "+7", "09"]),
        accepted_values("seats", ["18446744073709551615"]),
        accepted_values("late", ["false"]),
        accepted_values("day", ["2013-07-01"]),
        accepted_values("never", ["0"]),
        fresh("day", day),
        fresh("civil", day * 2),
        fresh("at", day),
        fresh("at", Duration::ZERO),
        fresh("local \"time\"", day * 2),
        fresh("late", day),
    ];
    checks.extend(
        sample_rows()
            .schema()
            .fields()
            .iter()
            .map(|f| not_null(f.name())),
    );
    checks
}

/// Compares the results of checks over stored partitions with those over their rows.
async fn compare_with_rows(
    manager: &dyn IoManager,
    stored: &[(Option<&str>, Table)],
    columns_are_known: bool,
    checks: &[DataCheck],
) {
    let now: DateTime<Utc> = "2013-07-02T01:00:00Z".parse().expect("a moment");
    let mut pointers = Vec::new();
    for (partition, table) in stored {
        let address = test_address(*partition, 1);
        pointers.push(store_value(manager, &address, table.clone()).await.pointer);
    }
    // All partitions are stored first, so that a metric over the wrong rows is found.
    for ((partition, table), pointer) in stored.iter().zip(&pointers) {
        for check in checks {
            let request = check.load_request(columns_are_known.then(|| table.table_schema()));
            let answer = manager
                .load(&test_address(*partition, 1), pointer, &request)
                .await;
            let answer = answer.expect("the manager answers");
            let measurement =
                Measurement::from_answer(&check.metric(), answer).expect("a measurement");
            assert_eq!(
                check.evaluate(&measurement, None, now),
                check.check_table(table, now),
                "{} of partition {partition:?}",
                check.name(),
            );
        }
    }
}

pub(super) async fn row_metrics(manager: &dyn IoManager) {
    let partitioned = [
        (Some("1"), slice_rows(0, 9)),
        (Some("2"), slice_rows(1, 4)),
        (Some("it's"), slice_rows(6, 2)),
    ];
    compare_with_rows(manager, &partitioned, true, &all_checks()).await;
    // Unpartitioned rows, next to the partitions that were stored before.
    compare_with_rows(manager, &[(None, slice_rows(0, 7))], true, &all_checks()).await;
}

pub(super) async fn column_metrics(manager: &dyn IoManager) {
    let columns = sample_rows().table_schema().columns;
    let mut checks = all_checks();
    // Types that databases may format differently, missing columns, and names in another case.
    checks.extend([
        unique(["price", "day"]),
        accepted_values("price", ["1.50"]),
        not_null("carier"),
        not_null("CARRIER"),
        unique(["flight", "gate"]),
        accepted_values("gate", ["B7"]),
        fresh("arrived", Duration::from_secs(1)),
        has_columns([("carrier", "Utf8"), ("flight", "Int64")]),
        has_columns(columns.into_iter().map(|c| (c.name, c.data_type))),
    ]);
    let stored = [
        (Some("1"), slice_rows(0, 9)),
        (Some("none"), slice_rows(0, 0)),
    ];
    compare_with_rows(manager, &stored, false, &checks).await;
}
