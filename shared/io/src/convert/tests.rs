use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use precip_engine::asset::{LoadedInput, LoadedPart};
use serde::{Deserialize, Serialize};

use super::*;
use crate::{Table, Value};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Flight {
    carrier: String,
    delay: Option<f64>,
}

fn test_flight(carrier: &str) -> Flight {
    Flight {
        carrier: carrier.to_owned(),
        delay: None,
    }
}

fn loaded_input<T: IntoAsset>(parts: impl IntoIterator<Item = (&'static str, T)>) -> LoadedInput {
    let part = |(key, value): (&str, T)| LoadedPart {
        partition: Some(key.into()),
        value: value.into_asset().unwrap(),
    };
    LoadedInput {
        asset: "raw/flights".parse().unwrap(),
        parts: parts.into_iter().map(part).collect(),
    }
}

fn refusal_message<T: FromAsset>(input: LoadedInput) -> String {
    match T::from_asset(input) {
        Ok(_) => panic!("the input was read"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn rows_and_tables_of_several_partitions_are_concatenated_in_order() {
    let days = || {
        loaded_input([
            ("a", vec![test_flight("UA")]),
            ("b", vec![]),
            ("c", vec![test_flight("B6")]),
        ])
    };
    assert_eq!(
        Vec::<Flight>::from_asset(days()).unwrap(),
        [test_flight("UA"), test_flight("B6")]
    );
    let table = Table::from_asset(days()).unwrap();
    assert_eq!(
        table.to_rows::<Flight>().unwrap(),
        [test_flight("UA"), test_flight("B6")]
    );
    assert_eq!(
        Vec::<Flight>::from_asset(loaded_input::<Table>([])).unwrap(),
        []
    );
}

#[test]
fn partitions_are_read_by_key() {
    let days = loaded_input([("b", vec![test_flight("UA")]), ("a", vec![])]);
    let days = Partitions::<Vec<Flight>>::from_asset(days).unwrap();
    let keys: Vec<&str> = days.keys().map(|key| key.as_str()).collect();
    assert_eq!(keys, ["b", "a"]);
    assert_eq!(days["b"], [test_flight("UA")]);

    let mut unpartitioned = loaded_input([("x", 1_i64)]);
    unpartitioned.parts[0].partition = None;
    assert_eq!(
        refusal_message::<Partitions<i64>>(unpartitioned),
        "asset `raw/flights`: it has no partitions; take `i64`"
    );
}

#[test]
fn a_single_partition_type_refuses_none_and_several() {
    assert_eq!(i64::from_asset(loaded_input([("a", 3_i64)])).unwrap(), 3);
    assert_eq!(
        refusal_message::<Json<Flight>>(loaded_input([("a", 1_i64), ("b", 2)])),
        "asset `raw/flights`: 2 upstream partitions map to this one; take `Partitions<Json<Flight>>`"
    );
    assert_eq!(
        refusal_message::<String>(loaded_input::<String>([])),
        "asset `raw/flights`: there is no upstream partition; take `Option<String>` where that may be so"
    );
    assert_eq!(
        Option::<String>::from_asset(loaded_input::<String>([])).unwrap(),
        None
    );
}

#[test]
fn a_wrong_form_or_manager_is_named_with_the_type_to_use() {
    assert_eq!(
        refusal_message::<String>(loaded_input([("2013-01-01", vec![test_flight("UA")])])),
        "asset `raw/flights`, partition `2013-01-01`: it holds a table, which cannot be read as `String`; \
         take `Vec<Row>` or `Table`"
    );
    assert_eq!(
        refusal_message::<Vec<Flight>>(loaded_input([("a", Bytes::from_static(b"x"))])),
        "asset `raw/flights`, partition `a`: it holds bytes, which cannot be read as `Vec<Flight>`; \
         take `bytes::Bytes`"
    );
    let mut foreign = loaded_input([("a", 1_i64)]);
    foreign.parts[0].value = precip_engine::asset::AssetValue::new(7_u128);
    assert_eq!(
        refusal_message::<i64>(foreign),
        "asset `raw/flights`, partition `a`: its IO manager loads `u128`, which cannot be read as `i64`"
    );
}

#[test]
fn columns_that_do_not_fit_are_named() {
    #[derive(Serialize, Deserialize)]
    struct Wide {
        carrier: Option<String>,
        delay: f64,
        seats: i64,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Whole {
        delay: i32,
    }
    #[derive(Serialize, Deserialize)]
    struct Tailed {
        tail: String,
    }
    #[derive(Serialize, Deserialize)]
    struct Small {
        seats: i8,
    }
    let wide = |delay, seats| {
        let carrier = None;
        loaded_input([(
            "a",
            vec![Wide {
                carrier,
                delay,
                seats,
            }],
        )])
    };
    // A missing value needs an `Option`.
    let empty = refusal_message::<Vec<Flight>>(wide(1.0, 1));
    assert!(
        empty.contains("column `carrier` has 1 empty values, and the field is not an `Option`"),
        "{empty}"
    );
    // A row type must share at least one column.
    let missing = refusal_message::<Vec<Tailed>>(wide(1.0, 1));
    assert!(
        missing.contains("none of its columns is a field of the row, which has `tail`")
            && missing.contains("carrier: Utf8"),
        "{missing}"
    );
    assert_eq!(
        Vec::<Whole>::from_asset(wide(2.0, 1)).unwrap(),
        [Whole { delay: 2 }]
    );
    // 2.0 is an integer, 2.5 is not.
    let rounded = refusal_message::<Vec<Whole>>(wide(2.5, 1));
    assert!(
        rounded.contains("is read from Int32, which cannot hold `2.5` (row 0)"),
        "{rounded}"
    );
    // 300 does not fit an `i8`.
    let large = refusal_message::<Vec<Small>>(wide(1.0, 300));
    assert!(large.contains("column `seats` holds Int64"), "{large}");
}

#[test]
fn a_value_that_does_not_fit_its_column_is_refused_with_the_field() {
    #[derive(Serialize, Deserialize)]
    struct Odd {
        #[serde(serialize_with = "as_text")]
        n: i64,
    }
    fn as_text<S: serde::Serializer>(n: &i64, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&format!("no. {n}"))
    }
    let error = vec![Odd { n: 1 }].into_asset().unwrap_err().to_string();
    assert!(
        error.contains("`Odd` cannot be stored as rows") && error.contains("field: \"$.n\""),
        "{error}"
    );
}

#[test]
fn the_needs_of_a_type_are_known_before_loading() {
    let rows = Vec::<Flight>::needs();
    assert!(rows.many && !rows.missing_ok);
    assert!(rows.request.wants("delay") && !rows.request.wants("tail"));
    let optional = Option::<Partitions<Json<Flight>>>::needs();
    assert!(optional.many && optional.missing_ok);
    assert!(!Json::<Flight>::needs().many);
    let columns = <Vec<Flight> as IntoAsset>::columns().unwrap().unwrap();
    assert_eq!(columns.columns[1].data_type, "Float64");
    assert_eq!(<String as IntoAsset>::columns().unwrap(), None);
}

#[test]
fn many_rows_are_split_into_batches_and_read_back() {
    let rows: Vec<Flight> = (0..150_000).map(|n| test_flight(&n.to_string())).collect();
    let Ok(Value::Table(table)) = rows.clone().into_asset().unwrap().downcast() else {
        panic!("rows are a table");
    };
    assert!(table.batches().len() > 1);
    assert_eq!(table.to_rows::<Flight>().unwrap(), rows);
}

#[test]
fn times_below_a_microsecond_are_refused_wherever_they_are() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Visit {
        at: DateTime<Utc>,
        opens: Option<NaiveTime>,
        stops: Vec<Stop>,
        by_gate: BTreeMap<String, NaiveDateTime>,
        note: String,
    }
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Stop(NaiveDateTime, u8);

    let fine = |nanos| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::nanoseconds(nanos);
    let whole = Visit {
        at: fine(1_000),
        opens: Some(fine(999_999_000).time()),
        stops: vec![Stop(fine(5_000).naive_utc(), 1)],
        by_gate: [("A".to_owned(), fine(0).naive_utc())].into(),
        // A text is stored as it is.
        note: "1970-01-01T00:00:00.000000001Z".to_owned(),
    };
    let rows = vec![whole.clone()];
    let table = Table::from_rows(&rows).unwrap();
    assert_eq!(table.to_rows::<Visit>().unwrap(), rows);

    let odd = fine(1_500);
    let (time, civil) = (odd.time(), odd.naive_utc());
    let mut changed = [const { None }; 4].map(|_: Option<()>| whole.clone());
    changed[0].at = odd;
    changed[1].opens = Some(time);
    changed[2].stops.push(Stop(civil, 2));
    changed[3].by_gate.insert("B".to_owned(), civil);
    let paths = ["at", "opens", "stops[1][0]", "by_gate.B"];
    for (changed, path) in changed.into_iter().zip(paths) {
        let refused = Table::from_rows(&[whole.clone(), changed]).unwrap_err();
        let refused = refused.to_string();
        let found = format!("`Visit` cannot be stored as rows: `{path}` of row 1 is ");
        assert!(refused.starts_with(&found), "{refused}");
        assert!(refused.contains("00:00:00.000001500"), "{refused}");
        assert!(refused.contains("cut it (`trunc_subsecs(6)`"), "{refused}");
    }
    let refused = Table::from_rows(&[fine(0), odd]).unwrap_err().to_string();
    let found = "`value` of row 1 is 1970-01-01T00:00:00.000001500Z";
    assert!(refused.contains(found), "{refused}");
    // Years that a count of nanoseconds since 1970 cannot hold.
    let far: Vec<DateTime<Utc>> = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"]
        .map(|text| text.parse().unwrap())
        .into();
    let table = Table::from_rows(&far).unwrap();
    assert_eq!(table.to_rows::<DateTime<Utc>>().unwrap(), far);
}
