use rstest::rstest;
use serde_json::{Value, json};

use crate::trigger::{Bucket, EventPattern, ObjectFilter, ObjectSensor};

fn object_sensor(template: &str) -> ObjectSensor {
    ObjectSensor {
        bucket: Bucket::Named("landing".into()),
        filter: ObjectFilter::Key(template.parse().unwrap()),
        min_size: 0,
        deletes: false,
    }
}

#[rstest]
#[case("plain/key.csv", json!("plain/key.csv"))]
#[case("flights/{date}.csv.gz", json!({"wildcard": "flights/*.csv.gz"}))]
#[case("orders/{date}/{region}.csv", json!({"wildcard": "orders/*/*.csv"}))]
#[case("orders/{date}", json!({"prefix": "orders/"}))]
#[case("**.csv", json!({"suffix": ".csv"}))]
#[case("{date:%Y%m%d}.csv", json!({"suffix": ".csv"}))]
#[case(r"a\b/{date}.csv", json!({"wildcard": r"a\\b/*.csv"}))]
#[case("a/*/b/*/c/*/d/*/e/*/f/*/g.csv", json!({"wildcard": "a/*/b/*/c/*/d/*/e/*/g.csv"}))]
fn a_template_becomes_the_narrowest_pattern(#[case] template: &str, #[case] key: Value) {
    let pattern = EventPattern::new(&object_sensor(template), "landing").unwrap();
    assert_eq!(pattern.as_json()["detail"]["object"]["key"], json!([key]));
}

#[test]
fn the_whole_pattern() {
    let mut sensor = object_sensor("**");
    sensor.filter = ObjectFilter::Between {
        prefix: "in/".into(),
        suffix: ".csv".into(),
    };
    sensor.min_size = 1;
    let pattern = EventPattern::new(&sensor, "landing").unwrap();
    assert_eq!(
        *pattern.as_json(),
        json!({
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": ["landing"]},
                "object": {
                    "key": [{"wildcard": "in/*.csv"}],
                    "size": [{"numeric": [">=", 1]}],
                },
            },
        })
    );
    sensor.deletes = true;
    sensor.filter = ObjectFilter::Between {
        prefix: String::new(),
        suffix: String::new(),
    };
    let pattern = EventPattern::new(&sensor, "landing").unwrap();
    assert_eq!(
        pattern.as_json()["detail-type"],
        json!(["Object Created", "Object Deleted"])
    );
    assert_eq!(
        pattern.as_json()["detail"],
        json!({"bucket": {"name": ["landing"]}})
    );
}

#[test]
fn a_pattern_that_is_too_long_is_refused() {
    let long: String = ["é".repeat(400), "b".repeat(200)].concat();
    assert!(EventPattern::new(&object_sensor(&long), "landing").is_ok());
    let error = EventPattern::new(&object_sensor(&long), &"x".repeat(2_000)).unwrap_err();
    assert!(error.to_string().contains("at most 2048"), "{error}");
}

#[test]
fn folders_and_small_objects_are_left_out() {
    let mut sensor = object_sensor("in/**");
    assert!(sensor.accepts_object("in/a.csv", Some(0)));
    assert!(!sensor.accepts_object("in/2024/", Some(0)));
    sensor.min_size = 10;
    assert!(!sensor.accepts_object("in/a.csv", Some(9)));
    assert!(sensor.accepts_object("in/a.csv", None));
}
