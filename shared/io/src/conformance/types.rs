//! Checks that columns of every type come back unchanged. They are requested with their types, as a function
//! that takes rows requests them.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{
    ArrayRef, Decimal128Array, RecordBatch, TimestampMicrosecondArray, TimestampMillisecondArray,
    new_null_array,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use chrono::{DateTime, Utc};
use precip_engine::io::{IoManager, LoadRequest};
use serde::{Deserialize, Serialize};

use super::support::{store_and_load, store_value, test_address};
use crate::{Table, Value};

/// Stores columns, loads them and compares them one by one.
async fn check_columns_come_back(manager: &dyn IoManager, columns: Vec<(&str, ArrayRef)>) {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
        .collect();
    let arrays = columns.iter().map(|(_, column)| Arc::clone(column));
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays.collect());
    let table = Table::from(batch.expect("a batch"));
    let request = LoadRequest {
        columns: Some(table.table_schema()),
        ..LoadRequest::default()
    };
    let address = test_address(Some("2013-01-01"), 1);
    let stored = store_value(manager, &address, table).await;
    let loaded = manager.load(&address, &stored.pointer, &request).await;
    let Ok(Value::Table(back)) = loaded.expect("the manager loads it").downcast() else {
        panic!("a table comes back as something else");
    };
    for (name, column) in &columns {
        let back = back.column(name).expect("the column is there");
        assert_eq!(back.data_type(), column.data_type(), "column `{name}`");
        assert_eq!(&back, column, "column `{name}`");
    }
}

pub(super) async fn null_values(manager: &dyn IoManager) {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Row {
        id: u8,
        flag: Option<bool>,
        small: Option<i8>,
        large: Option<u64>,
        ratio: Option<f32>,
        text: Option<String>,
        day: Option<chrono::NaiveDate>,
        civil: Option<chrono::NaiveDateTime>,
        time: Option<chrono::NaiveTime>,
        at: Option<DateTime<Utc>>,
        never: Option<i32>,
    }
    let empty = |id| Row {
        id,
        flag: None,
        small: None,
        large: None,
        ratio: None,
        text: None,
        day: None,
        civil: None,
        time: None,
        at: None,
        never: None,
    };
    let epoch = DateTime::UNIX_EPOCH;
    let full = Row {
        flag: Some(false),
        small: Some(0),
        large: Some(u64::MAX),
        ratio: Some(0.0),
        text: Some("null".to_owned()),
        day: Some(epoch.date_naive()),
        civil: Some(epoch.naive_utc()),
        time: Some(epoch.time()),
        at: Some(epoch),
        ..empty(2)
    };
    let rows = vec![empty(1), full, empty(3)];
    let back: Vec<Row> = store_and_load(manager, rows.clone()).await;
    assert_eq!(back, rows);
    // Columns without any value keep their types.
    let none = vec![empty(1), empty(2)];
    let back: Vec<Row> = store_and_load(manager, none.clone()).await;
    assert_eq!(back, none);
}

pub(super) async fn unicode_texts(manager: &dyn IoManager) {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Row {
        text: String,
        #[serde(rename = "zgłoś; \"się\" 列")]
        odd: i32,
    }
    let texts = [
        "naïve – 日本語 🛫👩‍✈️",
        "e\u{301} is not é",
        "\u{202e}right to left\u{202c} עברית",
        "tab\tnew\nline\r\nreturn\r",
        "a,b;\"c\" ''quoted'' \\N \\",
        " around ",
        "NULL",
        "null",
        "NaN",
        "true",
        "0012",
        "\u{feff}bom",
        "control \u{1} \u{7f}",
    ];
    let rows: Vec<Row> = (0..)
        .zip(texts)
        .map(|(odd, text)| Row {
            text: text.to_owned(),
            odd,
        })
        .collect();
    let back: Vec<Row> = store_and_load(manager, rows.clone()).await;
    assert_eq!(back, rows);
}

pub(super) async fn decimal_digits(manager: &dyn IoManager) {
    let decimals = |values: Vec<Option<i128>>, precision, scale| -> ArrayRef {
        let array = Decimal128Array::from(values).with_precision_and_scale(precision, scale);
        Arc::new(array.expect("the values fit"))
    };
    // The largest number of 38 digits.
    let longest = 10_i128.pow(38) - 1;
    let price = vec![Some(1), None, Some(-123_456_789), Some(0), Some(10)];
    let exact = vec![Some(longest), Some(-longest), None, Some(0), Some(1)];
    let columns = vec![
        ("price", decimals(price.clone(), 20, 4)),
        ("cents", decimals(price, 9, 2)),
        ("whole", decimals(exact.clone(), 38, 0)),
        ("exact", decimals(exact, 38, 10)),
    ];
    check_columns_come_back(manager, columns).await;
}

pub(super) async fn time_zones(manager: &dyn IoManager) {
    // 2013-03-10 and 2013-11-03: the hour that New York's clocks skip, and the one they repeat.
    let seconds = [
        Some(0),
        None,
        Some(-1),
        Some(1_362_898_799),
        Some(1_362_898_800),
        Some(1_383_454_799),
        Some(1_383_458_400),
        Some(-2_208_988_800),
    ];
    let micros = || -> TimestampMicrosecondArray {
        let micros = seconds.map(|at: Option<i64>| at.map(|at| at * 1_000_000 + 123_456));
        micros.into_iter().collect()
    };
    let millis: TimestampMillisecondArray = seconds
        .map(|at| at.map(|at| at * 1_000 + 5))
        .into_iter()
        .collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("civil", Arc::new(micros())),
        ("utc", Arc::new(micros().with_timezone("UTC"))),
        (
            "new_york",
            Arc::new(micros().with_timezone("America/New_York")),
        ),
        ("offset", Arc::new(micros().with_timezone("+05:30"))),
        ("millis", Arc::new(millis.with_timezone("Asia/Kolkata"))),
        (
            "never",
            new_null_array(
                &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                seconds.len(),
            ),
        ),
    ];
    check_columns_come_back(manager, columns).await;
}

pub(super) async fn nested_nulls(manager: &dyn IoManager) {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Inner {
        code: Option<String>,
        delays: Vec<Option<i32>>,
    }
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Row {
        id: i32,
        inner: Option<Inner>,
        list: Option<Vec<Option<Inner>>>,
        map: Option<BTreeMap<String, Option<f64>>>,
    }
    let inner = |code: Option<&str>| Inner {
        code: code.map(str::to_owned),
        delays: vec![None, Some(-1)],
    };
    let rows = vec![
        Row {
            id: 1,
            inner: None,
            list: None,
            map: None,
        },
        Row {
            id: 2,
            inner: Some(inner(None)),
            list: Some(Vec::new()),
            map: Some(BTreeMap::new()),
        },
        Row {
            id: 3,
            inner: Some(inner(Some("UA"))),
            list: Some(vec![None, Some(inner(Some("")))]),
            map: Some(BTreeMap::from([
                ("a".to_owned(), None),
                ("b".to_owned(), Some(0.5)),
            ])),
        },
    ];
    let back: Vec<Row> = store_and_load(manager, rows.clone()).await;
    assert_eq!(back, rows);
}
