use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::schema_of;

fn column_types<T: for<'de> Deserialize<'de>>() -> Vec<String> {
    let schema = schema_of::<T>().unwrap();
    schema
        .fields()
        .iter()
        .map(|field| {
            let optional = if field.is_nullable() { "?" } else { "" };
            format!("{}{optional}: {}", field.name(), field.data_type())
        })
        .collect()
}

fn refusal_of<T: for<'de> Deserialize<'de>>() -> String {
    schema_of::<T>().unwrap_err().to_string()
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its columns are looked at")]
struct Everything {
    flag: bool,
    small: i8,
    big: u64,
    ratio: f32,
    text: String,
    letter: char,
    day: NaiveDate,
    civil: NaiveDateTime,
    moment: DateTime<Utc>,
    offset: DateTime<FixedOffset>,
    time: NaiveTime,
    maybe: Option<NaiveDate>,
    list: Vec<Option<i32>>,
    pair: (i32, String),
    map: BTreeMap<String, f64>,
    nested: Nested,
    class: Class,
    address: std::net::Ipv4Addr,
    nonzero: std::num::NonZeroU32,
    #[serde(with = "chrono::serde::ts_seconds")]
    seconds: DateTime<Utc>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its columns are looked at")]
struct Nested {
    at: DateTime<Utc>,
    code: Code,
}

#[derive(Deserialize)]
enum Class {
    Economy,
    First,
}

/// Accepts three capital letters only, so no sample fits.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Code;

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(code: String) -> Result<Self, String> {
        (code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()))
            .then_some(Self)
            .ok_or_else(|| format!("`{code}` is no airport"))
    }
}

#[test]
fn every_kind_of_field_has_a_column_type() {
    assert_eq!(
        column_types::<Everything>(),
        [
            "flag: Boolean",
            "small: Int8",
            "big: UInt64",
            "ratio: Float32",
            "text: Utf8",
            "letter: Utf8",
            "day: Date32",
            "civil: Timestamp(µs)",
            "moment: Timestamp(µs, \"UTC\")",
            "offset: Timestamp(µs, \"UTC\")",
            "time: Time64(µs)",
            "maybe?: Date32",
            "list: List(Int32)",
            "pair: Struct(\"0\": non-null Int32, \"1\": non-null Utf8)",
            "map: Map(\"entries\": non-null Struct(\"keys\": non-null Utf8, \"values\": non-null Float64), unsorted)",
            "nested: Struct(\"at\": non-null Timestamp(µs, \"UTC\"), \"code\": non-null Utf8)",
            "class: Utf8",
            "address: Utf8",
            "nonzero: UInt32",
            "seconds: Int64",
        ]
    );
}

#[test]
fn a_field_that_refuses_every_sample_does_not_hide_the_fields_after_it() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its columns are looked at")]
    struct Row {
        from: Code,
        to: Option<Code>,
        day: NaiveDate,
    }
    assert_eq!(
        column_types::<Row>(),
        ["from: Utf8", "to?: Utf8", "day: Date32"]
    );
}

#[test]
fn an_alias_is_not_a_column() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its columns are looked at")]
    struct Row {
        #[serde(alias = "a_before", alias = "z_after")]
        name: String,
        #[serde(rename = "Day")]
        day: NaiveDate,
    }
    let mut names: Vec<String> = column_types::<Row>();
    names.sort();
    assert_eq!(names, ["Day: Date32", "name: Utf8"]);
}

#[test]
fn a_field_without_a_column_type_is_named_with_an_alternative() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its columns are looked at")]
    struct Row {
        id: i128,
        extra: serde_json::Value,
        inner: Inner,
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its columns are looked at")]
    struct Inner {
        shape: Vec<Shape>,
        fine: i32,
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its columns are looked at")]
    enum Shape {
        Dot,
        Circle { radius: f64 },
    }
    assert_eq!(
        refusal_of::<Row>(),
        "`Row` cannot be stored as the rows of a table: \
         field `id` is an `i128`, which no column holds; use `i64`, or a `String`; \
         field `extra` takes values of any type (untyped JSON, an untagged enum, or `#[serde(flatten)]`); \
         give it a type of its own, or keep its JSON as a `String`; \
         field `inner.shape.[]` is the enum `Shape`, whose variant `Circle` has data; use an enum without data, \
         a struct of `Option`s, or keep its JSON as a `String`"
    );
}

#[test]
fn a_type_that_contains_itself_is_refused() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its columns are looked at")]
    struct Tree {
        children: Vec<Tree>,
    }
    assert!(
        refusal_of::<Tree>().contains("contains itself"),
        "{}",
        refusal_of::<Tree>()
    );
}

#[test]
fn rows_that_are_not_structs_are_refused() {
    assert_eq!(
        refusal_of::<u8>(),
        "`Vec<u8>` is a table of numbers; use `bytes::Bytes` for bytes"
    );
    assert!(refusal_of::<String>().contains("`Json<Vec<String>>`"));
    assert!(refusal_of::<HashMap<String, i32>>().contains("write the fields out"));

    #[derive(Serialize, Deserialize)]
    struct Flat {
        a: i32,
        #[serde(flatten)]
        rest: HashMap<String, i32>,
    }
    assert!(refusal_of::<Flat>().contains("#[serde(flatten)]"));
}
