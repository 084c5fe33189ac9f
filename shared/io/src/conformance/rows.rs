//! Checks that values come back unchanged.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use precip_core::metadata::MetadataValue;
use precip_engine::io::{IoError, IoManager, LoadRequest};
use serde::{Deserialize, Serialize};

use super::support::{load_value, store_and_load, store_value, test_address};
use crate::{FromAsset, Json, Table};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    id: i64,
    small: i8,
    large: u64,
    name: String,
    note: Option<String>,
    delay: Option<f64>,
    ratio: f32,
    cancelled: bool,
    day: NaiveDate,
    maybe_day: Option<NaiveDate>,
    civil: NaiveDateTime,
    time: NaiveTime,
    at: DateTime<Utc>,
    class: Class,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Class {
    Economy,
    First,
}

fn sample_rows() -> Vec<Row> {
    // Values at the limits of their types, and texts that formats may confuse.
    let texts = [
        "plain",
        "naïve – 日本語 🛫",
        "a,b;\"c\"\n\r\n\td",
        " around ",
        "NULL",
        "0012",
        "'\\",
    ];
    (0i64..)
        .zip(texts)
        .map(|(n, text)| {
            let at = DateTime::UNIX_EPOCH + TimeDelta::microseconds(n * 987_654_321_234_567 - 1);
            Row {
                id: if n == 0 { i64::MIN } else { i64::MAX - n },
                small: i8::MIN,
                large: u64::MAX,
                name: text.to_owned(),
                note: (n % 2 == 0).then(|| text.to_owned()),
                delay: (n % 3 != 0).then_some(0.1 + 0.2 * n as f64),
                ratio: 1.0 / 3.0,
                cancelled: n % 2 == 1,
                day: at.date_naive(),
                maybe_day: (n % 2 == 1).then(|| at.date_naive()),
                civil: at.naive_utc(),
                time: at.time(),
                at,
                class: if n % 2 == 0 {
                    Class::Economy
                } else {
                    Class::First
                },
            }
        })
        .collect()
}

pub(super) async fn round_trip(manager: &dyn IoManager) {
    let back: Vec<Row> = store_and_load(manager, sample_rows()).await;
    assert_eq!(back, sample_rows());
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Texts {
    id: i32,
    text: Option<String>,
}

pub(super) async fn empty_texts(manager: &dyn IoManager) {
    let rows = || {
        [Some(String::new()), None, Some("x".to_owned())]
            .map(|text| Texts { id: 1, text })
            .into_iter()
            .collect::<Vec<_>>()
    };
    let back: Vec<Texts> = store_and_load(manager, rows()).await;
    assert_eq!(back, rows());
}

#[derive(Serialize, Deserialize)]
struct Float {
    value: f64,
}

pub(super) async fn not_finite(manager: &dyn IoManager) {
    let values = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MIN_POSITIVE,
    ];
    let rows: Vec<Float> = values.map(|value| Float { value }).into();
    let back: Vec<Float> = store_and_load(manager, rows).await;
    // Compared bit by bit, since NaN does not equal itself.
    let bits: Vec<u64> = back.iter().map(|row| row.value.to_bits()).collect();
    assert_eq!(bits, values.map(f64::to_bits));
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Nested {
    legs: Vec<Leg>,
    codes: Option<Vec<Option<String>>>,
    location: (f64, f64),
    counts: BTreeMap<String, i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Leg {
    from: String,
    departed: Option<DateTime<Utc>>,
}

pub(super) async fn nested_values(manager: &dyn IoManager) {
    let leg = |from: &str, departed| Leg {
        from: from.to_owned(),
        departed,
    };
    let rows = vec![
        Nested {
            legs: vec![leg("EWR", Some(DateTime::UNIX_EPOCH)), leg("ÅÄÖ", None)],
            codes: Some(vec![None, Some("UA".to_owned())]),
            location: (40.69, -74.17),
            counts: BTreeMap::from([("a".to_owned(), 1), ("b/c".to_owned(), -2)]),
        },
        Nested {
            legs: Vec::new(),
            codes: None,
            location: (0.0, 0.0),
            counts: BTreeMap::new(),
        },
    ];
    let back: Vec<Nested> = store_and_load(manager, rows.clone()).await;
    assert_eq!(back, rows);
}

pub(super) async fn exact_types(manager: &dyn IoManager) {
    let table = Table::from_rows(&sample_rows()).expect("a table");
    let back: Table = store_and_load(manager, table.clone()).await;
    assert_eq!(back, table);

    let zoned = DataType::Timestamp(TimeUnit::Nanosecond, Some("America/New_York".into()));
    let schema = Schema::new(vec![
        Field::new("zoned", zoned, true),
        Field::new("price", DataType::Decimal128(20, 4), false),
        Field::new("raw", DataType::Binary, true),
    ]);
    let table: Table = RecordBatch::new_empty(Arc::new(schema)).into();
    let back: Table = store_and_load(manager, table.clone()).await;
    assert_eq!(back.schema().fields(), table.schema().fields());
}

pub(super) async fn columns_of_no_rows(manager: &dyn IoManager) {
    let back: Table = store_and_load(manager, Vec::<Row>::new()).await;
    let names = |table: &Table| -> Vec<String> {
        let fields = table.schema().fields();
        fields.iter().map(|field| field.name().clone()).collect()
    };
    let all = Table::from_rows(&sample_rows()).expect("a table");
    assert_eq!(names(&back), names(&all));
    assert_eq!(back.num_rows(), 0);
}

pub(super) async fn no_rows(manager: &dyn IoManager) {
    let back: Vec<Row> = store_and_load(manager, Vec::<Row>::new()).await;
    assert_eq!(back, []);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Narrow {
    day: NaiveDate,
    name: String,
    /// A column that is not stored.
    later: Option<i32>,
}

pub(super) async fn fewer_columns(manager: &dyn IoManager) {
    let back: Vec<Narrow> = store_and_load(manager, sample_rows()).await;
    let narrow: Vec<Narrow> = sample_rows()
        .into_iter()
        .map(|row| Narrow {
            day: row.day,
            name: row.name,
            later: None,
        })
        .collect();
    assert_eq!(back, narrow);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Account {
    number: i64,
    holder: Option<String>,
}

pub(super) async fn renamed_columns(manager: &dyn IoManager) {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "never read")]
    struct InAnotherCase {
        number: i64,
        #[serde(rename = "Holder")]
        holder: Option<String>,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "never read")]
    struct Renamed {
        number: i64,
        owner: Option<String>,
    }
    let account = || Account {
        number: 1,
        holder: Some("mill".to_owned()),
    };
    let address = test_address(Some("2013-01-01"), 1);
    let stored = store_value(manager, &address, vec![account()]).await;
    let declared = |request: LoadRequest, names: [&str; 2]| LoadRequest {
        declared_columns: Some(names.map(str::to_owned).to_vec()),
        ..request
    };
    for (request, missing) in [
        // An asset that declares no columns.
        (Vec::<InAnotherCase>::needs().request, "Holder"),
        // Rows whose declaration has changed since.
        (
            declared(Vec::<InAnotherCase>::needs().request, ["number", "Holder"]),
            "Holder",
        ),
        (
            declared(Vec::<Renamed>::needs().request, ["number", "owner"]),
            "owner",
        ),
    ] {
        let refused = manager.load(&address, &stored.pointer, &request).await;
        let message = match refused {
            Err(IoError::Unsupported { message }) => message,
            other => panic!("`{missing}` is loaded as {other:?}"),
        };
        for name in ["`holder`", missing, "checked/asset"] {
            assert!(message.contains(name), "{message}");
        }
    }
    // A declared column that is not read is no other name of one that was added since.
    let request = declared(Vec::<Renamed>::needs().request, ["number", "holder"]);
    let loaded = manager.load(&address, &stored.pointer, &request).await;
    loaded.expect("the new column is empty");
    let back: Vec<Account> = load_value(manager, &address, &stored.pointer).await;
    assert_eq!(back, [account()]);
}

pub(super) async fn stored_metadata(manager: &dyn IoManager) {
    let stored = store_value(manager, &test_address(Some("p"), 1), sample_rows()).await;
    assert_eq!(stored.metadata.get("rows"), Some(&MetadataValue::Int(7)));
    match stored.metadata.get("columns") {
        Some(MetadataValue::TableSchema(schema)) => {
            assert_eq!(schema.columns[0].name, "id");
            assert_eq!(schema.columns[0].data_type, "Int64");
            assert!(schema.columns[4].nullable);
        }
        other => panic!("the columns are stored as {other:?}"),
    }
}

pub(super) async fn other_forms(manager: &dyn IoManager) {
    let json = serde_json::json!({"a": [1, 2.5, null, "é"], "b": {"c": true}});
    let back: serde_json::Value = store_and_load(manager, json.clone()).await;
    assert_eq!(back, json);
    let back: Json<Class> = store_and_load(manager, Json(Class::First)).await;
    assert_eq!(back.into_inner(), Class::First);
    assert_eq!(store_and_load::<_, i64>(manager, i64::MIN).await, i64::MIN);
    for text in ["", "line\r\nline 日本\n"] {
        let back: String = store_and_load(manager, text.to_owned()).await;
        assert_eq!(back, text);
    }
    let bytes = Bytes::from((0..=u8::MAX).collect::<Vec<_>>());
    let back: Bytes = store_and_load(manager, bytes.clone()).await;
    assert_eq!(back, bytes);
}
