use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::*;

#[derive(Serialize, Deserialize)]
struct Row {
    day: NaiveDate,
    at: Option<DateTime<Utc>>,
    delay: Option<f64>,
    note: String,
    tags: Vec<String>,
}

fn sample_value() -> Value {
    let row = |delay, note: &str, tags: &[&str]| Row {
        day: NaiveDate::from_ymd_opt(2013, 1, 1).unwrap(),
        at: DateTime::from_timestamp_millis(1_357_034_400_250),
        delay,
        note: note.to_owned(),
        tags: tags.iter().map(ToString::to_string).collect(),
    };
    let rows = [
        row(Some(0.1 + 0.2), "a,\"b\"\nc", &["x", "y"]),
        row(None, "ünï", &[]),
    ];
    Value::Table(Table::from_rows(&rows).unwrap())
}

#[test]
fn csv_has_a_header_shortest_floats_and_empty_cells() {
    assert_eq!(
        sample_value().to_csv().unwrap(),
        "day,at,delay,note,tags\n\
         2013-01-01,2013-01-01T10:00:00.250Z,0.30000000000000004,\"a,\"\"b\"\"\nc\",\"[\"\"x\"\",\"\"y\"\"]\"\n\
         2013-01-01,2013-01-01T10:00:00.250Z,,ünï,[]\n"
    );
}

#[test]
fn json_is_an_array_of_objects_with_every_column() {
    assert_eq!(
        sample_value().to_json().unwrap()[1],
        json!({"day": "2013-01-01", "at": "2013-01-01T10:00:00.250Z", "delay": null, "note": "ünï", "tags": []})
    );
    let none = Value::Table(Table::from_rows::<Row>(&[]).unwrap());
    assert_eq!(none.to_json().unwrap(), json!([]));
    assert_eq!(none.to_csv().unwrap(), "day,at,delay,note,tags\n");
}

#[test]
fn a_grid_is_limited_and_has_the_total_number_of_rows() {
    let grid = sample_value().to_grid(1).unwrap();
    assert_eq!((grid.rows.len(), grid.total), (1, 2));
    assert_eq!(grid.columns[2], ("delay".to_owned(), true));
    assert_eq!(grid.rows[0][0], "2013-01-01");
    assert_eq!(grid.rows[0][4], "[\"x\",\"y\"]");
}

#[test]
fn other_forms_are_shown_as_tables() {
    let json = Value::Json(json!({"rows": 3, "name": "x"}));
    assert_eq!(json.to_csv().unwrap(), "key,value\nrows,3\nname,x\n");
    assert_eq!(Value::Text("hi".into()).to_csv().unwrap(), "value\nhi\n");
    assert_eq!(
        Value::Bytes(bytes::Bytes::from_static(&[0, 255]))
            .to_json()
            .unwrap(),
        json!("00ff")
    );
}

#[test]
fn numbers_that_json_lacks_are_shown_as_strings() {
    #[derive(Serialize, Deserialize)]
    struct Mean {
        mean: Option<f64>,
        parts: Vec<f32>,
    }
    let rows = [
        Mean {
            mean: Some(f64::NAN),
            parts: vec![f32::NEG_INFINITY, 0.1],
        },
        Mean {
            mean: None,
            parts: Vec::new(),
        },
    ];
    let rows = Value::Table(Table::from_rows(&rows).unwrap());
    assert_eq!(
        rows.to_json().unwrap(),
        json!([{"mean": "NaN", "parts": ["-inf", 0.1]}, {"mean": null, "parts": []}])
    );
    assert_eq!(
        rows.to_csv().unwrap(),
        "mean,parts\nNaN,\"[\"\"-inf\"\",0.1]\"\n,[]\n"
    );
}
