//! Every type stored in every format and read as every other type.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_cast::display::array_value_to_string;
use arrow_schema::{DataType, Field};
use precip_core::metadata::TableSchema;
use serde::{Deserialize, Serialize};

use super::*;
use crate::cast::{Unmatched, cast_column, tests::samples};

const FORMATS: [TableFormat; 3] = [
    TableFormat::Parquet,
    TableFormat::Csv,
    TableFormat::JsonLines,
];

/// Stores a column and reads it as another type, as rows are read.
fn read_as(format: TableFormat, column: &ArrayRef, to: &DataType) -> Result<ArrayRef, String> {
    let table = Table::from(RecordBatch::try_from_iter([("x", Arc::clone(column))]).unwrap());
    let file = format.encode_table(&table, &ParquetOptions::new());
    let file = file.map_err(|error| error.to_string())?;
    let request = LoadRequest {
        columns: Some(TableSchema::from_iter([("x", to.to_string(), true)])),
        ..LoadRequest::default()
    };
    let loaded = format.decode_table(file.into(), &request);
    let loaded = loaded.map_err(|error| error.to_string())?;
    let field = Field::new("x", to.clone(), true);
    let column = loaded.column("x").map_err(|error| error.to_string())?;
    cast_column(&column, &field, Unmatched::Refuse).map_err(|error| error.to_string())
}

fn texts(column: &ArrayRef) -> Vec<String> {
    let text = |row| array_value_to_string(column, row).unwrap();
    (0..column.len()).map(text).collect()
}

/// The text of a number without zeros that say nothing.
fn digits(text: &str) -> String {
    let number: f64 = text.parse().unwrap();
    // A decimal has one zero, whatever its sign.
    if number == 0.0 {
        return "0".to_owned();
    }
    if text.contains('.') && !text.contains('e') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    if text.contains('e') {
        return format!("{number}");
    }
    text.to_owned()
}

/// The text of a moment in UTC; any other text without a time of day that says nothing.
fn same_moment(text: &str) -> String {
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(moment) => moment.to_utc().to_rfc3339(),
        Err(_) => text.replace("T00:00:00", ""),
    }
}

#[test]
fn text_formats_refuse_what_parquet_refuses() {
    for column in samples() {
        for other in samples() {
            let (from, to) = (column.data_type(), other.data_type());
            for row in 0..column.len() {
                let one = column.slice(row, 1);
                let parquet = read_as(TableFormat::Parquet, &one, to);
                for format in [TableFormat::Csv, TableFormat::JsonLines] {
                    let context = format!("{from} to {to} in {format:?}: {:?}", texts(&one));
                    let read = match (read_as(format, &one, to), &parquet) {
                        (Err(_), Err(_)) => continue,
                        // Not every type has a place in every format, and a text format may be stricter.
                        (Err(error), Ok(_)) => {
                            assert!(
                                from != to || !error.contains("cannot hold `"),
                                "{context}: {error}"
                            );
                            continue;
                        }
                        (Ok(read), Ok(same)) if &read == same => continue,
                        (Ok(read), _) => read,
                    };
                    // What a text format reads beyond Parquet has the digits, or the text, that was written.
                    let (read, written) = (texts(&read).remove(0), texts(&one).remove(0));
                    // Both formats write times as text, and JSON lines bytes as hexadecimal text.
                    let text_in_json = to.is_temporal() || *to == DataType::Binary;
                    let is_text = to.is_string()
                        || (from.is_string() && (format == TableFormat::Csv || text_in_json));
                    if to.is_numeric() && from.is_numeric() {
                        assert_eq!(digits(&read), digits(&written), "{context}");
                    } else if is_text || from.is_temporal() {
                        assert_eq!(same_moment(&read), same_moment(&written), "{context}");
                    } else {
                        panic!("{context} is read as {read}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_type_is_read_as_itself() {
    for column in samples() {
        for format in FORMATS {
            match read_as(format, &column, column.data_type()) {
                Ok(read) => assert_eq!(texts(&read), texts(&column), "{format:?}"),
                Err(error) => assert!(
                    !error.contains("cannot hold `"),
                    "{} in {format:?}: {error}",
                    column.data_type()
                ),
            }
        }
    }
}

fn decode(format: TableFormat, file: &str, column: &str, to: &DataType) -> Result<String, String> {
    let request = LoadRequest {
        columns: Some(TableSchema::from_iter([(column, to.to_string(), true)])),
        ..LoadRequest::default()
    };
    let table = format.decode_table(file.to_owned().into(), &request);
    let table = table.map_err(|error| error.to_string())?;
    Ok(texts(&table.column(column).unwrap()).join(" "))
}

#[test]
fn cells_of_csv_are_read_by_their_form() {
    use arrow_schema::TimeUnit::{Microsecond, Second};
    let utc = || DataType::Timestamp(Microsecond, Some("UTC".into()));
    let civil = || DataType::Timestamp(Microsecond, None);
    for (cell, to) in [
        ("01067", DataType::Int32),
        ("1e3", DataType::Int64),
        ("1.5", DataType::Int64),
        ("+1", DataType::Int64),
        (" 1", DataType::Int64),
        ("-0", DataType::Int64),
        ("256", DataType::UInt8),
        ("-1", DataType::UInt64),
        ("01.5", DataType::Float64),
        ("9007199254740993", DataType::Float64),
        ("0.30000000000000004", DataType::Float32),
        ("16777217.0", DataType::Float32),
        ("1e300", DataType::Float32),
        ("1e400", DataType::Float64),
        ("1e-400", DataType::Float64),
        ("1.239", DataType::Decimal128(9, 2)),
        ("123456789", DataType::Decimal128(9, 2)),
        ("1", DataType::Boolean),
        ("TRUE", DataType::Boolean),
        ("t", DataType::Boolean),
        ("1704067200", utc()),
        ("1704067200", DataType::Date32),
        ("20240101", DataType::Date32),
        ("2024-1-1", DataType::Date32),
        ("2024-02-30", DataType::Date32),
        ("2024-03-01T00:30:00+02:00", DataType::Date32),
        ("2024-03-01T00:30:00", DataType::Date32),
        ("2024-03-01", utc()),
        ("2024-03-01T00:30:00", utc()),
        ("2024-03-01T00:30:00 Europe/Berlin", utc()),
        ("2024-03-01T00:30:00Z", civil()),
        ("2024-03-01T00:30:00.1234567Z", utc()),
        ("2024-03-01T00:30:00.5", DataType::Timestamp(Second, None)),
        ("2024-03-01T25:30:00Z", utc()),
        ("2024-03-01T23:59:60Z", utc()),
        ("2024-03-01T00:30:00Z", DataType::Time64(Microsecond)),
        ("9:30", DataType::Time64(Microsecond)),
        ("09:30 PM", DataType::Time64(Microsecond)),
        ("34200", DataType::Time64(Microsecond)),
        ("09:30:00.5", DataType::Time32(Second)),
    ] {
        let file = format!("a,x\n1,{cell}\n");
        let refused = decode(TableFormat::Csv, &file, "x", &to);
        let refused = refused.expect_err(&format!("`{cell}` is no {to}"));
        let names = format!("column `x` is read from {to}, which cannot hold `{cell}` (row 0); ");
        assert!(refused.starts_with(&names), "{refused}");
        // The same as a string of JSON, and as a number if it is one.
        let file = format!("{{\"a\":1,\"x\":\"{cell}\"}}\n");
        let text = decode(TableFormat::JsonLines, &file, "x", &to).unwrap_err();
        assert!(text.contains("column `x` is read from"), "{text}");
        if cell.parse::<f64>().is_ok() && serde_json::from_str::<f64>(cell).is_ok() {
            let file = format!("{{\"a\":1,\"x\":{cell}}}\n");
            let text = decode(TableFormat::JsonLines, &file, "x", &to).unwrap_err();
            assert!(text.contains("(row 0)"), "{text}");
        }
    }
    for (cell, to, read) in [
        ("2.0", DataType::Int8, "2"),
        (
            "-9223372036854775808",
            DataType::Int64,
            "-9223372036854775808",
        ),
        (
            "18446744073709551615",
            DataType::UInt64,
            "18446744073709551615",
        ),
        ("9007199254740992", DataType::Float64, "9007199254740992.0"),
        ("0.10000000000000001", DataType::Float64, "0.1"),
        ("1e300", DataType::Float64, "1e300"),
        ("5e-324", DataType::Float64, "5e-324"),
        ("NaN", DataType::Float64, "NaN"),
        ("-inf", DataType::Float32, "-inf"),
        ("0.33333334", DataType::Float32, "0.33333334"),
        ("1.500", DataType::Decimal128(9, 2), "1.50"),
        ("false", DataType::Boolean, "false"),
        ("+12345-01-01", DataType::Date32, "+12345-01-01"),
        ("2024-03-01T00:30:00+02:00", utc(), "2024-02-29T22:30:00Z"),
        (
            "0001-01-01 00:00:00.000001Z",
            utc(),
            "0001-01-01T00:00:00.000001Z",
        ),
        ("2024-03-01T00:30", civil(), "2024-03-01T00:30:00"),
        (
            "09:30:00.500000",
            DataType::Time64(Microsecond),
            "09:30:00.500",
        ),
        ("01067", DataType::LargeUtf8, "01067"),
    ] {
        let file = format!("a,x\n1,{cell}\n");
        assert_eq!(
            decode(TableFormat::Csv, &file, "x", &to).as_deref(),
            Ok(read),
            "{to}"
        );
    }
}

#[test]
fn values_of_json_are_read_by_their_kind() {
    let kinds = ["1", "1.5", "\"1\"", "true", "[1]", "{\"a\":1}"];
    let list = DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
    let fields = vec![Field::new("a", DataType::Int64, true)];
    for (to, own) in [
        (DataType::Int64, "1"),
        (DataType::Utf8, "\"1\""),
        (DataType::Boolean, "true"),
        (list.clone(), "[1]"),
        (DataType::Struct(fields.into()), "{\"a\":1}"),
    ] {
        for kind in kinds {
            let file = format!("{{\"x\":null}}\n{{\"x\":{kind}}}\n");
            let read = decode(TableFormat::JsonLines, &file, "x", &to);
            assert_eq!(read.is_ok(), kind == own, "{kind} as {to}: {read:?}");
            if let Err(error) = read {
                assert!(
                    error.contains("column `x") && error.contains("(row 1)"),
                    "{error}"
                );
            }
        }
    }
    // Inside, too.
    for item in ["1.5", "\"1\"", "9223372036854775808", "true"] {
        let file = format!("{{\"x\":[1,{item}]}}\n");
        let refused = decode(TableFormat::JsonLines, &file, "x", &list).unwrap_err();
        assert!(
            refused.starts_with("column `x[]` is read from Int64"),
            "{refused}"
        );
    }
    let nested = DataType::Struct(
        vec![
            Field::new("at", DataType::Date32, true),
            Field::new("n", list, true),
        ]
        .into(),
    );
    let file = "{\"x\":{\"at\":\"2024-01-01\",\"more\":[{}],\"n\":[1]}}\n{\"x\":{\"at\":19000,\"n\":null}}\n";
    assert_eq!(
        decode(TableFormat::JsonLines, file, "x", &nested).unwrap_err(),
        "column `x.at` is read from Date32, which cannot hold the JSON `19000`; declare the field as the type that is \
         stored, or convert the column where it is made (row 1)"
    );
}

#[test]
fn types_that_are_guessed_lose_nothing() {
    let file = "zip,id,mix,at,local,day,flag,big\n\
                01067,1,9007199254740993,2024-03-01T00:30:00+02:00,2024-03-01T00:30:00,2024-03-01,true,1\n\
                10115,2,1.5,2024-03-01T00:30:00Z,2024-03-01T00:30:00.5,2024-03-02,false,18446744073709551615\n";
    let everything = LoadRequest::everything();
    let table = TableFormat::Csv
        .decode_table(file.into(), &everything)
        .unwrap();
    let types: Vec<String> = table
        .schema()
        .fields()
        .iter()
        .map(|field| format!("{}: {}", field.name(), field.data_type()))
        .collect();
    assert_eq!(
        types,
        [
            "zip: Utf8",
            "id: Int64",
            "mix: Utf8",
            "at: Timestamp(s, \"UTC\")",
            "local: Timestamp(ms)",
            "day: Date32",
            "flag: Boolean",
            "big: Utf8",
        ]
    );
    let zips: ArrayRef = Arc::new(StringArray::from(vec!["01067", "10115"]));
    assert_eq!(&table.column("zip").unwrap(), &zips);
    let refused = TableFormat::JsonLines
        .decode_table(
            "{\"x\":1.5}\n{\"x\":9007199254740993}\n".into(),
            &everything,
        )
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("cannot hold the JSON `9007199254740993`"),
        "{refused}"
    );
}

#[test]
fn numbers_that_json_lacks_are_refused_with_column_and_row() {
    #[derive(Serialize, Deserialize)]
    struct Leg {
        delay: Option<f32>,
    }
    #[derive(Serialize, Deserialize)]
    struct Row {
        mean: f64,
        legs: Vec<Leg>,
        by_day: std::collections::BTreeMap<String, f64>,
    }
    let row = |mean, delay, by_day| Row {
        mean,
        legs: vec![Leg { delay: None }, Leg { delay }],
        by_day: [("mon".to_owned(), by_day)].into(),
    };
    let json = |rows: &[Row]| {
        let table = Table::from_rows(rows).unwrap();
        TableFormat::JsonLines
            .encode_table(&table, &ParquetOptions::new())
            .map_err(|error| error.to_string())
    };
    let fine = || row(1.0, Some(2.0), 3.0);
    assert!(json(&[fine(), row(0.5, None, 1e300)]).is_ok());
    for (odd, found) in [
        (row(f64::NAN, None, 1.0), "column `mean` is NaN in row 1,"),
        (
            row(1.0, Some(f32::INFINITY), 1.0),
            "column `legs[].delay` is inf in row 1,",
        ),
        (
            row(1.0, None, f64::NEG_INFINITY),
            "column `by_day.values` is -inf in row 1,",
        ),
    ] {
        let refused = json(&[fine(), odd, fine()]).unwrap_err();
        assert!(refused.starts_with(found), "{refused}");
        assert!(refused.ends_with("use the Parquet IO manager, or an `Option` without a value"));
    }
    // The other formats keep them.
    for format in [TableFormat::Parquet, TableFormat::Csv] {
        let odd: ArrayRef = Arc::new(arrow_array::Float64Array::from(vec![
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ]));
        assert_eq!(&read_as(format, &odd, &DataType::Float64).unwrap(), &odd);
    }
}
