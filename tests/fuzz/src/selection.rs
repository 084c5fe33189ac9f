//! Selections.

use precip_core::{graph::AssetGraph, selection::Selection};

/// Checks that a selection is refused with a span of the text, and only with a correction that parses; or
/// that it can be printed and parsed again, and then selects the same.
pub fn selection(text: &str) {
    let parsed = match Selection::parse(text) {
        Ok(parsed) => parsed,
        Err(refusal) => {
            assert!(
                text.get(refusal.span()).is_some(),
                "the span is not in the text"
            );
            assert!(!refusal.to_underlined_text().is_empty());
            if let Some(corrected) = refusal.correction() {
                assert!(
                    Selection::parse(corrected).is_ok(),
                    "corrected to {corrected:?}"
                );
            }
            return;
        }
    };
    let printed = parsed.to_string();
    let again = Selection::parse(&printed)
        .unwrap_or_else(|refusal| panic!("printed as {printed:?}, which is refused: {refusal}"));
    assert_eq!(
        again.to_string(),
        printed,
        "printed differently the second time"
    );
    let empty = AssetGraph::new(vec![], vec![])
        .unwrap_or_else(|refusal| panic!("nothing is not a graph: {refusal}"));
    assert_eq!(
        again.resolve(&empty).is_ok(),
        parsed.resolve(&empty).is_ok()
    );
}
