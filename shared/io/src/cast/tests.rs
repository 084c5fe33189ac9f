use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array,
    DictionaryArray, DurationMicrosecondArray, DurationSecondArray, Float32Array, Float64Array,
    Int8Array, Int32Array, Int64Array, LargeStringArray, ListArray, MapArray, StringArray,
    StringViewArray, StructArray, Time32SecondArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt8Array, UInt32Array, UInt64Array, new_null_array,
    types::{Float64Type, Int8Type, Int64Type},
};
use arrow_cast::display::array_value_to_string;
use arrow_schema::{DataType, Field, TimeUnit};

use super::{CastRule::*, *};

/// A column of each kind, with values at the limits of its type.
pub(crate) fn samples() -> Vec<ArrayRef> {
    let decimals = |values: Vec<i128>, precision, scale| {
        Decimal128Array::from(values)
            .with_precision_and_scale(precision, scale)
            .unwrap()
    };
    vec![
        Arc::new(BooleanArray::from(vec![true, false])),
        Arc::new(Int8Array::from(vec![i8::MIN, 0, 1, i8::MAX])),
        Arc::new(Int32Array::from(vec![i32::MIN, 0, 2, 16_777_217])),
        Arc::new(Int64Array::from(vec![
            i64::MIN,
            1_704_067_200,
            9_007_199_254_740_993,
            i64::MAX,
        ])),
        Arc::new(UInt8Array::from(vec![0, u8::MAX])),
        Arc::new(UInt32Array::from(vec![0, u32::MAX])),
        Arc::new(UInt64Array::from(vec![0, u64::MAX])),
        Arc::new(Float32Array::from(vec![0.1, -0.0, 2.0, f32::MAX])),
        Arc::new(Float64Array::from(vec![0.1, 16_777_217.0, 1e300, -0.0])),
        Arc::new(decimals(vec![1_067_000, -5, 123_456], 20, 4)),
        Arc::new(decimals(vec![10_i128.pow(38) - 1, 0], 38, 0)),
        Arc::new(StringArray::from(vec!["01067", "x", "", "2024-01-01"])),
        Arc::new(BinaryArray::from(vec![&b"\x00"[..], b"true"])),
        Arc::new(Date32Array::from(vec![0, 19_723, -1])),
        Arc::new(Date64Array::from(vec![0, 86_400_000])),
        Arc::new(Time32SecondArray::from(vec![0, 34_200])),
        Arc::new(Time64MicrosecondArray::from(vec![0, 34_200_000_001])),
        Arc::new(TimestampSecondArray::from(vec![
            0,
            -1,
            i64::MAX / 1_000_000,
        ])),
        Arc::new(TimestampMicrosecondArray::from(vec![
            0,
            -1,
            1_709_244_600_000_001,
        ])),
        Arc::new(
            TimestampMicrosecondArray::from(vec![0, -1, 1_709_244_600_000_001])
                .with_timezone("UTC"),
        ),
        Arc::new(
            TimestampNanosecondArray::from(vec![0, 1_709_244_600_000_000_001])
                .with_timezone("Europe/Berlin"),
        ),
        Arc::new(DurationSecondArray::from(vec![0, 90])),
        Arc::new(DurationMicrosecondArray::from(vec![0, 90_000_001])),
    ]
}

fn cast(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, CastError> {
    cast_column(
        column,
        &Field::new("x", to.clone(), true),
        Unmatched::Refuse,
    )
}

fn refusal(column: ArrayRef, to: &Field) -> String {
    cast_column(&column, to, Unmatched::LeaveOut)
        .unwrap_err()
        .to_string()
}

/// The digits of a float, all of them.
fn float(value: f64) -> String {
    // Rust would pad the digits of a large one with zeros.
    if value.fract() == 0.0 && value.abs() < 1e38 && value.to_bits() != (-0.0_f64).to_bits() {
        return (value as i128).to_string();
    }
    value.to_string()
}

/// What a value says, whatever the type of its column. A float is a decimal if it writes the same digits.
fn meaning(column: &ArrayRef, row: usize, in_decimal: bool) -> String {
    let text = array_value_to_string(column, row).unwrap();
    let data_type = column.data_type();
    if data_type.is_numeric() {
        return match data_type {
            DataType::Float32 if !in_decimal => float(f64::from(text.parse::<f32>().unwrap())),
            DataType::Float64 if !in_decimal => float(text.parse().unwrap()),
            _ if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            _ => text,
        };
    }
    match data_type {
        DataType::Timestamp(unit, zone) => {
            let utc = arrow_cast::cast(column, &DataType::Int64).unwrap();
            let ticks: i128 = array_value_to_string(&utc, row).unwrap().parse().unwrap();
            let digits = u32::try_from(9 - rule::digits_of_second(*unit)).unwrap();
            format!("{} {}", ticks * 10_i128.pow(digits), zone.is_some())
        }
        DataType::Date64 => text.replace("T00:00:00", ""),
        _ => text,
    }
}

#[test]
fn every_cast_of_every_pair_of_types_keeps_the_values_or_is_refused() {
    let samples = samples();
    for column in &samples {
        for other in &samples {
            let (from, to) = (column.data_type(), other.data_type());
            let rule = cast_rule(from, to);
            for row in 0..column.len() {
                let one = column.slice(row, 1);
                match (cast(&one, to), rule) {
                    (Ok(_), Refused) | (Err(_), Lossless) => {
                        panic!("{from} to {to} is not {rule:?}: {one:?}")
                    }
                    (Ok(fitted), _) => {
                        assert_eq!(fitted.data_type(), to);
                        if to.is_string() {
                            let texts =
                                [&fitted, &one].map(|a| array_value_to_string(a, 0).unwrap());
                            assert_eq!(texts[0], texts[1], "{from} to {to}");
                            continue;
                        }
                        let decimal = from.is_decimal() || to.is_decimal();
                        assert_eq!(
                            meaning(&fitted, 0, decimal),
                            meaning(&one, 0, decimal),
                            "{from} to {to}"
                        );
                    }
                    (Err(error), _) => {
                        let text = error.to_string();
                        let names = [format!("column `x` holds {from}"), to.to_string()];
                        assert!(names.iter().all(|name| text.contains(name)), "{text}");
                        assert!(text.contains("; "), "{text} says what to do");
                    }
                }
            }
        }
    }
}

#[test]
fn the_rule_of_each_pair_of_types() {
    use DataType::*;
    let utc = |unit| Timestamp(unit, Some("UTC".into()));
    for (from, to, rule) in [
        (Int32, Int64, Lossless),
        (UInt32, Int64, Lossless),
        (Int32, Float64, Lossless),
        (Int16, Float32, Lossless),
        (Float32, Float64, Lossless),
        (UInt8, Decimal128(5, 2), Lossless),
        (Decimal128(9, 2), Decimal128(20, 4), Lossless),
        (Int64, Float64, Checked),
        (Int32, Float32, Checked),
        (Float64, Float32, Checked),
        (Float64, Int32, Checked),
        (Int32, UInt32, Checked),
        (UInt64, Int64, Checked),
        (Decimal128(20, 4), Decimal128(9, 2), Checked),
        (Decimal128(38, 0), Int64, Checked),
        (Int64, Boolean, Refused),
        (Boolean, Int8, Refused),
        (Utf8, Int64, Refused),
        (Int64, Utf8, Refused),
        (Decimal128(20, 4), Utf8, Lossless),
        (Utf8, Decimal128(20, 4), Refused),
        (Utf8, LargeUtf8, Lossless),
        (LargeUtf8, Utf8View, Lossless),
        (Utf8, Binary, Refused),
        (Binary, Utf8, Refused),
        (Binary, LargeBinary, Lossless),
        (Binary, FixedSizeBinary(2), Checked),
        (Utf8, Date32, Refused),
        (Utf8, Boolean, Refused),
        (Boolean, Utf8, Refused),
        (Int32, Date32, Refused),
        (Date32, Int32, Refused),
        (Int64, utc(TimeUnit::Second), Refused),
        (utc(TimeUnit::Second), Int64, Refused),
        (utc(TimeUnit::Second), Date32, Refused),
        (Date32, utc(TimeUnit::Second), Refused),
        (
            utc(TimeUnit::Second),
            Time64(TimeUnit::Microsecond),
            Refused,
        ),
        (
            utc(TimeUnit::Second),
            Timestamp(TimeUnit::Second, None),
            Refused,
        ),
        (
            Timestamp(TimeUnit::Second, None),
            utc(TimeUnit::Second),
            Refused,
        ),
        (Timestamp(TimeUnit::Second, None), Date32, Refused),
        (
            utc(TimeUnit::Nanosecond),
            utc(TimeUnit::Microsecond),
            Checked,
        ),
        (
            utc(TimeUnit::Second),
            Timestamp(TimeUnit::Second, Some("+02:00".into())),
            Lossless,
        ),
        (Duration(TimeUnit::Second), Int64, Refused),
        (
            Duration(TimeUnit::Second),
            Duration(TimeUnit::Millisecond),
            Checked,
        ),
        (
            Time64(TimeUnit::Microsecond),
            Time32(TimeUnit::Second),
            Checked,
        ),
        (
            Time32(TimeUnit::Second),
            Time64(TimeUnit::Microsecond),
            Lossless,
        ),
        (Null, Int8, Lossless),
        (Dictionary(Box::new(Int8), Box::new(Utf8)), Utf8, Lossless),
        (Dictionary(Box::new(Int8), Box::new(Utf8)), Int8, Refused),
        (
            Interval(arrow_schema::IntervalUnit::DayTime),
            Int64,
            Refused,
        ),
    ] {
        assert_eq!(cast_rule(&from, &to), rule, "{from} to {to}");
    }
}

#[test]
fn encodings_are_undone_and_done_again() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("UA"), None, Some("")]));
    let encoded: DictionaryArray<Int8Type> = [Some("UA"), None, Some("")].into_iter().collect();
    let variants: [ArrayRef; 4] = [
        Arc::clone(&texts),
        Arc::new(LargeStringArray::from(vec![Some("UA"), None, Some("")])),
        Arc::new(StringViewArray::from(vec![Some("UA"), None, Some("")])),
        Arc::new(encoded),
    ];
    for column in &variants {
        for other in &variants {
            assert_eq!(&cast(column, other.data_type()).unwrap(), other);
        }
    }
    // A missing value is found in every encoding.
    for column in variants {
        let refused = refusal(column, &Field::new("carrier", DataType::Utf8, false));
        assert!(
            refused.contains("column `carrier` has 1 empty values"),
            "{refused}"
        );
    }
}

#[test]
fn each_message_says_what_to_do() {
    let large: ArrayRef = Arc::new(Int64Array::from(vec![1, 300]));
    assert_eq!(
        refusal(large, &Field::new("seats", DataType::Int8, false)),
        "column `seats` holds Int64, and the field is read from Int8, which cannot hold `300` (row 1); \
         declare the field as `i64`, or convert the column where it is made"
    );
    let zips: ArrayRef = Arc::new(StringArray::from(vec!["01067"]));
    assert_eq!(
        refusal(zips, &Field::new("zip", DataType::Int32, false)),
        "column `zip` holds Utf8, and the field is read from Int32, which is another kind of value; \
         declare the field as `String`, or convert the column where it is made"
    );
    let moments = new_null_array(
        &DataType::Timestamp(TimeUnit::Second, Some("UTC".into())),
        0,
    );
    assert!(
        refusal(moments, &Field::new("at", DataType::Date32, true)).contains("`DateTime<Utc>`")
    );
}

#[test]
fn parts_of_lists_structs_and_maps_are_cast_as_columns_are() {
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([
        Some(vec![Some(1), None]),
        None,
        Some(vec![Some(9_007_199_254_740_993)]),
    ]));
    let of = |item: DataType, required: bool| {
        let item = Field::new("item", item, !required);
        Field::new("legs", DataType::List(Arc::new(item)), true)
    };
    let same = cast(&list.slice(0, 2), of(DataType::Float64, false).data_type()).unwrap();
    let floats = [Some(vec![Some(1.0), None]), None];
    let floats = ListArray::from_iter_primitive::<Float64Type, _, _>(floats);
    assert_eq!(same.as_ref(), &floats as &dyn Array);
    // The row of a message is the row of the table.
    assert!(
        refusal(Arc::clone(&list), &of(DataType::Float64, false))
            .starts_with("column `legs[]` holds Int64, and the field is read from Float64, which cannot hold `9007199254740993` (row 2)")
    );
    assert!(refusal(list.slice(2, 1), &of(DataType::Float64, false)).contains("(row 0)"));
    assert!(
        refusal(Arc::clone(&list), &of(DataType::Int64, true))
            .starts_with("column `legs[]` has 1 empty values")
    );
    assert!(refusal(list, &of(DataType::Boolean, false)).contains("another kind of value"));
}

#[test]
fn fields_of_structs_are_matched_by_name() {
    let a: ArrayRef = Arc::new(Int32Array::from(vec![Some(2), None, Some(3)]));
    let b: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "z"]));
    let fields = vec![
        Arc::new(Field::new("a", DataType::Int32, true)),
        Arc::new(Field::new("b", DataType::Utf8, false)),
    ];
    // The second struct is missing, so its missing `a` does not count.
    let column: ArrayRef = Arc::new(StructArray::new(
        fields.clone().into(),
        vec![a, b],
        Some(vec![true, false, true].into()),
    ));
    let wanted = |fields: Vec<(&str, DataType)>| {
        let fields = fields
            .into_iter()
            .map(|(name, t)| Field::new(name, t, false));
        Field::new("leg", DataType::Struct(fields.collect()), true)
    };
    let swapped = wanted(vec![("b", DataType::LargeUtf8), ("a", DataType::Int64)]);
    let cast = cast_column(&column, &swapped, Unmatched::Refuse).unwrap();
    assert_eq!(cast.data_type(), swapped.data_type());
    assert_eq!(cast.null_count(), 1);

    let older = wanted(vec![("a", DataType::Int32), ("c", DataType::Int32)]);
    let cast = cast_column(&column, &older, Unmatched::LeaveOut).unwrap();
    let DataType::Struct(fields) = cast.data_type() else {
        panic!("a struct stays one");
    };
    assert_eq!(fields.len(), 1, "the row type decides about `c`");
    assert_eq!(
        *cast_column(&column, &older, Unmatched::Refuse)
            .unwrap_err()
            .problem,
        CastProblem::Fields(vec!["b".to_owned()], vec!["c".to_owned()])
    );
    let text = refusal(column, &wanted(vec![("a", DataType::Boolean)]));
    assert!(text.starts_with("column `leg.a` holds Int32"), "{text}");
}

#[test]
fn keys_and_values_of_maps_are_matched_by_position() {
    let map = |key: &str, value: &str, keys: Vec<&str>, values: ArrayRef| -> ArrayRef {
        let fields = vec![
            Arc::new(Field::new(key, DataType::Utf8, false)),
            Arc::new(Field::new(value, values.data_type().clone(), true)),
        ];
        let lengths = arrow_buffer::OffsetBuffer::from_lengths([keys.len()]);
        let keys: ArrayRef = Arc::new(StringArray::from(keys));
        let pairs = StructArray::new(fields.into(), vec![keys, values], None);
        let entries = Arc::new(Field::new("entries", pairs.data_type().clone(), false));
        Arc::new(MapArray::new(entries, lengths, pairs, None, false))
    };
    let stored = map(
        "key",
        "value",
        vec!["a", "b"],
        Arc::new(Int32Array::from(vec![1, 2])),
    );
    let wide: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
    let wanted = map("keys", "values", vec!["a", "b"], wide);
    assert_eq!(&cast(&stored, wanted.data_type()).unwrap(), &wanted);
    let narrow = map("k", "v", vec![], new_null_array(&DataType::Boolean, 0));
    let text = cast(&stored, narrow.data_type()).unwrap_err().to_string();
    assert!(text.starts_with("column `x{value}` holds Int32"), "{text}");
}

#[test]
fn nan_is_kept_and_negative_zero_is_no_integer() {
    let odd: ArrayRef = Arc::new(Float64Array::from(vec![
        f64::NAN,
        -f64::NAN,
        f64::from_bits(0x7ff0_0000_0000_0001),
        f64::INFINITY,
    ]));
    assert!(cast(&odd, &DataType::Float32).is_ok());
    assert!(cast(&odd, &DataType::Int64).is_err());
    let zero: ArrayRef = Arc::new(Float64Array::from(vec![-0.0]));
    assert!(cast(&zero, &DataType::Int64).is_err());
    // The same numbers in milliseconds and seconds, before 1970 too.
    let millis: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![-1_000]));
    let seconds = DataType::Timestamp(TimeUnit::Second, None);
    assert_eq!(
        cast(&millis, &seconds).unwrap().as_ref(),
        &TimestampSecondArray::from(vec![-1]) as &dyn Array
    );
}
