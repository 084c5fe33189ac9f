use std::num::NonZeroU32;

use super::*;
use crate::{
    graph::AssetGraph,
    key::{AssetKey, CheckKey},
    mapping::PartitionMapping,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition, StaticPartitions},
    plan::{AssetStatuses, Lineage, PartitionSelector, Plan, PlanRequest},
    spec::{AssetSpec, BackfillPolicy, CheckSpec, DepSpec, OpSpec},
};

fn asset_key(text: &str) -> AssetKey {
    text.parse().unwrap()
}

fn letter_partitions() -> PartitionsDefinition {
    let keys: Vec<String> = ('a'..='z').map(String::from).collect();
    StaticPartitions::new(keys).unwrap().into()
}

fn asset_spec(name: &str, deps: &[&str]) -> AssetSpec {
    let mut asset = AssetSpec::new(asset_key(name));
    asset.partitions = Some(letter_partitions().into());
    asset.deps = deps
        .iter()
        .map(|dep| DepSpec::new(asset_key(dep)))
        .collect();
    asset
}

fn single_ops(assets: Vec<AssetSpec>) -> Vec<OpSpec> {
    assets.into_iter().map(OpSpec::single).collect()
}

fn graph_of(ops: Vec<OpSpec>) -> AssetGraph {
    AssetGraph::new(ops, vec![]).unwrap()
}

/// Plans a request and assigns the plan to the machine's layout.
fn planned_work(graph: &AssetGraph, assets: &[&str], partitions: &str) -> (Layout, Plan, Work) {
    let context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH);
    let lineage = Lineage::new(graph, &context);
    let selected = assets
        .iter()
        .map(|name| graph.id_of(name).unwrap())
        .collect();
    let selector: PartitionSelector = partitions.parse().unwrap();
    let request = PlanRequest::new(selected, selector);
    let plan = Plan::new(lineage, &request, &AssetStatuses::default()).unwrap();
    let layout = Layout::from_graph(graph).unwrap();
    let work = Work::new(lineage, &layout, &plan, |_, set| set.clone()).unwrap();
    (layout, plan, work)
}

/// Items in a short form: `0: raw, clean`.
fn format_items(work: &StageWork) -> Vec<String> {
    let of = |item: &Item| {
        let ordinals = serde_json::to_value(item).unwrap()["o"].clone();
        let steps: Vec<&str> = item.steps.keys().map(StepName::as_str).collect();
        format!("{}: {}", ordinals.as_str().unwrap(), steps.join(", "))
    };
    work.items.iter().map(of).collect()
}

#[test]
fn assets_that_can_follow_each_other_share_a_stage_for_every_request() {
    let graph = graph_of(single_ops(vec![
        asset_spec("raw", &[]),
        asset_spec("clean", &["raw"]),
        asset_spec("mart", &["clean"]),
    ]));
    let (layout, _, whole) = planned_work(&graph, &["raw", "clean", "mart"], "a,b");
    assert_eq!(layout.stages.len(), 1);
    assert_eq!(layout.stages[0].name.as_str(), "each_raw");
    assert_eq!(
        format_items(&whole.stages[0]),
        ["0: raw, clean, mart", "1: raw, clean, mart"]
    );
    assert_eq!(whole.invocation_count(), 6);
    let (_, _, part) = planned_work(&graph, &["clean"], "c");
    assert_eq!(format_items(&part.stages[0]), ["2: clean"]);
}

#[test]
fn an_item_takes_the_steps_that_are_wanted_for_its_partition() {
    let graph = graph_of(single_ops(vec![
        asset_spec("raw", &[]),
        asset_spec("clean", &["raw"]),
    ]));
    let (layout, plan, _) = planned_work(&graph, &["raw", "clean"], "a,b,c");
    let context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH);
    let lineage = Lineage::new(&graph, &context);
    let left = Work::new(lineage, &layout, &plan, |id, set| match id.step {
        0 => PartitionSet::single(1),
        _ => set - &PartitionSet::single(2),
    });
    assert_eq!(
        format_items(&left.unwrap().stages[0]),
        ["0: clean", "1: raw, clean"]
    );
}

#[test]
fn a_multi_asset_can_run_in_part() {
    let mut multi = OpSpec::new("tables", vec![asset_spec("x", &[]), asset_spec("y", &[])]);
    multi.can_subset = true;
    let graph = graph_of(vec![multi]);
    let (_, _, all) = planned_work(&graph, &["x", "y"], "a");
    let (_, _, part) = planned_work(&graph, &["y"], "a");
    let step = |work: &Work| work.stages[0].items[0].steps[0].clone();
    assert_eq!(step(&all).part, None);
    assert_eq!(step(&part).part.unwrap().assets, [asset_key("y")]);
}

/// Where a check runs for more partitions of a batch than its asset, both stay in one item.
#[test]
fn batches_of_steps_that_follow_each_other_stay_one_item() {
    let check = CheckSpec::new(CheckKey {
        asset: asset_key("raw"),
        name: "fine".into(),
    });
    let mut raw = OpSpec::single(asset_spec("raw", &[]));
    raw.backfill = BackfillPolicy::MultiRun(NonZeroU32::new(3).unwrap());
    let graph = graph_of(vec![raw, OpSpec::check(check)]);
    let (layout, plan, whole) = planned_work(&graph, &["raw"], "a...e");
    assert!(layout.stages[0].batched);
    assert_eq!(
        format_items(&whole.stages[0]),
        ["0-2: raw, raw_fine", "3-4: raw, raw_fine"]
    );
    let context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH);
    let left = Work::new(Lineage::new(&graph, &context), &layout, &plan, |id, set| {
        if plan.stages[id.stage].steps[id.step].assets.is_empty() {
            set - &PartitionSet::single(0)
        } else {
            PartitionSet::single(1)
        }
    });
    let rest = left.unwrap();
    assert_eq!(
        format_items(&rest.stages[0]),
        ["1-2: raw, raw_fine", "3-4: raw_fine"]
    );
    let raw = layout.stages[0].steps[0].name.clone();
    let item = &rest.stages[0].items[0];
    assert_eq!(item.partitions_of(&raw), Some(&PartitionSet::single(1)));
    let read_back: Item = serde_json::from_str(&serde_json::to_string(item).unwrap()).unwrap();
    assert_eq!(&read_back, item);
}

#[test]
fn an_asset_that_depends_on_itself_stays_in_order() {
    let mut total = asset_spec("total", &[]);
    let day = crate::partitions::TimeWindowPartitions::daily("1969-12-01");
    total.partitions = Some(std::sync::Arc::new(day.build().unwrap().into()));
    total.deps =
        vec![
            DepSpec::new(asset_key("total")).with_mapping(PartitionMapping::TimeWindow {
                start_offset: -1,
                end_offset: -1,
                allow_nonexistent_upstream_partitions: true,
            }),
        ];
    let graph = graph_of(single_ops(vec![total]));
    let (layout, _, work) = planned_work(&graph, &["total"], "all");
    assert!(layout.stages[0].in_order);
    let expected: Vec<String> = (0..31).map(|day| format!("{day}: total")).collect();
    assert_eq!(format_items(&work.stages[0]), expected);
    let rows = divide_into_rows(work.stages[0].items.clone(), true);
    assert_eq!(rows[0], work.stages[0].items);
}

#[test]
fn neighbours_go_to_different_rows() {
    let graph = graph_of(single_ops(vec![asset_spec("raw", &[])]));
    let (_, _, work) = planned_work(&graph, &["raw"], "all");
    let one = &work.stages[0].items[0];
    let many: Vec<Item> = (0..100)
        .map(|ordinal| Item {
            partitions: PartitionSet::single(ordinal),
            ..one.clone()
        })
        .collect();
    let rows = divide_into_rows(many, false);
    assert_eq!(rows.len(), 3);
    let firsts = rows.iter().map(|row| row[0].partitions.first());
    assert_eq!(firsts.collect::<Vec<_>>(), [Some(0), Some(1), Some(2)]);
    assert!(rows.iter().all(|row| row.len() <= ITEMS_PER_ROW));
}

#[test]
fn names_are_valid_in_paths_and_unique() {
    let graph = graph_of(single_ops(vec![
        asset_spec("a/b", &[]),
        asset_spec("a_b", &[]),
        asset_spec("each_a_b", &[]),
        asset_spec(&"long".repeat(20), &[]),
    ]));
    let layout = Layout::from_graph(&graph).unwrap();
    let steps = layout.stages.iter().flat_map(|stage| &stage.steps);
    let mut names: Vec<&str> = steps.map(|step| step.name.as_str()).collect();
    names.extend(layout.stages.iter().map(|stage| stage.name.as_str()));
    for name in &names {
        assert!(name.len() <= StepName::MAX_CHARS);
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "{names:?}");
}

#[test]
fn invalid_ordinals_are_refused() {
    for text in ["", "5-", "9-5", "a", "1,,2", "18446744073709551615"] {
        let item = format!(r#"{{"o":"{text}","steps":{{}}}}"#);
        let error = serde_json::from_str::<Item>(&item).unwrap_err().to_string();
        assert!(error.contains("write ordinals like `5-9,12`"), "{error}");
    }
}

/// Partitions of a batch that do not depend on a failed one continue.
#[test]
fn a_failure_holds_back_only_its_dependents() {
    let check = CheckSpec::new(CheckKey {
        asset: asset_key("raw"),
        name: "fine".into(),
    });
    let mut raw = OpSpec::single(asset_spec("raw", &[]));
    raw.backfill = BackfillPolicy::SingleRun;
    let graph = graph_of(vec![raw, OpSpec::check(check)]);
    let layout = Layout::from_graph(&graph).unwrap();
    let stage = &layout.stages[0];
    let item: Item =
        serde_json::from_str(r#"{"o":"1-3","steps":{"raw":{"o":"2"},"raw_fine":{}}}"#).unwrap();
    let left = stage.left_after(&item, 0, None);
    assert_eq!(
        serde_json::to_string(&left).unwrap(),
        r#"{"o":"1-3","steps":{"raw_fine":{"o":"1,3"}}}"#
    );
    assert_eq!(stage.left_after(&left, 1, None).steps.len(), 0);
    // An item that does not take `raw` keeps its check when `raw` fails.
    let check: Item = serde_json::from_str(r#"{"o":"1","steps":{"raw_fine":{}}}"#).unwrap();
    assert_eq!(stage.left_after(&check, 0, None), check);
}

#[test]
fn an_item_passes_every_step_of_its_stage() {
    let graph = graph_of(single_ops(vec![
        asset_spec("raw", &[]),
        asset_spec("clean", &["raw"]),
    ]));
    let (layout, _, one) = planned_work(&graph, &["raw"], "a");
    let (_, _, two) = planned_work(&graph, &["raw"], "a,b");
    // The item's start and end, two choices and an end state, one task.
    assert_eq!(
        two.inline_events(&layout) - one.inline_events(&layout),
        2 + 3 * 2 + 5
    );
}
