//! Conditions that are refused.

use super::*;
use AutomationCondition as Condition;

fn compile_error(condition: Condition) -> String {
    let graph = graph_of([
        asset_spec("raw/flights", &[], None),
        asset_spec("daily", &["raw/flights"], Some(condition)),
    ]);
    Conditions::new(&graph, Ordering::Sequence)
        .unwrap_err()
        .to_string()
}

#[test]
fn a_bad_schedule() {
    insta::assert_snapshot!(compile_error(Condition::on_cron("0 25 * * *", "UTC")), @"the automation condition of `daily` has a bad schedule in `cron_tick_passed(0 25 * * *, UTC)`: `0 25 * * *` is not a cron schedule: hour `25` is out of range; write 0 to 23, a list `0,12`, a range `9-17` or a step `*/6`");
    let zone = compile_error(Condition::on_cron("0 2 * * *", "Europe/Belrin"));
    assert!(
        zone.contains("Europe/Belrin") && zone.contains("Europe/Berlin"),
        "{zone}"
    );
}

#[test]
fn a_selection_or_an_asset_that_does_not_exist() {
    let allow = Condition::eager().allow("raw/flihgts".parse().unwrap());
    insta::assert_snapshot!(compile_error(allow), @"the automation condition of `daily` cannot tell which upstream assets to ask: selection `raw/flihgts`: there is no asset `raw/flihgts`: did you mean `raw/flights`?");
    let other = Condition::asset_matches(asset_key("raw/flihgts"), Condition::missing());
    insta::assert_snapshot!(compile_error(other), @"the automation condition of `daily` asks about `raw/flihgts`, which is not declared: did you mean `raw/flights`?");
}

#[test]
fn a_condition_on_the_wrong_target() {
    insta::assert_snapshot!(compile_error(Condition::check_failed()), @"the automation condition of `daily` asks `check_failed` of asset `daily`: only a check passes or fails: write it inside `any_checks_match` or `all_checks_match`");
    let check = Condition::any_checks_match(Condition::any_deps_missing());
    let mut op = OpSpec::single(asset_spec("a", &[], Some(check)));
    let name = crate::key::CheckKey {
        asset: asset_key("a"),
        name: "rows".parse().unwrap(),
    };
    op.checks = vec![crate::spec::CheckSpec::new(name)];
    let graph = AssetGraph::new(vec![op], vec![]).unwrap();
    let error = Conditions::new(&graph, Ordering::Sequence).unwrap_err();
    insta::assert_snapshot!(error, @"the automation condition of `a` asks `any_deps_missing` of check `a:rows`: a check has no dependencies of its own here: ask it of the asset");
}

#[test]
fn an_operator_over_nothing() {
    let empty = serde_json::from_str(r#"{"op": "and", "args": []}"#).unwrap();
    insta::assert_snapshot!(compile_error(empty), @"the automation condition of `daily` has an empty `and`: give it at least one condition");
}

#[test]
fn a_condition_on_an_external_asset() {
    let watched = asset_spec("outside", &[], Some(Condition::eager()));
    let graph = AssetGraph::new(vec![], vec![watched]).unwrap();
    let error = Conditions::new(&graph, Ordering::Sequence).unwrap_err();
    insta::assert_snapshot!(error, @"the automation condition of `outside` asks `eager` of asset `outside`: nothing here makes it: put the condition on an asset that an op makes");
}
