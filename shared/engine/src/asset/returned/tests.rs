use precip_core::key::{AssetKey, CheckKey};

use super::{OutputCollector, ReturnValue, ReturnedOutput};
use crate::asset::{AssetContext, AssetError, AssetValue, CheckResult, ErrorKind};

fn asset_key(key: &str) -> AssetKey {
    key.parse().unwrap()
}

fn made_with_value() -> ReturnedOutput {
    ReturnedOutput {
        value: Some(AssetValue::new(1u8)),
        ..ReturnedOutput::default()
    }
}

fn collect_returned(
    context: &AssetContext,
    checks: &[CheckKey],
    returned: ReturnValue,
) -> Result<crate::asset::OpOutputs, AssetError> {
    let mut collector = OutputCollector::new(context, checks);
    collector.add(&asset_key("a"), returned)?;
    Ok(collector.into_outputs())
}

fn check_key(name: &str) -> CheckKey {
    CheckKey {
        asset: asset_key("a"),
        name: name.to_owned(),
    }
}

#[test]
fn what_is_returned_wins_over_what_was_added_on_the_way() {
    let context = AssetContext::builder().build();
    context.add_metadata("rows", 1);
    context.add_metadata("seen", true);
    let made = ReturnedOutput {
        metadata: [("rows".to_owned(), 2.into())].into_iter().collect(),
        ..made_with_value()
    };
    let outputs = collect_returned(&context, &[], ReturnValue::Whole(made)).unwrap();
    assert_eq!(outputs.made[0].metadata["rows"], 2.into());
    assert_eq!(outputs.made[0].metadata["seen"], true.into());
    assert_eq!(outputs.made[0].partition, None);
}

#[test]
fn an_asset_that_was_not_asked_for_is_left_out() {
    let context = AssetContext::builder().selected([asset_key("b")]).build();
    let outputs = collect_returned(&context, &[], ReturnValue::Whole(made_with_value())).unwrap();
    assert!(outputs.made.is_empty());
}

#[test]
fn one_value_is_not_several_partitions() {
    let context = AssetContext::builder()
        .partition("x")
        .partition("y")
        .build();
    let error = collect_returned(&context, &[], ReturnValue::Whole(made_with_value())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Terminal);
    assert_eq!(
        error.message(),
        "`a` returned one value for 2 partitions: return `Partitions<T>`, which holds one for each key"
    );
    // What was stored by the function itself may be any number of partitions.
    let outputs =
        collect_returned(&context, &[], ReturnValue::Whole(ReturnedOutput::default())).unwrap();
    assert_eq!(outputs.made.len(), 2);
}

/// `None` skips every requested partition, and one part of several alone. Checks have no result then.
#[test]
fn nothing_skips_what_was_asked_for() {
    let none = collect_returned(&AssetContext::builder().build(), &[], ReturnValue::Nothing);
    assert_eq!(none.unwrap().skipped, [(asset_key("a"), None)]);
    let context = AssetContext::builder()
        .partition("x")
        .partition("y")
        .build();
    let outputs = collect_returned(&context, &[check_key("fine")], ReturnValue::Nothing).unwrap();
    let pair = |key: &str| (asset_key("a"), Some(key.into()));
    assert_eq!(outputs.skipped, [pair("x"), pair("y")]);
    assert!(outputs.made.is_empty() && outputs.checks.is_empty() && outputs.failed.is_empty());

    let parts = vec![
        ("y".into(), Ok(None)),
        ("x".into(), Ok(Some(made_with_value()))),
    ];
    let outputs = collect_returned(&context, &[], ReturnValue::Parts(parts)).unwrap();
    assert_eq!(outputs.skipped, [pair("y")]);
    assert_eq!(outputs.made.len(), 1);
}

#[test]
fn a_partition_fails_alone() {
    let context = AssetContext::builder()
        .partition("x")
        .partition("y")
        .partition("z")
        .build();
    let parts = vec![
        ("x".into(), Ok(Some(made_with_value()))),
        ("y".into(), Err(AssetError::retryable("no file"))),
    ];
    let outputs = collect_returned(&context, &[], ReturnValue::Parts(parts)).unwrap();
    assert_eq!(outputs.made.len(), 1);
    // The returned error fails `y`, and `z` fails because it was not returned.
    let failed: Vec<String> = outputs
        .failed
        .iter()
        .map(|(key, error)| format!("{key}: {error}"))
        .collect();
    assert_eq!(failed, ["y: no file", "z: `a` returned nothing for it"]);

    // A partition that was not requested fails the whole invocation.
    let stray = vec![("w".into(), Ok(Some(made_with_value())))];
    assert_eq!(
        collect_returned(&context, &[], ReturnValue::Parts(stray))
            .unwrap_err()
            .message(),
        "`a` returned partition `w`, and was asked for `x`, `y` and `z`"
    );
}

#[test]
fn every_declared_check_has_one_result() {
    let context = AssetContext::builder().partition("x").build();
    let declared = [check_key("not_empty"), check_key("fresh")];
    let with = |checks: Vec<CheckResult>| {
        ReturnValue::Whole(ReturnedOutput {
            checks,
            ..made_with_value()
        })
    };
    let both = vec![
        CheckResult::pass().named("fresh"),
        CheckResult::fail("no rows").named("not_empty"),
    ];
    let outputs = collect_returned(&context, &declared, with(both)).unwrap();
    assert_eq!(outputs.checks[1].check, check_key("not_empty"));
    assert_eq!(outputs.checks[1].partition, Some("x".into()));

    // Missing, misspelled and ambiguous results are errors.
    let message = |checks| {
        let error = collect_returned(&context, &declared, with(checks)).unwrap_err();
        error.message().to_owned()
    };
    assert_eq!(
        message(vec![CheckResult::pass().named("fresh")]),
        "check `not_empty` of `a` has no result: return one with `.check(..)`"
    );
    assert_eq!(
        message(vec![CheckResult::pass().named("fersh")]),
        "`a` returned a result of check `fersh`: those without a result are `not_empty` and `fresh`"
    );
    assert_eq!(
        message(vec![CheckResult::pass()]),
        "`a` returned a check result without a name (`.named(..)`): those without a result are `not_empty` and `fresh`"
    );
}
