//! The properties of `tests/fuzz`, checked with random text on stable Rust.

use std::fs;

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

/// Parts of a template and an object's key on two lines, in any order.
const KEY_TEMPLATE: &str = r"(orders/|\{date\}|\{date:%Y/%m\}|\{region\}|\*\*?|\{\{|[{}*/.\\]|2024|01|a b|é|\.csv|\n){0,14}";

/// Parts of partition selectors, in any order.
const SELECTOR: &str =
    r#"(all|latest|missing|failed|skipped|:|,|\.\.\.|\.|"|\\|2024-01-01|a b|[ \t]|é){0,12}"#;

/// Messages with fields of S3's and EventBridge's events, with any values.
const MESSAGE: &str = r#"\{("(Records|body|eventSource|detail-type|detail|s3|object|bucket|key|sequencer|Event|time)": ?("(aws:sqs|Object Created|[0-9A-F]{0,4}|%[0-9A-F]?|[a-z+/]{0,5})"|[0-9]{1,3}|null|\[\]|\{"key": "[a-z%+]{0,4}"\}),? ?){0,5}\}"#;

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

    #[test]
    fn any_template_of_keys_is_parsed_or_refused(text in prop_oneof![KEY_TEMPLATE, "\\PC{0,20}"]) {
        properties::key_template(&text);
    }

    #[test]
    fn any_partition_selector_is_parsed_or_refused(text in prop_oneof![SELECTOR, "\\PC{0,20}"]) {
        properties::partition_selector(&text);
    }

    #[test]
    fn any_message_is_read_or_refused(text in prop_oneof![MESSAGE, "\\PC{0,20}"]) {
        properties::object_message(&text);
    }
}

/// Texts that once broke a property.
#[test]
fn every_seed_of_the_fuzzers_holds_its_property() {
    let check = |target: &str, property: fn(&str)| {
        let folder = format!("{}/../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
        let seeds: Vec<_> = fs::read_dir(folder).unwrap().collect();
        assert!(!seeds.is_empty());
        for seed in seeds {
            property(&fs::read_to_string(seed.unwrap().path()).unwrap());
        }
    };
    check("key_template", properties::key_template);
    check("partition_selector", properties::partition_selector);
    check("selection", properties::selection);
}
