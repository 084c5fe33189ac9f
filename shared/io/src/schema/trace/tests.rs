use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::schema_of;

fn columns<T: for<'de> Deserialize<'de>>() -> Vec<String> {
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

fn problem<T: for<'de> Deserialize<'de>>() -> String {
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

/// Takes three capital letters only, so that no sample fits.
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
fn every_kind_of_field_has_its_column() {
    assert_eq!(
        columns::<Everything>(),
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
    assert_eq!(columns::<Row>(), ["from: Utf8", "to?: Utf8", "day: Date32"]);
}

#[test]
fn an_alias_is_no_column() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its columns are looked at")]
    struct Row {
        #[serde(alias = "a_before", alias = "z_after")]
        name: String,
        #[serde(rename = "Day")]
        day: NaiveDate,
    }
    let mut names: Vec<String> = columns::<Row>();
    names.sort();
    assert_eq!(names, ["Day: Date32", "name: Utf8"]);
}

#[test]
fn a_field_without_a_column_type_is_named_with_what_to_use() {
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
        problem::<Row>(),
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
        problem::<Tree>().contains("contains itself"),
        "{}",
        problem::<Tree>()
    );
}

#[test]
fn rows_that_are_no_structs_are_refused() {
    assert_eq!(
        problem::<u8>(),
        "`Vec<u8>` is a table of numbers; use `bytes::Bytes` for bytes"
    );
    assert!(problem::<String>().contains("`Json<Vec<String>>`"));
    assert!(problem::<HashMap<String, i32>>().contains("write the fields out"));

    #[derive(Serialize, Deserialize)]
    struct Flat {
        a: i32,
        #[serde(flatten)]
        rest: HashMap<String, i32>,
    }
    assert!(problem::<Flat>().contains("#[serde(flatten)]"));
}
