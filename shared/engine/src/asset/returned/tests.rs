use precip_core::key::{AssetKey, CheckKey};

use super::{Collector, Made, Returned};
use crate::asset::{AssetContext, AssetError, AssetValue, CheckResult, ErrorKind};

fn key(key: &str) -> AssetKey {
    key.parse().unwrap()
}

fn valued() -> Made {
    Made {
        value: Some(AssetValue::new(1u8)),
        ..Made::default()
    }
}

fn collect(
    context: &AssetContext,
    checks: &[CheckKey],
    returned: Returned,
) -> Result<crate::asset::OpOutputs, AssetError> {
    let mut collector = Collector::new(context, checks);
    collector.add(&key("a"), returned)?;
    Ok(collector.finish())
}

fn check(name: &str) -> CheckKey {
    CheckKey {
        asset: key("a"),
        name: name.to_owned(),
    }
}

#[test]
fn what_is_returned_wins_over_what_was_added_on_the_way() {
    let context = AssetContext::builder().build();
    context.add_metadata("rows", 1);
    context.add_metadata("seen", true);
    let made = Made {
        metadata: [("rows".to_owned(), 2.into())].into_iter().collect(),
        ..valued()
    };
    let outputs = collect(&context, &[], Returned::Whole(made)).unwrap();
    assert_eq!(outputs.made[0].metadata["rows"], 2.into());
    assert_eq!(outputs.made[0].metadata["seen"], true.into());
    assert_eq!(outputs.made[0].partition, None);
}

#[test]
fn an_asset_that_was_not_asked_for_is_left_out() {
    let context = AssetContext::builder().selected([key("b")]).build();
    let outputs = collect(&context, &[], Returned::Whole(valued())).unwrap();
    assert!(outputs.made.is_empty());
}

#[test]
fn one_value_is_not_several_partitions() {
    let context = AssetContext::builder()
        .partition("x")
        .partition("y")
        .build();
    let error = collect(&context, &[], Returned::Whole(valued())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Terminal);
    assert_eq!(
        error.message(),
        "`a` returned one value for 2 partitions: return `Partitions<T>`, which holds one for each key"
    );
    // What was stored by the function itself may be any number of partitions.
    let outputs = collect(&context, &[], Returned::Whole(Made::default())).unwrap();
    assert_eq!(outputs.made.len(), 2);
}

#[test]
fn a_partition_fails_alone() {
    let context = AssetContext::builder()
        .partition("x")
        .partition("y")
        .partition("z")
        .build();
    let parts = vec![
        ("x".into(), Ok(valued())),
        ("y".into(), Err(AssetError::retryable("no file"))),
    ];
    let outputs = collect(&context, &[], Returned::Parts(parts)).unwrap();
    assert_eq!(outputs.made.len(), 1);
    let failed: Vec<String> = outputs
        .failed
        .iter()
        .map(|(key, error)| format!("{key}: {error}"))
        .collect();
    assert_eq!(failed, ["y: no file", "z: `a` returned nothing for it"]);

    let stray = vec![("w".into(), Ok(valued()))];
    assert_eq!(
        collect(&context, &[], Returned::Parts(stray))
            .unwrap_err()
            .message(),
        "`a` returned partition `w`, and was asked for `x`, `y` and `z`"
    );
}

#[test]
fn every_declared_check_has_one_result() {
    let context = AssetContext::builder().partition("x").build();
    let declared = [check("not_empty"), check("fresh")];
    let with = |checks: Vec<CheckResult>| Returned::Whole(Made { checks, ..valued() });
    let both = vec![
        CheckResult::pass().named("fresh"),
        CheckResult::fail("no rows").named("not_empty"),
    ];
    let outputs = collect(&context, &declared, with(both)).unwrap();
    assert_eq!(outputs.checks[1].check, check("not_empty"));
    assert_eq!(outputs.checks[1].partition, Some("x".into()));

    let message = |checks| {
        let error = collect(&context, &declared, with(checks)).unwrap_err();
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
