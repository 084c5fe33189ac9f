use std::{collections::BTreeSet, sync::Arc};

use rstest::rstest;

use super::*;
use crate::{
    key::CheckKey,
    partitions::{
        DynamicKeys, DynamicPartitions, MultiPartitions, StaticPartitions, TimeWindowPartitions,
    },
    plan::{AssetStatuses, PartitionSelector, PlanRequest},
    spec::{AssetSpec, BackfillPolicy, CheckSpec, DepSpec, OpSpec},
};

/// 9 June 2024, with two shops in a dynamic set.
fn context() -> PartitionContext {
    context_of_shops(&[("harbour", true), ("mill", true)])
}

fn context_of_shops(shops: &[(&str, bool)]) -> PartitionContext {
    let mut context = PartitionContext::at("2024-06-09T12:00:00Z".parse().unwrap());
    let keys = shops.iter().map(|(key, present)| ((*key).into(), *present));
    let shops = DynamicKeys::from_history(keys);
    context.dynamic.insert("shops".to_owned(), shops);
    context
}

fn keys(keys: &[&str]) -> PartitionsDefinition {
    StaticPartitions::new(keys.iter().copied()).unwrap().into()
}

fn days(start: &str) -> PartitionsDefinition {
    TimeWindowPartitions::daily(start).build().unwrap().into()
}

fn shops() -> PartitionsDefinition {
    DynamicPartitions::new("shops").into()
}

fn product(dimensions: &[(&str, PartitionsDefinition)]) -> PartitionsDefinition {
    MultiPartitions::new(dimensions.iter().cloned())
        .unwrap()
        .into()
}

fn asset(key: &str, partitions: Option<PartitionsDefinition>, deps: &[&str]) -> AssetSpec {
    let mut spec = AssetSpec::new(key.parse().unwrap());
    spec.partitions = partitions.map(Arc::new);
    spec.deps = deps
        .iter()
        .map(|dep| DepSpec::new(dep.parse().unwrap()))
        .collect();
    spec
}

/// The graph of one asset, `sales`.
fn sales(partitions: PartitionsDefinition) -> AssetGraph {
    graph_of(vec![OpSpec::single(asset("sales", Some(partitions), &[]))])
}

fn graph_of(ops: Vec<OpSpec>) -> AssetGraph {
    AssetGraph::new(ops, vec![]).unwrap()
}

fn plan_keys(graph: &AssetGraph, partitions: &str) -> Plan {
    let selector = match partitions {
        "" => PartitionSelector::default(),
        text => text.parse().unwrap(),
    };
    let request = PlanRequest::new(graph.all_assets(), selector);
    let plan = Plan::new(
        Lineage::new(graph, &context()),
        &request,
        &AssetStatuses::default(),
    );
    // Stored and read again, as every plan that is translated.
    let json = serde_json::to_string(&plan.unwrap()).unwrap();
    serde_json::from_str(&json).unwrap()
}

/// The keys of each asset in a plan, by the definitions of a graph.
fn planned_keys(graph: &AssetGraph, plan: &Plan) -> BTreeSet<String> {
    let context = context();
    let mut found = BTreeSet::new();
    for (_, stage, step) in plan.steps() {
        for asset in &step.assets {
            let definition = graph.partitions(graph.id(asset).unwrap()).unwrap();
            for key in definition.keys(&stage.partitions, &context) {
                found.insert(key.to_string());
            }
        }
    }
    found
}

fn message(work: OutdatedWork) -> String {
    work.into_error().to_string()
}

#[rstest]
#[case::key_in_front(keys(&["a", "b", "c"]), "b,c", keys(&["new", "a", "b", "c"]))]
#[case::another_order(keys(&["a", "b", "c"]), "a,b", keys(&["c", "b", "a"]))]
#[case::unplanned_key_removed(keys(&["a", "b", "c"]), "b,c", keys(&["c", "b"]))]
#[case::earlier_start(days("2024-06-01"), "2024-06-02...2024-06-04", days("2023-01-01"))]
#[case::later_start(days("2024-06-01"), "2024-06-06,2024-06-08", days("2024-06-05"))]
#[case::excluded_days(
    days("2024-06-01"),
    "2024-06-03...2024-06-07",
    TimeWindowPartitions::daily("2024-06-01").exclude("0 0 * * 0,6").build().unwrap().into()
)]
#[case::to_dynamic(keys(&["mill", "harbour"]), "mill", shops())]
#[case::to_static(shops(), "mill", keys(&["station", "mill"]))]
#[case::another_dimension_grew(
    product(&[("day", days("2024-06-01")), ("kind", keys(&["a", "b"]))]),
    "2024-06-03|b,2024-06-04|a",
    product(&[("day", days("2024-05-01")), ("kind", keys(&["new", "a", "b"]))])
)]
fn partitions_are_found_by_key(
    #[case] before: PartitionsDefinition,
    #[case] asked: &str,
    #[case] now: PartitionsDefinition,
) {
    let before = sales(before);
    let plan = plan_keys(&before, asked);
    let graph = sales(now);
    let context = context();
    let translated = plan.translate(Lineage::new(&graph, &context)).unwrap();
    assert_eq!(translated.outdated, []);
    assert!(!translated.plan.basis.renumbered.is_empty());
    assert_eq!(
        planned_keys(&graph, &translated.plan),
        planned_keys(&before, &plan)
    );
    // The result is a plan of the new definitions: translating it again changes nothing.
    let again = translated.plan.translate(Lineage::new(&graph, &context));
    assert_eq!(again.unwrap().plan, translated.plan);
}

#[rstest]
#[case::removed_key(
    keys(&["harbour", "mill", "station"]),
    "all",
    keys(&["harbour", "station"]),
    "partition `mill` of `sales` is gone since the run was planned: it had the keys `harbour`, \
     `mill` and `station` then, and has the keys `harbour` and `station` now; declare it again, or \
     start a new run with `materialize`"
)]
#[case::all_keys_removed(
    keys(&["a", "b", "c", "d", "e", "f"]),
    "all",
    keys(&["x"]),
    "partitions `a`, `b`, `c`, `d`, `e` and 1 more of `sales` are gone since the run was planned: \
     it had the keys `a`, `b`, `c`, `d`, `e` and `f` then, and has the key `x` now; declare them \
     again, or start a new run with `materialize`"
)]
#[case::later_start(
    days("2024-06-01"),
    "2024-06-02,2024-06-06",
    days("2024-06-05"),
    "partition `2024-06-02` of `sales` is gone since the run was planned: it had daily windows in \
     UTC from 2024-06-01 then, and has daily windows in UTC from 2024-06-05 now; declare it again, \
     or start a new run with `materialize`"
)]
#[case::another_cadence(
    days("2024-06-01"),
    "2024-06-02",
    TimeWindowPartitions::weekly("2024-06-02").end_offset(1).build().unwrap().into(),
    "partition `2024-06-02` of `sales` means something else than when the run was planned: it had \
     daily windows in UTC from 2024-06-01 then, and has weekly windows in UTC from 2024-06-02 now; \
     start a new run with `materialize`"
)]
#[case::another_time_zone(
    days("2024-06-01"),
    "2024-06-02",
    TimeWindowPartitions::daily("2024-06-01").timezone("Asia/Tokyo").build().unwrap().into(),
    "partition `2024-06-02` of `sales` means something else than when the run was planned: it had \
     daily windows in UTC from 2024-06-01 then, and has daily windows in Asia/Tokyo from \
     2024-06-01 now; start a new run with `materialize`"
)]
#[case::dimensions_renamed(
    product(&[("destination", keys(&["EWR", "JFK"])), ("origin", keys(&["EWR", "JFK"]))]),
    "EWR|JFK",
    product(&[("from", keys(&["EWR", "JFK"])), ("to", keys(&["EWR", "JFK"]))]),
    "partition `EWR|JFK` of `sales` means something else than when the run was planned: it had the \
     dimensions `destination` (the keys `EWR` and `JFK`) and `origin` (the keys `EWR` and `JFK`) \
     then, and has the dimensions `from` (the keys `EWR` and `JFK`) and `to` (the keys `EWR` and \
     `JFK`) now; start a new run with `materialize`"
)]
fn what_is_not_found_is_named(
    #[case] before: PartitionsDefinition,
    #[case] asked: &str,
    #[case] now: PartitionsDefinition,
    #[case] expected: &str,
) {
    let plan = plan_keys(&sales(before), asked);
    let graph = sales(now);
    let context = context();
    let lineage = Lineage::new(&graph, &context);
    let mut outdated = plan.translate(lineage).unwrap().outdated;
    assert_eq!(outdated.len(), 1);
    assert_eq!(message(outdated.remove(0)), expected);
    // A machine that is running refuses as well.
    assert_eq!(
        plan.check_unchanged(lineage).unwrap_err().to_string(),
        expected
    );
}

#[test]
fn a_removed_dynamic_key_is_named_and_added_again() {
    let graph = sales(shops());
    let plan = plan_keys(&graph, "all");
    let context = context_of_shops(&[("harbour", true), ("mill", false), ("station", true)]);
    let lineage = Lineage::new(&graph, &context);
    let mut translated = plan.translate(lineage).unwrap();
    assert_eq!(
        translated.plan.stages[0].partitions,
        PartitionSet::single(0)
    );
    assert_eq!(
        message(translated.outdated.remove(0)),
        "partition `mill` of `sales` is gone since the run was planned: it has the dynamic set \
         `shops`; add it again with `dynamic shops add mill`, or start a new run with `materialize`"
    );
    let asset = graph.id_of("sales").unwrap();
    let refused = lineage.check_keys_exist(asset, &PartitionSet::from(0..2));
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .starts_with("partition `mill` of `sales` is gone")
    );
    assert_eq!(
        lineage.check_keys_exist(asset, &PartitionSet::single(0)),
        Ok(())
    );

    // Added again, the key has its old slot.
    let context = self::context();
    let translated = plan.translate(Lineage::new(&graph, &context)).unwrap();
    assert_eq!((translated.plan, translated.outdated), (plan, vec![]));
}

#[rstest]
#[case::got_partitions(None, Some(keys(&["a"])), "it had no partitions then, and has the key `a` now")]
#[case::lost_partitions(Some(keys(&["a"])), None, "it had the key `a` then, and has no partitions now")]
fn an_asset_that_is_divided_in_another_way_is_refused(
    #[case] before: Option<PartitionsDefinition>,
    #[case] now: Option<PartitionsDefinition>,
    #[case] difference: &str,
) {
    let asked = if before.is_some() { "all" } else { "" };
    let one = |partitions| graph_of(vec![OpSpec::single(asset("sales", partitions, &[]))]);
    let mut plan = plan_keys(&one(before), asked);
    let graph = one(now);
    let context = context();
    let lineage = Lineage::new(&graph, &context);
    let mut outdated = plan.translate(lineage).unwrap().outdated;
    let text = message(outdated.remove(0));
    assert!(text.contains(difference), "{text}");
    assert!(plan.check_unchanged(lineage).is_err());
    // A plan without a basis knows at least this.
    plan.basis = PlanBasis::default();
    assert!(plan.check_unchanged(lineage).is_err());
}

#[test]
fn removed_and_changed_work_is_refused_by_name() {
    let letters = || Some(keys(&["a", "b"]));
    let chain = |mart: AssetSpec| {
        let raw = OpSpec::single(asset("raw", letters(), &[]));
        let other = OpSpec::single(asset("other", letters(), &[]));
        graph_of(vec![raw, other, OpSpec::single(mart)])
    };
    let plan = plan_keys(&chain(asset("mart", letters(), &["raw"])), "all");
    let reason = |graph: &AssetGraph| {
        let context = context();
        let lineage = Lineage::new(graph, &context);
        let mut outdated = plan.translate(lineage).unwrap().outdated;
        assert_eq!(outdated.len(), 1, "{outdated:?}");
        let text = message(outdated.remove(0));
        assert_eq!(plan.check_unchanged(lineage).unwrap_err().to_string(), text);
        text
    };
    let mut shifted = asset("mart", letters(), &["raw"]);
    shifted.deps[0].mapping = Some(PartitionMapping::Last);
    for (mart, expected) in [
        (
            asset("bazaar", letters(), &["raw"]),
            "the plan names asset `mart`, which is not declared",
        ),
        (
            asset("mart", letters(), &["raw", "other"]),
            "`mart` is made from something else than when the run was planned: it depends on \
             `other` as well now; start a new run with `materialize`",
        ),
        (
            asset("mart", letters(), &[]),
            "`mart` is made from something else than when the run was planned: it no longer \
             depends on `raw`; start a new run with `materialize`",
        ),
        (
            shifted,
            "`mart` is made from something else than when the run was planned: its partitions are \
             mapped to others of `raw` now; start a new run with `materialize`",
        ),
    ] {
        let text = reason(&chain(mart));
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn an_op_that_makes_more_or_less_is_refused() {
    let op = |name: &str, assets: &[&str]| {
        let assets = assets.iter().map(|key| asset(key, Some(keys(&["a"])), &[]));
        OpSpec::new(name, assets.collect())
    };
    let plan = plan_keys(&graph_of(vec![op("both", &["x", "y"])]), "all");
    let reasons = |ops: Vec<OpSpec>| {
        let graph = graph_of(ops);
        let context = context();
        let translated = plan.translate(Lineage::new(&graph, &context)).unwrap();
        translated
            .outdated
            .into_iter()
            .map(message)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        reasons(vec![op("both", &["x", "y", "z"])]),
        [
            "op `both` makes `z` as well since the run was planned, and cannot leave anything out; \
          start a new run with `materialize`"
        ]
    );
    assert_eq!(
        reasons(vec![op("both", &["x"]), op("alone", &["y"])]),
        [
            "`y` belonged to op `both` when the run was planned, and does not now; start a new run \
          with `materialize`"
        ]
    );
    let mut subset = op("both", &["x", "y", "z"]);
    subset.can_subset = true;
    assert_eq!(reasons(vec![subset]), [""; 0]);
}

#[test]
fn a_check_that_is_gone_is_refused_and_a_new_policy_is_used() {
    let checked = |name: &str| {
        let check: CheckKey = format!("sales:{name}").parse().unwrap();
        let spec = asset("sales", Some(keys(&["a", "b"])), &[]);
        let mut op = OpSpec::single(spec);
        op.backfill = BackfillPolicy::SingleRun;
        graph_of(vec![op, OpSpec::check(CheckSpec::new(check))])
    };
    let plan = plan_keys(&checked("rows"), "all");
    let graph = checked("columns");
    let context = context();
    let translated = plan.translate(Lineage::new(&graph, &context)).unwrap();
    let reasons: Vec<String> = translated.outdated.into_iter().map(message).collect();
    assert_eq!(reasons.len(), 1);
    assert!(
        reasons[0].starts_with("the plan names check `sales:rows`"),
        "{reasons:?}"
    );

    let graph = sales(keys(&["a", "b"]));
    let plan = plan_keys(&graph, "all");
    let mut op = OpSpec::single(asset("sales", Some(keys(&["a", "b"])), &[]));
    op.backfill = BackfillPolicy::SingleRun;
    let graph = graph_of(vec![op]);
    let translated = plan.translate(Lineage::new(&graph, &context)).unwrap();
    assert_eq!(
        translated.plan.stages[0].batching,
        BackfillPolicy::SingleRun
    );
}

#[test]
fn ordinals_that_moved_are_refused_by_a_running_machine() {
    let plan = plan_keys(&sales(keys(&["a", "b"])), "all");
    let context = context();
    let graph = sales(keys(&["new", "a", "b"]));
    let refused = plan.check_unchanged(Lineage::new(&graph, &context));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "partition `a` of `sales` has another number than when the run was planned: it had the \
         keys `a` and `b` then, and has the keys `new`, `a` and `b` now; let `retry` run the rest, \
         which finds the partitions by their keys"
    );
    // A key at the end moves none.
    let graph = sales(keys(&["a", "b", "new"]));
    assert_eq!(plan.check_unchanged(Lineage::new(&graph, &context)), Ok(()));
}

#[test]
fn a_plan_without_a_basis_means_what_the_record_means() {
    let graph = sales(keys(&["a", "b"]));
    let mut plan = plan_keys(&graph, "all");
    let sales_key: AssetKey = "sales".parse().unwrap();
    assert_eq!(
        plan.check_numbering(std::slice::from_ref(&sales_key)),
        Ok(())
    );
    plan.basis = PlanBasis::default();
    let json = serde_json::to_value(&plan).unwrap();
    assert!(json.get("basis").is_none());
    let context = context();
    let lineage = Lineage::new(&graph, &context);
    let translated = plan.translate(lineage).unwrap();
    assert_eq!(translated.outdated, []);
    assert_eq!(translated.plan.stages, plan.stages);

    assert_eq!(plan.check_numbering(&["other".parse().unwrap()]), Ok(()));
    assert_eq!(
        plan.check_numbering(&[sales_key]).unwrap_err().to_string(),
        "the partitions of `sales` have changed, and the run was planned by a version that did not \
         record what they were; start a new run with `materialize`"
    );
    // An ordinal past the end of a list has no key that could be named.
    let graph = sales(keys(&["a"]));
    let mut outdated = plan
        .translate(Lineage::new(&graph, &context))
        .unwrap()
        .outdated;
    let text = message(outdated.remove(0));
    assert!(text.starts_with("a partition of `sales` is gone"), "{text}");
}

#[test]
fn assets_of_one_definition_share_its_entry() {
    let letters = Arc::new(keys(&["a", "b"]));
    let spec = |key: &str| {
        let mut spec = asset(key, None, &[]);
        spec.partitions = Some(Arc::clone(&letters));
        OpSpec::single(spec)
    };
    let graph = graph_of(vec![
        spec("x"),
        spec("y"),
        OpSpec::single(asset("whole", None, &["x", "y"])),
    ]);
    let plan = plan_keys(&graph, "all");
    assert_eq!(plan.basis.partitions.len(), 2);
    let whole = "whole".parse().unwrap();
    assert_eq!(plan.basis.definition_of(&whole), Some(None));
    assert_eq!(plan.basis.upstream[&whole].len(), 2);
}
