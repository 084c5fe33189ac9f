use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use super::*;
use crate::{
    graph::AssetGraph,
    key::{AssetKey, CheckKey},
    mapping::PartitionMapping,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition, StaticPartitions},
    plan::{AssetStatuses, Lineage, PartitionSelector, Plan, PlanRequest},
    spec::{AssetSpec, BackfillPolicy, Backoff, CheckSpec, DepSpec, Jitter, OpSpec, RetryPolicy},
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

fn retries(max_retries: u32) -> RetryPolicy {
    RetryPolicy {
        max_retries,
        delay: Duration::from_secs(1),
        backoff: Backoff::Constant,
        jitter: Jitter::None,
    }
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
    let rows = divide_into_rows(work.stages[0].items.clone(), ITEMS_PER_ROW, true);
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
    let rows = divide_into_rows(many, ITEMS_PER_ROW, false);
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
    // The item's start and end, two choices and an end state, one task; and if it fails, the task that
    // records it, and the choices again.
    let added =
        |graph: &AssetGraph| two.inline_events(&layout, graph) - one.inline_events(&layout, graph);
    assert_eq!(added(&graph), 2 + 3 * 2 + 5 + 5 + 3 * 2);
    // Each retry is three events, and so is each poll of a pool.
    let mut ops: Vec<OpSpec> = graph.ops().map(|(_, op)| op.clone()).collect();
    for op in &mut ops {
        op.retry = Some(retries(4));
    }
    assert_eq!(added(&graph_of(ops.clone())), added(&graph) + 3 * 4);
    for op in &mut ops {
        op.pool = Some("warehouse".to_owned());
    }
    assert_eq!(
        added(&graph_of(ops)),
        added(&graph) + 3 * (4 + POOL_RETRIES as usize)
    );
}

/// In a chain one step fails at most, since the others are not tried then.
#[test]
fn of_each_chain_of_steps_one_can_fail() {
    let events = |edges: &[(&str, &[&str])]| {
        let assets = edges.iter().map(|(name, deps)| asset_spec(name, deps));
        let graph = graph_of(single_ops(assets.collect()));
        let (layout, _, work) = planned_work(&graph, &["a", "b", "c"], "a");
        layout.stages[0].most_events(&work.stages[0].items[0], &graph)
    };
    let choices = 2 * (3 + 1);
    let of_failures = |failures: usize| 2 + choices + 3 * 5 + failures * (5 + choices);
    assert_eq!(
        events(&[("a", &[]), ("b", &["a"]), ("c", &["b"])]),
        of_failures(1)
    );
    assert_eq!(
        events(&[("a", &[]), ("b", &["a"]), ("c", &["a"])]),
        of_failures(2)
    );
}

#[test]
fn functions_are_divided_among_the_stages_of_a_wave() {
    let stage_work = |stage, items: usize| StageWork {
        stage,
        items: vec![serde_json::from_str(r#"{"o":"0","steps":{}}"#).unwrap(); items],
    };
    let ops = |pools: [Option<&str>; 3]| {
        let mut ops = single_ops(vec![
            asset_spec("a", &[]),
            asset_spec("b", &[]),
            asset_spec("c", &[]),
        ]);
        for (op, pool) in ops.iter_mut().zip(pools) {
            op.pool = pool.map(str::to_owned);
        }
        graph_of(ops)
    };
    let divide = |graph: &AssetGraph, functions: u32, items: [usize; 3]| {
        let layout = Layout::from_graph(graph).unwrap();
        let wave = [0, 1, 2].map(|stage| stage_work(stage, items[stage]));
        let pools = BTreeMap::from([("api".to_owned(), 10), ("shut".to_owned(), 0)]);
        ConcurrencyBudget {
            functions,
            pools: &pools,
        }
        .divide(&wave, &layout, graph)
    };
    let free = ops([None; 3]);
    assert_eq!(divide(&free, 800, [5_000, 5_000, 5_000]), [266, 267, 267]);
    // What one stage cannot use is left to the others.
    assert_eq!(divide(&free, 800, [5_000, 12, 5_000]), [394, 12, 394]);
    // Each has one at least.
    assert_eq!(divide(&free, 2, [9, 9, 9]), [1, 1, 1]);
    // Stages of one pool share its slots; a pool without a limit is none.
    let shared = ops([Some("api"), Some("api"), Some("free")]);
    assert_eq!(divide(&shared, 800, [9_000, 9_000, 9_000]), [5, 5, 790]);
    let shut = ops([Some("shut"), None, None]);
    assert_eq!(divide(&shut, 800, [9_000, 1, 1]), [1, 1, 1]);
}

#[test]
fn the_items_of_a_row_run_at_once_unless_they_wait_for_a_slot() {
    let row = |pool: Option<&str>, max_retries: u32, concurrency: StageConcurrency| {
        let mut ops = single_ops(vec![asset_spec("raw", &[])]);
        ops[0].pool = pool.map(str::to_owned);
        ops[0].retry = Some(retries(max_retries));
        let graph = graph_of(ops);
        let (layout, _, work) = planned_work(&graph, &["raw"], "a");
        layout.stages[0].items_per_row(&work.stages[0].items, concurrency, &graph)
    };
    let of = |functions| StageConcurrency::distributed(functions, 10_000);
    assert_eq!(row(None, 0, of(800)), 40);
    assert_eq!(row(None, 0, of(8)), 8);
    assert_eq!(row(Some("api"), 0, of(8)), 40);
    // The history of a row holds all attempts of its items.
    assert_eq!(row(None, 1_000, of(800)), 20_000 / (2 + 5 + 5 + 3_000));
}
