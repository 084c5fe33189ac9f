//! The properties of `tests/fuzz`, checked with random text on stable Rust.

use proptest::prelude::*;

#[path = "../../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    reason = "they are public in the crate of the fuzz targets, which shares these files"
)]
mod properties;

/// Symbols and words of the selection language, in any order.
const SELECTION: &str = r#"(key:|tag:|group:|owner:|is:|kind:<null>|roots|sinks|and |or |not |[ a-z0-9*+():="<>&|!,é☃\\\n]){0,24}"#;

/// Parts of partition keys, in any order.
const PARTITION_KEY: &str = r"(EWR|AA|a b|\||-|/|:|202[0-9]|[0-9]{1,2}|[+T ]|日本|\PC){0,10}";

/// Parts of cron strings, in any order.
const CRON: &str = r"((\*|[0-9]{1,2}|mon|JAN|L|@daily|\?)([-/,#][0-9L*]{0,2})?[ \t]{0,2}){0,7}";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_selection_is_parsed_or_refused(text in prop_oneof![SELECTION, "\\PC{0,20}"]) {
        properties::selection(&text);
    }

    #[test]
    fn any_partition_key_is_parsed_or_refused(text in prop_oneof![PARTITION_KEY, "2024-0[1-4]-[0-3][0-9](-[0-2][0-9]:00)?", "\\PC{0,20}"]) {
        properties::partition_key(&text);
    }

    #[test]
    fn any_cron_string_is_parsed_or_refused(text in prop_oneof![CRON, "\\PC{0,20}"]) {
        properties::cron(&text);
    }
}
