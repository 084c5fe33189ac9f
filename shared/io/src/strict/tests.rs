use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;

fn read<T: for<'de> Deserialize<'de>>(json: Value) -> Result<T, String> {
    T::deserialize(Exact(json)).map_err(|error| error.to_string())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reading {
    mean: f32,
    counts: BTreeMap<u64, Option<f64>>,
    pair: (f64, String),
    shape: Shape,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Dot,
    Circle(f32),
    Box { side: f32 },
    Pair(f64, f32),
}

fn reading(shape: Shape) -> Reading {
    Reading {
        mean: 0.1,
        counts: [(1, None), (u64::MAX, Some(2.5))].into(),
        pair: (1.0, "x".to_owned()),
        shape,
    }
}

#[test]
fn numbers_that_a_float_holds_are_read() {
    for shape in [
        Shape::Dot,
        Shape::Circle(0.1),
        Shape::Box { side: f32::MAX },
        Shape::Pair(0.1, 0.1),
    ] {
        let json = serde_json::to_value(reading(shape)).unwrap();
        let back: Reading = read(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(back).unwrap(), json);
    }
    assert_eq!(read::<f64>(json!(i64::MIN)), Ok(i64::MIN as f64));
    assert_eq!(read::<f32>(json!(16_777_216)), Ok(16_777_216.0));
    assert_eq!(read::<Option<f64>>(json!(null)), Ok(None));
    // A number of any type stays what it is.
    assert_eq!(
        read::<Value>(json!([u64::MAX, 1e300])),
        Ok(json!([u64::MAX, 1e300]))
    );
}

#[test]
fn numbers_that_a_float_does_not_hold_are_refused() {
    let refused = read::<f64>(json!(9_007_199_254_740_993_i64)).unwrap_err();
    assert_eq!(
        refused,
        "`f64` cannot hold 9007199254740993; read it as the integer that it is"
    );
    for json in [
        json!(u64::MAX),
        json!(i64::MAX),
        json!(-9_007_199_254_740_993_i64),
    ] {
        assert!(read::<f64>(json).is_err());
    }
    for json in [
        json!(16_777_217),
        json!(16_777_217.0),
        json!(1e300),
        json!(0.1),
    ] {
        assert!(read::<f32>(json.clone()).is_err(), "{json}");
        assert!(read::<Vec<Option<f32>>>(json!([null, json])).is_err());
        let odd = json!({"mean": 1, "counts": {}, "pair": [1, "x"], "shape": {"Circle": json}});
        assert!(read::<Reading>(odd).is_err());
        let odd =
            json!({"mean": 1, "counts": {}, "pair": [1, "x"], "shape": {"Box": {"side": json}}});
        assert!(read::<Reading>(odd).is_err());
        let odd = json!({"mean": 1, "counts": {}, "pair": [1, "x"], "shape": {"Pair": [1, json]}});
        assert!(read::<Reading>(odd).is_err());
    }
    // Other kinds were never converted.
    for json in [json!("1"), json!(true), json!(1.0), json!(300)] {
        assert!(read::<i8>(json).is_err());
    }
    assert!(read::<bool>(json!(1)).is_err());
    assert!(read::<String>(json!(1)).is_err());
}

#[test]
fn a_number_that_is_not_finite_is_found_by_its_path() {
    let nan = f64::NAN;
    for (found, message) in [
        (check_finite(&nan), "it is NaN"),
        (check_finite(&f32::NEG_INFINITY), "it is -inf"),
        (check_finite(&Some(nan)), "it is NaN"),
        (
            check_finite(&vec![Some(1.0), None, Some(nan)]),
            "`[2]` is NaN",
        ),
        (
            check_finite(&("x", (1.0, f32::INFINITY))),
            "`[1][1]` is inf",
        ),
        (
            check_finite(&BTreeMap::from([("a b", vec![nan])])),
            "`a b[0]` is NaN",
        ),
        (check_finite(&BTreeMap::from([(7, nan)])), "`7` is NaN"),
    ] {
        assert_eq!(found.unwrap_err(), message);
    }
    for (shape, message) in [
        (Shape::Circle(f32::NAN), "`shape.Circle` is NaN"),
        (Shape::Box { side: f32::NAN }, "`shape.side` is NaN"),
        (Shape::Pair(1.0, f32::NAN), "`shape[1]` is NaN"),
    ] {
        assert_eq!(check_finite(&reading(shape)).unwrap_err(), message);
    }
    assert_eq!(check_finite(&reading(Shape::Dot)), Ok(()));
}
