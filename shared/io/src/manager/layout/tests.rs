use proptest::prelude::*;

use super::*;
use crate::conformance::testing::address_of;

fn second_attempt(asset: &str, partition: Option<&str>) -> Address {
    address_of(asset, partition, 2)
}

#[test]
fn a_path_reads_as_asset_partition_run_attempt() {
    assert_eq!(
        attempt_path(
            &second_attempt("raw/flights", Some("2013-01-01")),
            "parquet"
        ),
        "raw/flights/2013-01-01/01JDC0Z5V9M3T8Q4W2X7Y6R1KA-2.parquet"
    );
    assert_eq!(
        attempt_path(&second_attempt("raw/carriers", None), "csv"),
        "raw/carriers/all-01JDC0Z5V9M3T8Q4W2X7Y6R1KA-2.csv"
    );
    assert_eq!(
        attempt_path(&second_attempt("daily", Some("2013-01-01|EWR")), "csv"),
        "daily/2013-01-01%7CEWR~7/01JDC0Z5V9M3T8Q4W2X7Y6R1KA-2.csv"
    );
}

#[test]
fn a_partition_of_one_asset_is_not_a_file_of_another() {
    let partition = attempt_path(&second_attempt("raw", Some("flights")), "csv");
    let asset = attempt_path(&second_attempt("raw/flights", None), "csv");
    assert_ne!(partition, asset);
    let key = |key: &str| key.parse::<AssetKey>().unwrap();
    assert!(is_of(&key("raw"), &partition) && !is_of(&key("raw/flights"), &partition));
    assert!(is_of(&key("raw/flights"), &asset) && !is_of(&key("raw"), &asset));
    assert!(!is_of(&key("ra"), &asset));
}

#[test]
fn keys_that_differ_in_case_alone_have_folders_that_differ_in_more() {
    for (key, folder) in [
        ("ewr", "ewr"),
        ("EWR", "EWR~7"),
        ("Ewr", "Ewr~1"),
        ("ewR", "ewR~4"),
        ("2013-01-01", "2013-01-01"),
        ("aaaa-bBb", "aaaa-bBb~02"),
        // Escaped letters differ in more than case already.
        ("\u{c9}", "%C3%89"),
        ("\u{e9}", "%C3%A9"),
    ] {
        assert_eq!(partition_folder(key), folder);
        assert_eq!(key_of_folder(folder).as_deref(), Some(key));
    }
    // Numbers that no key has.
    for folder in ["EWR~0", "EWR~70", "ewr~7", "EWR~", "EWR~7~7", "~7"] {
        assert_eq!(key_of_folder(folder), None, "{folder}");
    }
}

#[test]
fn folders_of_older_versions_are_still_found() {
    let asset: AssetKey = "daily".parse().unwrap();
    let path = "daily/2013-01-01%7CEWR/01JDC0Z5V9M3T8Q4W2X7Y6R1KA-2.csv";
    let found = parse_path(&asset, path).unwrap();
    assert_eq!(found, second_attempt("daily", Some("2013-01-01|EWR")));
    let long = "K".repeat(450);
    let older = older_partition_folder(&long);
    assert_eq!(key_of_folder(&older), Some(long));
}

/// Partition keys that are hard to store: separators, dots, escapes, long ones, any text.
fn tricky_keys() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c~%/._|-]{0,6}",
        "\\PC{0,12}",
        "[ab]{195,205}",
        "[aA]{0,4}",
        "[aAbB]{390,402}",
        "[a/]{398,402}",
        any::<String>(),
        Just("..".to_owned()),
        Just("../../etc/passwd".to_owned()),
    ]
}

fn asset_keys() -> impl Strategy<Value = String> {
    "[a-b]{1,2}(/[a-b_-]{1,2}){0,2}"
}

fn is_of(asset: &AssetKey, path: &str) -> bool {
    parse_path(asset, path).is_some()
}

#[test]
fn files_of_other_programs_are_not_attempts() {
    let asset = "raw/flights".parse().unwrap();
    for path in [
        "raw/flights/notes.txt",
        "raw/flights/2013-01-01/data.parquet",
        "raw/flights/2013-01-01/01JDC0Z5V9M3T8Q4W2X7Y6R1KA.parquet",
        "raw/flights/2013|01/01JDC0Z5V9M3T8Q4W2X7Y6R1KA-1.parquet",
        "raw/flights/a/b/01JDC0Z5V9M3T8Q4W2X7Y6R1KA-1.parquet",
        "raw/flights/date=2013-01-01/01JDC0Z5V9M3T8Q4W2X7Y6R1KA-1.parquet",
    ] {
        assert_eq!(parse_path(&asset, path), None, "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_two_addresses_share_a_path(
        (a, b) in (asset_keys(), asset_keys()),
        (x, y) in (proptest::option::of(tricky_keys()), proptest::option::of(tricky_keys())),
    ) {
        let one = attempt_path(&second_attempt(&a, x.as_deref()), "csv");
        let other = attempt_path(&second_attempt(&b, y.as_deref()), "csv");
        prop_assert_eq!(one == other, (&a, &x) == (&b, &y), "{}", one);
        // Not even where capital and small letters are the same.
        prop_assert_eq!(one.to_lowercase() == other.to_lowercase(), one == other, "{}", one);
        // A file is not a folder on the way to another, either.
        let as_folder = one + "/";
        prop_assert!(!other.starts_with(&as_folder));
    }

    #[test]
    fn no_key_leaves_the_folder_of_its_asset(asset in asset_keys(), key in tricky_keys()) {
        let path = attempt_path(&second_attempt(&asset, Some(&key)), "csv");
        let prefix = format!("{}/", asset);
        prop_assert!(path.starts_with(&prefix));
        for name in path.split('/') {
            prop_assert!(!name.is_empty() && name != "." && name != "..");
            prop_assert!(name.len() <= 255);
            prop_assert!(name.bytes().all(|b| b.is_ascii_graphic() && b != b'\\'));
        }
        let found = parse_path(&asset.parse().unwrap(), &path);
        prop_assert_eq!(found, Some(second_attempt(&asset, Some(&key))));
    }

    #[test]
    fn a_path_is_listed_for_its_own_asset_only(
        (a, b) in (asset_keys(), asset_keys()),
        key in proptest::option::of(tricky_keys()),
    ) {
        let path = attempt_path(&second_attempt(&a, key.as_deref()), "csv");
        prop_assert_eq!(is_of(&b.parse().unwrap(), &path), a == b);
    }
}
