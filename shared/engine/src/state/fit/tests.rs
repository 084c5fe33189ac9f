use precip_core::metadata::{Metadata, MetadataValue, TableSchema};

use super::*;
use crate::state::conformance::fixtures::{
    check_evaluation, day_partition, failed_attempt, materialization_of, run_id,
};
use crate::state::{CheckOutcome, MAX_RECORD_BYTES};

fn json_bytes(value: &impl serde::Serialize) -> usize {
    serde_json::to_string(value).unwrap().len()
}

/// Texts of `length` bytes or a little more: plain, of wide characters, and of characters that JSON
/// escapes.
fn long_texts(length: usize) -> Vec<String> {
    ["x", "gr\u{fc}n \u{1f327} ", "\u{1b}\"\n\u{0}"]
        .iter()
        .map(|piece| piece.repeat(length / piece.len() + 1))
        .collect()
}

#[test]
fn the_length_is_that_of_json() {
    let all: String = ('\0'..='\u{ff}').chain(['\u{1f327}', '\u{2028}']).collect();
    assert_eq!(json_len(&all) + 2, json_bytes(&all));
}

#[test]
fn a_text_is_cut_between_characters_and_says_how_much() {
    for text in long_texts(5000) {
        for most in [60, 61, 62, 63, 64, 200, 4999] {
            let cut = cut_text(&text, most, "; it is in `x`");
            assert!(json_len(&cut) <= most, "{} > {most}", json_len(&cut));
            let (kept, mark) = cut.rsplit_once(".. (").unwrap();
            assert!(text.starts_with(kept));
            let rest = text.len() - kept.len();
            assert_eq!(mark, format!("{rest} more bytes; it is in `x`)"));
            // One more character would not have fitted, up to the digits of the count.
            assert!(most - json_len(&cut) <= 7, "{most}: {cut}");
        }
        assert_eq!(cut_text(&text, json_len(&text), ""), text);
    }
}

#[test]
fn an_error_is_cut_to_its_limit_and_counts_its_causes() {
    let short = AssetError::retryable("no row");
    assert!(error_fits(&short));
    for text in long_texts(400 * 1024) {
        let error = AssetError::terminal(text.clone()).with_causes(vec![text.clone(); 30]);
        assert!(!error_fits(&error));
        let cut = cut_error(&error, "; whole: y");
        assert!(error_fits(&cut));
        assert_eq!(cut.kind(), error.kind());
        assert!(cut.message().ends_with("more bytes; whole: y)"));
        let last = cut.causes().last().unwrap();
        let count = 30 - (cut.causes().len() - 1);
        assert_eq!(*last, format!("({count} more causes; whole: y)"));
    }
    // Very many causes of almost nothing.
    let many = AssetError::retryable("m").with_causes(vec![String::new(); 200_000]);
    let cut = cut_error(&many, "");
    assert!(json_bytes(&cut.causes()) < MAX_ERROR_BYTES);
}

#[test]
fn a_failure_that_is_cut_fits_a_record() {
    for text in long_texts(MAX_RECORD_BYTES) {
        let mut failure = failed_attempt(&day_partition("a", 1), run_id(1), 1);
        failure.message.clone_from(&text);
        failure.causes = vec![text; 3];
        assert!(json_bytes(&failure.cut_to_fit("; whole: y")) < MAX_RECORD_BYTES / 2);
    }
}

#[test]
fn the_largest_metadata_is_cut_and_the_rest_stays() {
    for text in long_texts(MAX_RECORD_BYTES) {
        let columns: TableSchema = [(text.clone(), "Utf8", true)].into_iter().collect();
        let metadata = Metadata::from_iter([
            ("rows".to_owned(), MetadataValue::Int(842)),
            ("log".to_owned(), MetadataValue::from(text.clone())),
            ("page".to_owned(), MetadataValue::Url(text.clone())),
            (
                "json".to_owned(),
                MetadataValue::Json(vec![text.clone()].into()),
            ),
            ("columns".to_owned(), columns.into()),
            ("note".to_owned(), MetadataValue::from("short")),
            (text.clone(), MetadataValue::Bool(true)),
        ]);
        let cut = cut_metadata(metadata.clone(), MAX_METADATA_BYTES, "; whole: y");
        assert!(json_bytes(&cut) <= MAX_METADATA_BYTES);
        assert_eq!(cut.len(), metadata.len());
        for kept in ["rows", "note"] {
            assert_eq!(cut[kept], metadata[kept]);
        }
        for name in ["log", "page", "json", "columns"] {
            let MetadataValue::Text(text) = &cut[name] else {
                panic!("{name} is {:?}", cut[name]);
            };
            assert!(text.ends_with("more bytes; whole: y)"), "{name}");
            // Each of the large ones has its share.
            assert!(json_len(text) > MAX_METADATA_BYTES / 8, "{name}");
        }
        let whole = cut_metadata(cut.clone(), MAX_METADATA_BYTES, "");
        assert_eq!(whole, cut, "what fits is left alone");
    }
}

#[test]
fn of_very_many_entries_the_last_are_left_out_and_counted() {
    let entry = |index| {
        (
            format!("column {index}"),
            MetadataValue::from("x".repeat(600)),
        )
    };
    let metadata: Metadata = (0..1000).map(entry).collect();
    let cut = cut_metadata(metadata.clone(), MAX_METADATA_BYTES, "; whole: y");
    assert!(json_bytes(&cut) <= MAX_METADATA_BYTES);
    assert_eq!(cut["column 0"], metadata["column 0"]);
    let left = 1000 - (cut.len() - 1);
    let count = MetadataValue::from(format!("{left} more entries; whole: y"));
    assert_eq!(cut[LEFT_OUT_NAME], count);
}

const LEFT_OUT_NAME: &str = "precip/left_out";

#[test]
fn checks_share_a_record_with_the_materialization() {
    for text in long_texts(MAX_RECORD_BYTES) {
        let target = day_partition("a", 1);
        let mut made = materialization_of(&target, run_id(1), 1);
        let log = || Metadata::from_iter([("log".to_owned(), MetadataValue::from(text.clone()))]);
        made.metadata = cut_metadata(log(), MAX_METADATA_BYTES, "");
        for name in ["fresh", "unique", "complete", "sorted"] {
            let mut found = check_evaluation(name, &target, run_id(1), 1, CheckOutcome::Failed);
            found.description = Some(text.clone());
            found.metadata = log();
            assert!(!found.finding_fits(4));
            let cut = found.cut_to_fit(4, "; whole: y");
            assert!(cut.finding_fits(4));
            made.checks.push(cut);
        }
        assert!(json_bytes(&made) < MAX_RECORD_BYTES - 64 * 1024);
    }
}
