//! The language on a small graph. Its agreement with Dagster is tested by `tests/vectors`.

use insta::assert_snapshot;
use proptest::prelude::*;
use rstest::rstest;

use crate::{
    graph::AssetGraph,
    selection::Selection,
    spec::{AssetSpec, DepSpec, OpSpec},
};

/// `landing -> raw/flights -> daily -> report`, and `weather -> daily`; `landing` is external.
fn flights_graph() -> AssetGraph {
    let asset = |key: &str, deps: &[&str]| {
        let mut spec = AssetSpec::new(key.parse().unwrap());
        spec.deps = deps
            .iter()
            .map(|dep| DepSpec::new(dep.parse().unwrap()))
            .collect();
        spec
    };
    // One attribute of each kind, on a different asset each.
    let landing = asset("landing", &[]);
    let mut flights = asset("raw/flights", &["landing"]);
    let mut weather = asset("weather", &[]);
    let mut daily = asset("daily", &["raw/flights", "weather"]);
    let mut report = asset("report", &["daily"]);
    flights.group = "raw".parse().unwrap();
    weather.group = "raw".parse().unwrap();
    flights.kinds = ["s3".parse().unwrap()].into();
    daily.tags = [("domain".parse().unwrap(), "ops".parse().unwrap())].into();
    report.owners = vec!["team:data".parse().unwrap()];
    let ops = [flights, weather, daily, report].map(OpSpec::single);
    AssetGraph::new(ops.into(), vec![landing]).unwrap()
}

fn select_keys(text: &str) -> String {
    let graph = flights_graph();
    let selected = Selection::parse(text).unwrap().resolve(&graph).unwrap();
    selected
        .iter()
        .map(|id| graph.key(id).as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

fn underlined_invalid(text: &str) -> String {
    Selection::parse(text)
        .and_then(|selection| selection.resolve(&flights_graph()))
        .unwrap_err()
        .to_underlined_text()
}

#[rstest]
#[case("*", "daily raw/flights report weather")]
#[case("daily", "daily")]
#[case("landing", "landing")]
#[case("+daily", "daily raw/flights weather")]
#[case("landing++", "daily landing raw/flights")]
#[case("*report", "daily raw/flights report weather")]
#[case("key:daily+", "daily report")]
#[case("1+key:report", "daily report")]
#[case("key:landing", "landing")]
#[case("+key:landing", "")]
#[case("key:\"raw/*\" or key:*r", "raw/flights weather")]
#[case("group:raw and not kind:s3", "weather")]
#[case("not group:raw and tag:domain=ops", "daily")]
#[case(
    "not (group:raw and tag:domain=ops)",
    "daily raw/flights report weather"
)]
#[case("kind:\"s3\" or group:raw and kind:<null>", "raw/flights weather")]
#[case("owner:\"team:data\"", "report")]
#[case("is:external", "landing")]
#[case("roots(key:landing or key:report)", "landing")]
#[case("sinks(*)", "report")]
#[case(
    "partitions:none and is:materializable",
    "daily raw/flights report weather"
)]
#[case("tag:domain=ops and", "")]
fn selects_the_expected_assets(#[case] text: &str, #[case] keys: &str) {
    assert_eq!(select_keys(text), keys);
}

/// Invalid selections, each with its fault underlined and with advice.
#[test]
fn refusals_say_what_to_write() {
    let texts = [
        "",
        "daly",
        "flights",
        "raw/flights or daily",
        "\"raw/flights\"+",
        "a+1",
        "groups:raw",
        "colour:red",
        "owner:team:data",
        "group:r*",
        "kind:s3 & !group:raw || tag:n=1",
        "kind:s3, kind:dbt",
        "Not key:a And root(*)",
        "+(key:a or (key:b and key:c)",
        "key:a) or key:b",
        "group:\"raw",
        "key:a and",
        "key:a key:b",
        "key:and",
        "is:partitioned",
        "group:raw or tag:<null>",
        "group:raw and status:FAILED",
        "job:nightly",
        "é + ☃",
        "key:\"日本\" ☃",
    ];
    assert_snapshot!(texts.map(underlined_invalid).join("\n\n"));
}

#[test]
fn a_span_is_a_byte_range_of_the_text() {
    let text = "key:\"日本\" ☃";
    let invalid = Selection::parse(text).unwrap_err();
    assert_eq!(&text[invalid.span()], "☃");
}

#[test]
fn nesting_is_limited() {
    let nested = |deep: usize| format!("{}*{}", "(".repeat(deep), ")".repeat(deep));
    assert!(
        Selection::parse(&nested(191))
            .unwrap()
            .resolve(&flights_graph())
            .is_ok()
    );
    assert_eq!(
        Selection::parse(&nested(192)).unwrap_err().message(),
        "the expression is nested more than 192 levels deep"
    );
    assert!(Selection::parse(&"not ".repeat(100_000)).is_err());
    assert!(Selection::parse(&vec!["*"; 100_000].join(" or ")).is_ok());
}

#[test]
fn a_selection_is_a_string_in_json() {
    let selection: Selection = serde_json::from_str("\"+key:a or *\"").unwrap();
    assert_eq!(
        serde_json::to_string(&selection).unwrap(),
        r#""+key:\"a\" or *""#
    );
    assert!(serde_json::from_str::<Selection>("\"(\"").is_err());
}

/// Well-formed selections in the usual styles.
fn well_formed() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-z]{1,3}",
        Just("raw/flights".to_owned()),
        Just("daily".to_owned())
    ];
    let value = prop_oneof![
        word.clone()
            .prop_filter("not a word of the language", |word| {
                !["and", "or", "not", "key", "tag", "is", "job"].contains(&word.as_str())
            }),
        "\"[a-z*/: é]{0,4}\"",
    ];
    // The oldest form, then expressions from their leaves up.
    let clause = (r"\*?\+{0,3}", word, r"\+{0,3}\*?").prop_map(|(up, key, down)| up + &key + &down);
    let leaf = prop_oneof![
        Just("*".to_owned()),
        value.clone().prop_map(|value| format!("key:{value}")),
        (
            prop_oneof!["group", "kind", "owner", "partitions", "tag"],
            value.clone()
        )
            .prop_map(|(name, value)| format!("{name}:{value}")),
        (value.clone(), value).prop_map(|(key, value)| format!("tag:{key}={value}")),
        prop_oneof![
            "kind:<null>",
            "is:external",
            "is:materializable",
            "partitions:none"
        ],
    ];
    let expr = leaf.prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} and {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} or {b}")),
            inner.clone().prop_map(|a| format!("not {a}")),
            ("([0-9]?\\+)?", inner.clone(), "(\\+[0-9]?)?")
                .prop_map(|(up, a, down)| format!("{up}({a}){down}")),
            inner.clone().prop_map(|a| format!("roots({a})")),
            inner.prop_map(|a| format!("sinks({a})")),
        ]
    });
    prop_oneof![1 => clause, 9 => expr]
}

proptest! {
    #[test]
    fn a_formatted_selection_selects_the_same(text in well_formed()) {
        let selection = Selection::parse(&text).unwrap();
        let again = Selection::parse(&selection.to_string()).unwrap();
        prop_assert_eq!(again.to_string(), selection.to_string());
        let graph = flights_graph();
        let keys = |selection: &Selection| selection.resolve(&graph).ok();
        prop_assert_eq!(keys(&again), keys(&selection));
    }

    #[test]
    fn any_text_parses_or_is_refused(text in r#"(key:|tag:|group:|is:|roots|and |or |not |[ a-z0-9*+():="<>&|!,é☃\\\n]){0,20}"#) {
        // Either the text parses, and its formatted form as well, or the error is consistent.
        match Selection::parse(&text) {
            Ok(selection) => {
                prop_assert!(Selection::parse(&selection.to_string()).is_ok(), "{}", selection);
                let _ = selection.resolve(&flights_graph());
            }
            Err(invalid) => {
                let span = invalid.span();
                prop_assert!(text.get(span).is_some());
                prop_assert!(!invalid.to_underlined_text().is_empty());
                if let Some(corrected) = invalid.correction() {
                    prop_assert!(Selection::parse(corrected).is_ok(), "{}", corrected);
                }
            }
        }
    }

    #[test]
    fn any_unicode_parses_or_is_refused(text in any::<String>()) {
        if let Err(invalid) = Selection::parse(&text) {
            prop_assert!(!invalid.to_underlined_text().is_empty());
        }
    }
}
