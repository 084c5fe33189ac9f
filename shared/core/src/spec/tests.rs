//! The names that Dagster 1.13.28 accepts; its own answers, unless a line says otherwise.

use rstest::rstest;

use crate::spec::{
    AssetSpec, BinaryName, ComputeProfile, GroupName, Kind, Owner, TagKey, TagValue, profile_name,
};

fn repeat_x(count: usize) -> String {
    "x".repeat(count)
}

#[rstest]
#[case("raw", true)]
#[case("a/b", true)]
#[case("A_1/b2", true)]
#[case("a//b", false)]
#[case("/a", false)]
#[case("a/", false)]
#[case("my group", false)]
#[case("a-b", false)]
#[case("a.b", false)]
#[case("", false)]
#[case("é", false)]
fn group_names(#[case] name: &str, #[case] valid: bool) {
    assert_eq!(GroupName::new(name).is_ok(), valid);
}

#[rstest]
#[case("domain".to_owned(), true)]
#[case("a/b".to_owned(), true)]
#[case("a.b-c_d".to_owned(), true)]
#[case("dagster/kind/x".to_owned(), true)]
#[case(repeat_x(63), true)]
#[case(format!("{}/{}", repeat_x(63), repeat_x(63)), true)]
#[case("a/b/c".to_owned(), false)]
#[case("dagster/kind/x/y".to_owned(), false)]
#[case("dagster/kind/".to_owned(), false)]
#[case(String::new(), false)]
#[case("/a".to_owned(), false)]
#[case("a/".to_owned(), false)]
#[case("a b".to_owned(), false)]
#[case(repeat_x(64), false)]
#[case("é".to_owned(), false)]
fn tag_keys(#[case] key: String, #[case] valid: bool) {
    assert_eq!(TagKey::new(key).is_ok(), valid);
}

#[rstest]
#[case(String::new(), true)]
#[case("a.b-c_d".to_owned(), true)]
#[case(repeat_x(63), true)]
#[case("a b".to_owned(), false)]
#[case("a/b".to_owned(), false)]
#[case(repeat_x(64), false)]
fn tag_values(#[case] value: String, #[case] valid: bool) {
    assert_eq!(TagValue::new(value).is_ok(), valid);
}

#[rstest]
#[case("materializer-sql", true)]
#[case("A_b-1", true)]
#[case("", false)]
#[case("1st", false)]
#[case("-sql", false)]
#[case("a.b", false)]
#[case("a/b", false)]
#[case("é", false)]
#[case("abcdefghijklmnopqrstuvwxyzabcdefghijklmno", false)]
fn binary_names(#[case] name: &str, #[case] valid: bool) {
    assert_eq!(BinaryName::new(name).is_ok(), valid);
}

/// Stricter than Dagster, which turns a kind into a tag key without validation.
#[rstest]
#[case("s3", true)]
#[case("k.1", true)]
#[case("", false)]
#[case("a b", false)]
#[case("a/b", false)]
fn kind_names(#[case] kind: &str, #[case] valid: bool) {
    assert_eq!(Kind::new(kind).is_ok(), valid);
}

#[rstest]
#[case("team:data", true)]
#[case("team:a b", true)]
#[case("ann@x.com", true)]
#[case("a.b+c@x-y.io", true)]
#[case("_a@x.com", true)]
#[case("ann@x..com", true)]
#[case("ann@x.abcdefg", true)]
#[case("team:", false)]
#[case("ann", false)]
#[case("ann@x", false)]
#[case("a@b@c.com", false)]
#[case("@x.com", false)]
#[case("ann@.com", false)]
#[case("ann@x.c", false)]
#[case("ann@x.abcdefgh", false)]
#[case("a@x.c0m", false)]
#[case("-a@x.com", false)]
#[case("é@x.com", false)]
fn owner_names(#[case] owner: &str, #[case] valid: bool) {
    assert_eq!(owner.parse::<Owner>().is_ok(), valid);
}

#[test]
fn a_spec_in_json_omits_defaults() {
    let spec = AssetSpec::new("raw/flights".parse().unwrap());
    let json = serde_json::to_string(&spec).unwrap();
    assert_eq!(json, r#"{"key":"raw/flights","group":"default"}"#);
    assert_eq!(serde_json::from_str::<AssetSpec>(&json).unwrap(), spec);
    let invalid = serde_json::from_str::<AssetSpec>(r#"{"key":"a","group":"my group"}"#);
    assert!(
        invalid
            .unwrap_err()
            .to_string()
            .starts_with("`my group` is not a group name")
    );
}

#[test]
fn profiles_that_are_equal_to_lambda_share_a_name() {
    let profile = |millis: u64, disk: u32| ComputeProfile {
        memory_mib: 2048,
        timeout: std::time::Duration::from_millis(millis),
        ephemeral_storage_mib: disk,
        binary: None,
    };
    assert_eq!(profile_name(&profile(899_001, 512)), "2048MiB900s");
    assert_eq!(profile_name(&profile(900_000, 512)), "2048MiB900s");
    assert_eq!(
        profile_name(&profile(900_000, 4096)),
        "2048MiB900sDisk4096MiB"
    );
    // A binary of its own is part of the name.
    let sql = ComputeProfile {
        binary: Some("materializer-sql".parse().unwrap()),
        ..profile(60_000, 4096)
    };
    assert_eq!(profile_name(&sql), "2048MiB60sDisk4096MiBMaterializerSql");
}
