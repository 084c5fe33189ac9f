//! Bytes that an earlier version wrote are still read: homes, files of runs on AWS, payloads of the
//! state machines, and rows of the table.
//!
//! The files in `fixtures/stored` were written by an earlier version and never change. A test that
//! fails here means that a stored or sent name has changed: keep the old name with
//! `#[serde(rename = "..")]`, or read both.

mod home;
mod machine;
mod record;

use std::{
    fs,
    path::{Path, PathBuf},
};

use precip_tests::stored::stored_fixture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Reads a JSON fixture.
fn read_json(name: &str) -> Value {
    let text = fs::read_to_string(stored_fixture(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Reads stored JSON as a `T` and checks that `T` writes the same JSON again, so that no field was
/// skipped as unknown or replaced by a default.
#[track_caller]
fn parse_whole<T: DeserializeOwned + Serialize>(stored: &Value) -> T {
    let parsed: T =
        serde_json::from_value(stored.clone()).unwrap_or_else(|error| panic!("{error}: {stored}"));
    assert_eq!(serde_json::to_value(&parsed).unwrap(), *stored);
    parsed
}

/// Returns the files below a folder that end with `suffix`, sorted.
fn files_below(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path, suffix));
        } else if path.to_string_lossy().ends_with(suffix) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Checks that `actual` holds every value of the stored JSON `expected`. Fields that were added
/// since then are passed over.
#[track_caller]
fn assert_keeps(actual: &Value, expected: &Value) {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (name, value) in expected {
                let kept = actual.get(name);
                assert_keeps(kept.unwrap_or_else(|| panic!("{name} is gone")), value);
            }
        }
        (Value::Array(actual), Value::Array(expected)) => {
            assert_eq!(actual.len(), expected.len(), "{actual:?}");
            for (actual, expected) in actual.iter().zip(expected) {
                assert_keeps(actual, expected);
            }
        }
        _ => assert_eq!(actual, expected),
    }
}
