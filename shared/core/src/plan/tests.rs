use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::Arc,
};

use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::{
    graph::{AssetGraph, AssetId},
    mapping::PartitionMapping,
    partitions::{
        PartitionContext, PartitionSet, PartitionsDefinition, StaticPartitions,
        TimeWindowPartitions,
    },
    spec::{AssetSpec, BackfillPolicy, CheckSpec, DepNeed, DepSpec, OpSpec},
};

pub(crate) fn june_context() -> PartitionContext {
    let now: DateTime<chrono::Utc> = "2024-06-09T12:00:00Z".parse().unwrap();
    PartitionContext::at(now)
}

fn daily_partitions(start: &str) -> Option<Arc<PartitionsDefinition>> {
    let windows = TimeWindowPartitions::daily(start).build().unwrap();
    Some(Arc::new(windows.into()))
}

fn letter_partitions() -> Option<Arc<PartitionsDefinition>> {
    Some(Arc::new(
        StaticPartitions::new(["a", "b", "c"]).unwrap().into(),
    ))
}

fn asset_spec(
    key: &str,
    partitions: Option<Arc<PartitionsDefinition>>,
    deps: &[&str],
) -> AssetSpec {
    let mut spec = AssetSpec::new(key.parse().unwrap());
    spec.partitions = partitions;
    spec.deps = deps
        .iter()
        .map(|dep| DepSpec::new(dep.parse().unwrap()))
        .collect();
    spec
}

fn graph_of(assets: Vec<AssetSpec>) -> AssetGraph {
    AssetGraph::new(assets.into_iter().map(OpSpec::single).collect(), vec![]).unwrap()
}

fn plan_of(
    graph: &AssetGraph,
    partitions: &str,
    statuses: &AssetStatuses,
) -> Result<Plan, PlanError> {
    let context = june_context();
    let selector = match partitions {
        "" => PartitionSelector::default(),
        text => text.parse().unwrap(),
    };
    let request = PlanRequest::new(graph.all_assets(), selector);
    Plan::new(Lineage::new(graph, &context), &request, statuses)
}

/// The wave, the ops and the number of partitions of each stage.
fn stage_shapes(plan: &Plan) -> Vec<(u32, Vec<String>, u64)> {
    let stage = |stage: &Stage| {
        let ops = stage.steps.iter().map(|step| step.op.clone()).collect();
        (stage.wave, ops, stage.partitions.len())
    };
    plan.stages.iter().map(stage).collect()
}

#[test]
fn assets_joined_by_identity_share_a_stage() {
    let graph = graph_of(vec![
        asset_spec("a", daily_partitions("2024-06-01"), &[]),
        asset_spec("b", daily_partitions("2024-06-01"), &["a"]),
        asset_spec("c", daily_partitions("2024-06-01"), &["a", "b"]),
        asset_spec("total", None, &["c"]),
    ]);
    let plan = plan_of(&graph, "2024-06-02...2024-06-04", &AssetStatuses::default()).unwrap();
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        stage_shapes(&plan),
        [(0, names(&["a", "b", "c"]), 3), (1, names(&["total"]), 1)]
    );
    assert_eq!(plan.stages[1].after, [0]);
    assert_eq!(plan.pair_count(), 10);
    let read_back: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(read_back, plan);
}

#[test]
fn keys_reach_assets_that_are_divided_in_another_way() {
    let hourly = TimeWindowPartitions::hourly("2024-06-07-00:00")
        .build()
        .unwrap();
    let graph = graph_of(vec![
        asset_spec("hours", Some(Arc::new(hourly.into())), &[]),
        asset_spec("days", daily_partitions("2024-06-01"), &["hours"]),
        asset_spec("letters", letter_partitions(), &[]),
    ]);
    // The key is one of `days`: `hours` follows through the edge, `letters` has no relation to it.
    let plan = plan_of(&graph, "2024-06-07", &AssetStatuses::default()).unwrap();
    let key = |key: &str| key.parse().unwrap();
    assert_eq!(plan.partition_counts()[&key("hours")], 24);
    assert_eq!(plan.why[&key("hours")], InclusionReason::Makes(key("days")));
    assert_eq!(plan.why[&key("days")], InclusionReason::Keys);
    assert_eq!(plan.left_out[0].reason, LeftOutReason::Unrelated);
}

#[test]
fn missing_leaves_out_what_is_made_and_names_what_is_needed() {
    let graph = graph_of(vec![
        asset_spec("a", letter_partitions(), &[]),
        asset_spec("b", letter_partitions(), &["a"]),
    ]);
    let context = june_context();
    let (a, b) = (AssetId(0), AssetId(1));
    let statuses = AssetStatuses {
        skipped: AssetPartitions::new(),
        materialized: AssetPartitions::from_iter([(a, PartitionSet::from(0..2))]),
        failed: AssetPartitions::new(),
    };
    // One partition of `a` and all of `b` are missing.
    let missing = plan_of(&graph, "missing", &statuses).unwrap();
    assert_eq!(missing.pair_count(), 4);
    assert_eq!(missing.left_out[0].reason, LeftOutReason::Materialized);
    // Without `a` in the request, its last partition is missing upstream.
    let request = PlanRequest::new(b.into(), PartitionSelector::all());
    let of_b = Plan::new(Lineage::new(&graph, &context), &request, &statuses).unwrap();
    assert_eq!(of_b.needed[0].partitions, PartitionSet::single(2));
}

#[test]
fn refusals_say_what_to_write() {
    let graph = graph_of(vec![asset_spec("a", daily_partitions("2024-06-01"), &[])]);
    let refuse = |partitions| {
        let refusal = plan_of(&graph, partitions, &AssetStatuses::default());
        refusal.unwrap_err().to_string()
    };
    assert_eq!(
        refuse(""),
        "asset `a` is partitioned: say which partitions, such as `2024-06-08`, \
         `2024-06-08...2024-06-08`, `latest`, `missing` or `all`"
    );
    assert_eq!(
        refuse("2024-06-04...2024-06-02"),
        "`2024-06-04...2024-06-02` is empty: `2024-06-02` comes before `2024-06-04`; write the \
         earlier key first"
    );
    assert!(refuse("2024-07-01").starts_with("asset `a`: there is no partition `2024-07-01`"));
}

#[test]
fn a_blocking_check_runs_between_its_asset_and_downstream_assets() {
    let ops = vec![
        OpSpec::single(asset_spec("a", letter_partitions(), &[])),
        OpSpec::single(asset_spec("b", letter_partitions(), &["a"])),
        blocking_check("a"),
    ];
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let plan = plan_of(&graph, "a", &AssetStatuses::default()).unwrap();
    let steps: Vec<_> = plan.stages[0]
        .steps
        .iter()
        .map(|s| (s.op.as_str(), s.after.clone()))
        .collect();
    assert_eq!(
        steps,
        [("a", vec![]), ("a:fine", vec![0]), ("b", vec![0, 1])]
    );
}

fn blocking_check(asset: &str) -> OpSpec {
    let mut check = CheckSpec::new(crate::key::CheckKey {
        asset: asset.parse().unwrap(),
        name: "fine".into(),
    });
    check.blocking = true;
    OpSpec::check(check)
}

/// A partition of an op, by ordinal.
type OpPartition = (String, u64);

/// Runs a plan in which some ops fail for some ordinals. Returns the partitions that ran, in order,
/// and those that were held back.
fn run_plan(
    graph: &AssetGraph,
    plan: &Plan,
    fails: &[(&str, u64)],
) -> (Vec<OpPartition>, BTreeSet<OpPartition>) {
    let context = june_context();
    let lineage = Lineage::new(graph, &context);
    let mut frontier = Frontier::new(lineage, plan).unwrap();
    let op = |id: StepId| plan.stages[id.stage].steps[id.step].op.clone();
    let (mut ran, mut held) = (Vec::new(), BTreeSet::new());
    while let Some(ready) = frontier.take_ready(lineage, |_| true).unwrap() {
        let name = op(ready.step);
        ran.extend(
            ready
                .partitions
                .iter()
                .map(|ordinal| (name.clone(), ordinal)),
        );
        let failing = |ordinal: &u64| fails.contains(&(name.as_str(), *ordinal));
        let failed: PartitionSet = ready.partitions.iter().filter(failing).collect();
        let succeeded = &ready.partitions - &failed;
        let held_back =
            frontier.record_outcome(lineage, ready.step, &StepOutcome::new(succeeded, failed));
        for back in held_back.unwrap() {
            let name = op(back.step);
            held.extend(
                back.partitions
                    .iter()
                    .map(|ordinal| (name.clone(), ordinal)),
            );
        }
    }
    assert!(frontier.is_finished());
    (ran, held)
}

#[test]
fn an_undivided_asset_waits_for_the_partitions_that_it_reads_and_no_others() {
    let mut whole = asset_spec("whole", None, &["part"]);
    whole.deps[0].mapping = Some(PartitionMapping::Specific {
        keys: vec!["b".into()],
    });
    let graph = graph_of(vec![asset_spec("part", letter_partitions(), &[]), whole]);
    let plan = plan_of(&graph, "all", &AssetStatuses::default()).unwrap();
    // Failures of partitions that `whole` does not read change nothing.
    let (ran, held) = run_plan(&graph, &plan, &[("part", 0), ("part", 2)]);
    assert!(ran.contains(&("whole".into(), 0)));
    assert_eq!(held, BTreeSet::new());
    let (ran, held) = run_plan(&graph, &plan, &[("part", 1)]);
    assert_eq!(ran.len(), 3);
    assert_eq!(held, [("whole".into(), 0)].into());
}

#[test]
fn a_failed_check_of_a_day_holds_back_the_days_that_are_made_from_it() {
    for policy in [
        BackfillPolicy::PerPartition,
        BackfillPolicy::MultiRun(NonZeroU32::new(2).unwrap()),
        BackfillPolicy::SingleRun,
    ] {
        let mut sum = asset_spec("sum", daily_partitions("2024-06-05"), &["sum"]);
        sum.deps[0].mapping = Some(PartitionMapping::TimeWindow {
            start_offset: -1,
            end_offset: -1,
            allow_nonexistent_upstream_partitions: true,
        });
        let mut op = OpSpec::single(sum);
        op.backfill = policy;
        let graph = AssetGraph::new(vec![op, blocking_check("sum")], vec![]).unwrap();
        let plan = plan_of(&graph, "all", &AssetStatuses::default()).unwrap();
        let (ran, held) = run_plan(&graph, &plan, &[]);
        assert_eq!((ran.len(), held.len()), (8, 0), "{policy:?}");
        let (ran, held) = run_plan(&graph, &plan, &[("sum:fine", 1)]);
        let expected: &[u64] = match policy {
            // No check can run between partitions of one invocation.
            BackfillPolicy::SingleRun => &[],
            _ => &[2, 3],
        };
        let asset_and_check =
            |ordinal: &u64| [("sum".into(), *ordinal), ("sum:fine".into(), *ordinal)];
        let expected_held = expected.iter().flat_map(asset_and_check).collect();
        assert_eq!(held, expected_held, "{policy:?}");
        assert_eq!(ran.len() + held.len(), 8, "{policy:?}");
    }
}

fn dep(key: &str, need: DepNeed) -> DepSpec {
    DepSpec {
        need,
        ..DepSpec::new(key.parse().unwrap())
    }
}

/// The ops that a frontier can dispatch, each partition by itself.
fn take_all(frontier: &mut Frontier, lineage: Lineage<'_>, plan: &Plan) -> Vec<String> {
    let mut ops = Vec::new();
    while let Some(ready) = frontier.take_ready(lineage, |_| true).unwrap() {
        ops.push(
            plan.stages[ready.step.stage].steps[ready.step.step]
                .op
                .clone(),
        );
    }
    ops.sort();
    ops
}

/// Runs `bank`, which makes `accounts` and `branches`, with an outcome; returns the ops that can run
/// then, and the withheld ones with the cause.
fn run_bank(
    readers: &[(&str, &[(&str, DepNeed)])],
    outcome: &StepOutcome,
) -> (Vec<String>, Vec<(String, LossCause)>) {
    let outputs = ["accounts", "branches"].map(|key| asset_spec(key, None, &[]));
    let mut ops = vec![OpSpec::new("bank", outputs.into())];
    for (key, deps) in readers {
        let mut spec = asset_spec(key, None, &[]);
        spec.deps = deps.iter().map(|(key, need)| dep(key, *need)).collect();
        ops.push(OpSpec::single(spec));
    }
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let context = june_context();
    let lineage = Lineage::new(&graph, &context);
    let plan = plan_of(&graph, "", &AssetStatuses::default()).unwrap();
    let mut frontier = Frontier::new(lineage, &plan).unwrap();
    let bank = frontier.take_ready(lineage, |_| true).unwrap().unwrap();
    let withheld = frontier
        .record_outcome(lineage, bank.step, outcome)
        .unwrap();
    let mut withheld: Vec<_> = withheld
        .into_iter()
        .map(|other| {
            let step = &plan.stages[other.step.stage].steps[other.step.step];
            (step.op.clone(), other.cause)
        })
        .collect();
    withheld.sort();
    (take_all(&mut frontier, lineage, &plan), withheld)
}

fn loss(asset: &str, cause: LossCause) -> Loss {
    Loss {
        asset: Some(asset.parse().unwrap()),
        partitions: PartitionSet::single(0),
        cause,
    }
}

#[test]
fn a_failed_output_holds_back_what_is_made_from_it_and_nothing_else() {
    use DepNeed::{Data, Optional, Order};
    let outcome = StepOutcome {
        failed: PartitionSet::single(0),
        losses: vec![loss("accounts", LossCause::Failed)],
        ..StepOutcome::default()
    };
    let readers: [(&str, &[_]); 6] = [
        ("of_accounts", &[("accounts", Data)]),
        ("of_both", &[("accounts", Data), ("branches", Data)]),
        ("of_branches", &[("branches", Data)]),
        // The value of a failed asset is unknown, so that even an optional input has none.
        ("optionally", &[("accounts", Optional)]),
        ("after", &[("accounts", Order)]),
        ("of_of_branches", &[("of_branches", Data)]),
    ];
    let (ready, withheld) = run_bank(&readers, &outcome);
    assert_eq!(ready, ["of_branches"]);
    let held = ["after", "of_accounts", "of_both", "optionally"];
    assert_eq!(withheld, held.map(|op| (op.to_owned(), LossCause::Failed)));
}

#[test]
fn a_skipped_output_skips_what_needs_it() {
    use DepNeed::{Data, Optional, Order};
    let outcome = StepOutcome {
        succeeded: PartitionSet::single(0),
        losses: vec![loss("accounts", LossCause::Skipped)],
        ..StepOutcome::default()
    };
    let readers: [(&str, &[_]); 7] = [
        ("of_accounts", &[("accounts", Data)]),
        ("of_both", &[("accounts", Data), ("branches", Data)]),
        ("of_branches", &[("branches", Data)]),
        ("optionally", &[("accounts", Optional)]),
        ("after", &[("accounts", Order)]),
        // An optional input of what was skipped for want of its own input runs as well.
        (
            "at_the_end",
            &[("of_accounts", Optional), ("of_both", Optional)],
        ),
        ("behind", &[("of_accounts", Data)]),
    ];
    let (ready, withheld) = run_bank(&readers, &outcome);
    assert_eq!(ready, ["at_the_end", "of_branches", "optionally"]);
    let skipped = ["after", "behind", "of_accounts", "of_both"];
    assert_eq!(
        withheld,
        skipped.map(|op| (op.to_owned(), LossCause::Skipped))
    );
}

#[test]
fn what_only_comes_after_many_partitions_is_skipped_when_all_of_them_are() {
    let spec = |key: &str, need| {
        let mut spec = asset_spec(key, None, &[]);
        spec.deps = vec![dep("part", need)];
        spec
    };
    let graph = graph_of(vec![
        asset_spec("part", letter_partitions(), &[]),
        spec("after", DepNeed::Order),
        spec("of_all", DepNeed::Data),
    ]);
    let context = june_context();
    let lineage = Lineage::new(&graph, &context);
    let plan = plan_of(&graph, "all", &AssetStatuses::default()).unwrap();
    for (skipped, expected) in [(0..2, vec!["after"]), (0..3, vec![])] {
        let skipped = PartitionSet::from(skipped);
        let mut frontier = Frontier::new(lineage, &plan).unwrap();
        while let Some(ready) = frontier
            .take_ready(lineage, |id| plan.stages[id.stage].partitioned)
            .unwrap()
        {
            let outcome = if ready.partitions.is_subset(&skipped) {
                StepOutcome::skipped(ready.partitions)
            } else {
                StepOutcome::succeeded(ready.partitions)
            };
            frontier
                .record_outcome(lineage, ready.step, &outcome)
                .unwrap();
        }
        assert_eq!(take_all(&mut frontier, lineage, &plan), expected);
        assert_eq!(frontier.tally().held, 0);
        // The record says the same to a later plan.
        let statuses = AssetStatuses {
            materialized: AssetPartitions::from_iter([(
                AssetId(2),
                &PartitionSet::from(0..3) - &skipped,
            )]),
            skipped: AssetPartitions::from_iter([(AssetId(2), skipped)]),
            ..AssetStatuses::default()
        };
        let nothing = statuses.nothing_to_make(lineage).unwrap();
        assert_eq!(nothing.contains(AssetId(0), 0), expected.is_empty());
        assert!(nothing.contains(AssetId(1), 0));
    }
}

/// Days that only come after each other are not skipped one by one, as those are that take the day before.
#[test]
fn an_order_among_own_partitions_passes_on_no_skip() {
    for (need, expected) in [
        (DepNeed::Order, 5),
        (DepNeed::Optional, 5),
        (DepNeed::Data, 2),
    ] {
        let mut sum = asset_spec("sum", daily_partitions("2024-06-03"), &["sum"]);
        sum.deps[0].need = need;
        sum.deps[0].mapping = Some(PartitionMapping::TimeWindow {
            start_offset: -1,
            end_offset: -1,
            allow_nonexistent_upstream_partitions: true,
        });
        let graph = graph_of(vec![sum]);
        let context = june_context();
        let lineage = Lineage::new(&graph, &context);
        let plan = plan_of(&graph, "all", &AssetStatuses::default()).unwrap();
        let mut frontier = Frontier::new(lineage, &plan).unwrap();
        while let Some(ready) = frontier.take_ready(lineage, |_| true).unwrap() {
            let outcome = match ready.partitions.contains(2) {
                true => StepOutcome::skipped(ready.partitions),
                false => StepOutcome::succeeded(ready.partitions),
            };
            frontier
                .record_outcome(lineage, ready.step, &outcome)
                .unwrap();
        }
        let tally = frontier.tally();
        let (made, skipped) = (tally.succeeded, tally.skipped);
        assert_eq!((made, skipped), (expected, 6 - expected), "{need:?}");
        // The record says the same to a later plan.
        let record = AssetStatuses {
            skipped: AssetPartitions::from_iter([(AssetId(0), PartitionSet::single(2))]),
            ..AssetStatuses::default()
        };
        let nothing = record.nothing_to_make(lineage).unwrap();
        assert_eq!(nothing.len(), 6 - expected, "{need:?}");
    }
}

/// The check of a skipped asset has nothing to check, and holds nothing back.
#[test]
fn a_blocking_check_of_a_skipped_asset_is_skipped_as_well() {
    let mut optionally = asset_spec("optionally", letter_partitions(), &[]);
    optionally.deps = vec![dep("raw", DepNeed::Optional)];
    let graph = AssetGraph::new(
        vec![
            OpSpec::single(asset_spec("raw", letter_partitions(), &[])),
            blocking_check("raw"),
            OpSpec::single(optionally),
        ],
        vec![],
    )
    .unwrap();
    let context = june_context();
    let lineage = Lineage::new(&graph, &context);
    let plan = plan_of(&graph, "a", &AssetStatuses::default()).unwrap();
    let mut frontier = Frontier::new(lineage, &plan).unwrap();
    let raw = frontier.take_ready(lineage, |_| true).unwrap().unwrap();
    let outcome = StepOutcome::skipped(raw.partitions);
    frontier
        .record_outcome(lineage, raw.step, &outcome)
        .unwrap();
    assert_eq!(take_all(&mut frontier, lineage, &plan), ["optionally"]);
    assert_eq!(frontier.tally().skipped, 2);
}

/// `missing` neither repeats a skipped partition nor what needs it, until there is data upstream.
#[test]
fn skipped_partitions_are_not_missing() {
    let mut loaded = asset_spec("loaded", letter_partitions(), &[]);
    loaded.deps = vec![dep("files", DepNeed::Data)];
    let graph = graph_of(vec![asset_spec("files", letter_partitions(), &[]), loaded]);
    let (files, loaded) = (AssetId(0), AssetId(1));
    let set = |ordinals: &[u64]| ordinals.iter().copied().collect::<PartitionSet>();
    let mut statuses = AssetStatuses {
        materialized: AssetPartitions::from_iter([(files, set(&[0])), (loaded, set(&[0]))]),
        skipped: AssetPartitions::from_iter([(files, set(&[1]))]),
        ..AssetStatuses::default()
    };
    let counts = |partitions: &str, statuses: &AssetStatuses| {
        let plan = plan_of(&graph, partitions, statuses).unwrap();
        assert_eq!(plan.needed, []);
        let sets = plan.stages.iter().map(|stage| stage.partitions.clone());
        sets.collect::<Vec<_>>()
    };
    assert_eq!(counts("missing", &statuses), [set(&[2])]);
    assert_eq!(counts("skipped", &statuses), [set(&[1])]);
    assert_eq!(counts("skipped:c", &statuses), []);
    let plan = plan_of(&graph, "missing", &statuses).unwrap();
    let skipped = plan
        .left_out
        .iter()
        .filter(|left| left.reason == LeftOutReason::Skipped);
    assert_eq!(skipped.map(|left| left.partitions.len()).sum::<u64>(), 2);
    // The data arrives: now `loaded` is missing there.
    statuses.materialized.insert(files, 1);
    statuses.skipped = AssetPartitions::new();
    assert_eq!(counts("missing", &statuses), [set(&[2]), set(&[1, 2])]);
    // A skip after that leaves the data: `loaded` can be made from it.
    statuses.skipped.insert(files, 1);
    assert_eq!(counts("missing", &statuses), [set(&[2]), set(&[1, 2])]);
}

/// Numbers that choose the partitions, the backfill policy and the dependencies of each asset.
pub(crate) type GraphSeed = Vec<(u8, u8, Vec<u8>)>;

pub(crate) fn seeded_graph(seed: &GraphSeed) -> AssetGraph {
    let mut ops: Vec<OpSpec> = Vec::new();
    for (index, (kind, policy, deps)) in seed.iter().enumerate() {
        let partitions = match kind % 4 {
            0 | 1 => daily_partitions("2024-06-01"),
            2 => daily_partitions("2024-06-04"),
            _ => None,
        };
        let mut spec = asset_spec(&format!("n{index}"), partitions.clone(), &[]);
        for (above, choice) in deps.iter().enumerate().take(index) {
            let mut dep = DepSpec::new(format!("n{above}").parse().unwrap());
            let partitioned = partitions.is_some() && ops[above].assets[0].partitions.is_some();
            let offset = |start_offset| PartitionMapping::TimeWindow {
                start_offset,
                end_offset: 0,
                allow_nonexistent_upstream_partitions: true,
            };
            dep.mapping = match choice % 6 {
                0 | 1 if partitioned => Some(offset(0)),
                2 if partitioned => Some(offset(-2)),
                3 if partitioned => Some(PartitionMapping::All),
                0..=3 => None,
                _ => continue,
            };
            dep.need = need_of_choice(choice / 6);
            spec.deps.push(dep);
        }
        // Some daily assets also depend on their own previous day.
        if kind % 8 == 1 {
            let mut dep = DepSpec::new(spec.key.clone());
            dep.mapping = Some(PartitionMapping::TimeWindow {
                start_offset: -1,
                end_offset: -1,
                allow_nonexistent_upstream_partitions: true,
            });
            dep.need = need_of_choice(kind / 8);
            spec.deps.push(dep);
        }
        // Unpartitioned assets cannot have a policy that counts partitions.
        let mut op = OpSpec::single(spec);
        op.backfill = match policy % 4 {
            0 | 1 => BackfillPolicy::PerPartition,
            2 => BackfillPolicy::SingleRun,
            _ if partitions.is_none() => BackfillPolicy::PerPartition,
            _ => BackfillPolicy::MultiRun(NonZeroU32::new(3).unwrap()),
        };
        ops.push(op);
    }
    AssetGraph::new(ops, vec![]).unwrap()
}

fn need_of_choice(choice: u8) -> DepNeed {
    match choice % 3 {
        0 => DepNeed::Order,
        1 => DepNeed::Optional,
        _ => DepNeed::Data,
    }
}

/// Draws the numbers of a graph of one to seven assets.
pub(crate) fn any_graph_seed() -> impl Strategy<Value = GraphSeed> {
    let deps = prop::collection::vec(any::<u8>(), 8);
    prop::collection::vec((any::<u8>(), any::<u8>(), deps), 1..8)
}

/// Runs a plan whose partitions end by their fates, in an order by chance. Returns the partitions by
/// their states.
fn run_with_fates<'a>(
    lineage: Lineage<'_>,
    plan: &Plan,
    fates: &[u8],
    order: &mut impl Iterator<Item = &'a u8>,
) -> BTreeMap<&'static str, AssetPartitions> {
    let graph = lineage.graph;
    let asset_of = |step: StepId| {
        let step = &plan.stages[step.stage].steps[step.step];
        graph.id(&step.assets[0]).unwrap()
    };
    let mut states: BTreeMap<&'static str, AssetPartitions> = BTreeMap::new();
    let mut frontier = Frontier::new(lineage, plan).unwrap();
    let mut running: Vec<Ready> = Vec::new();
    loop {
        while let Some(ready) = frontier.take_ready(lineage, |_| true).unwrap() {
            running.push(ready);
        }
        if running.is_empty() {
            break;
        }
        let chance = usize::from(*order.next().unwrap()) % running.len();
        let ready = running.swap_remove(chance);
        let asset = asset_of(ready.step);
        let ordinal = usize::try_from(ready.partitions.first().unwrap()).unwrap();
        let (state, outcome) = match fates[(asset.0 as usize * 31 + ordinal) % fates.len()] {
            0 | 1 => (
                "failed",
                StepOutcome::new(PartitionSet::empty(), ready.partitions.clone()),
            ),
            2..5 => ("skipped", StepOutcome::skipped(ready.partitions.clone())),
            _ => ("made", StepOutcome::succeeded(ready.partitions.clone())),
        };
        states
            .entry(state)
            .or_default()
            .add(asset, &ready.partitions);
        for withheld in frontier
            .record_outcome(lineage, ready.step, &outcome)
            .unwrap()
        {
            let state = match withheld.cause {
                LossCause::Failed => "held back",
                LossCause::Skipped => "skipped",
            };
            let asset = asset_of(withheld.step);
            states
                .entry(state)
                .or_default()
                .add(asset, &withheld.partitions);
        }
    }
    assert!(frontier.is_finished());
    states
}

proptest! {
    #[test]
    fn a_frontier_runs_everything_once_and_never_too_early(
        seed in any_graph_seed(),
        chances in prop::collection::vec(any::<u8>(), 200),
        fail in 0_u8..4,
        skip in 0_u8..4,
    ) {
        let graph = seeded_graph(&seed);
        let context = june_context();
        let lineage = Lineage::new(&graph, &context);
        let plan = plan_of(&graph, "all", &AssetStatuses::default()).unwrap();
        let target: AssetPartitions = AssetPartitions::all_existing(&graph, &graph.all_assets(), &context);
        for stage in &plan.stages {
            prop_assert!(stage.after.iter().all(|on| plan.stages[*on].wave < stage.wave));
        }
        prop_assert_eq!(plan.pair_count(), target.len());

        let mut frontier = Frontier::new(lineage, &plan).unwrap();
        let mut running: Vec<Ready> = Vec::new();
        let (mut begun, mut done) = (BTreeSet::new(), AssetPartitions::new());
        let mut failed = AssetPartitions::new();
        // What had nothing to make, and what was passed over because it needs that.
        let (mut skipped, mut passed_over) = (AssetPartitions::new(), AssetPartitions::new());
        let mut chance_cycle = chances.iter().cycle();
        loop {
            // Either something more starts, after everything upstream of it ...
            let more = chance_cycle.next().unwrap() % 3 != 0;
            if let Some(ready) = frontier.take_ready(lineage, |_| more || running.is_empty()).unwrap() {
                let step = &plan.stages[ready.step.stage].steps[ready.step.step];
                let asset = graph.id(&step.assets[0]).unwrap();
                for ordinal in ready.partitions.iter() {
                    prop_assert!(begun.insert((asset, ordinal)), "begun twice");
                }
                for edge in graph.upstream(asset) {
                    let above = lineage.to_upstream(asset, &ready.partitions, edge).unwrap();
                    let mut open = &(&above.existing & target.of(edge.asset)) - done.of(edge.asset);
                    if edge.asset == asset {
                        open -= &ready.partitions;
                    }
                    if edge.need != DepNeed::Data {
                        open -= skipped.of(edge.asset);
                        open -= passed_over.of(edge.asset);
                    }
                    prop_assert!(open.is_empty(), "begun before its upstream was made");
                }
                running.push(ready);
                continue;
            }
            // ... or something that runs ends, in any order, now and then with failures.
            if running.is_empty() {
                break;
            }
            let chance = usize::from(*chance_cycle.next().unwrap());
            let ready = running.swap_remove(chance % running.len());
            let step = &plan.stages[ready.step.stage].steps[ready.step.step];
            let asset = graph.id(&step.assets[0]).unwrap();
            let (mut bad, mut none) = (PartitionSet::empty(), PartitionSet::empty());
            for ordinal in ready.partitions.iter() {
                let chance = chance_cycle.next().unwrap() % 16;
                if chance < fail {
                    bad.insert(ordinal);
                } else if chance < fail + skip {
                    none.insert(ordinal);
                }
            }
            let good = &(&ready.partitions - &bad) - &none;
            let mut outcome = StepOutcome::new(good.clone(), bad.clone());
            let nothing = StepOutcome::skipped(none.clone());
            outcome.losses.extend(nothing.losses);
            outcome.skipped = nothing.skipped;
            for withheld in frontier.record_outcome(lineage, ready.step, &outcome).unwrap() {
                let step = &plan.stages[withheld.step.stage].steps[withheld.step.step];
                if withheld.cause == LossCause::Skipped {
                    passed_over.add(graph.id(&step.assets[0]).unwrap(), &withheld.partitions);
                }
            }
            done.add(asset, &good);
            failed.add(asset, &bad);
            skipped.add(asset, &none);
        }
        // Everything ran that depends on no failure and needs nothing that was skipped.
        prop_assert!(frontier.is_finished());
        let lost = lineage.and_downstream(&failed, &target).unwrap();
        let record = AssetStatuses { skipped: skipped.clone(), ..AssetStatuses::default() };
        let nothing_to_make = record.nothing_to_make(lineage).unwrap();
        let unexpected = target.difference(&lost).difference(&nothing_to_make).difference(&done);
        prop_assert!(unexpected.is_empty(), "not made: {unexpected:?}");
        // Nothing ran that needs something that was skipped, but in one batch with it.
        let alone = graph.ids().all(|asset| !lineage.has_self_dependency(asset));
        let needless = nothing_to_make.difference(&skipped);
        let ran = [&done, &failed].iter().any(|ran| {
            needless.iter().any(|(asset, set)| !ran.of(asset).is_disjoint(set))
        });
        prop_assert!(!(alone && ran), "ran without need: {needless:?}");
        let tally = frontier.tally();
        prop_assert_eq!(tally.open_count(), 0);
        prop_assert_eq!(tally.succeeded, done.len());
        prop_assert_eq!(tally.skipped, skipped.len() + passed_over.len());
    }

    /// Every partition has a fate of its own. Whatever the order in which they end, the same are made,
    /// failed, held back and skipped: of a failure and a skip upstream, the failure decides.
    #[test]
    fn the_order_of_outcomes_changes_no_state(
        mut seed in any_graph_seed(),
        fates in prop::collection::vec(0_u8..12, 97),
        orders in prop::collection::vec(any::<u8>(), 200),
    ) {
        for (_, policy, _) in &mut seed {
            // What is in one batch is a matter of the policy, not of the order.
            *policy = 0;
        }
        let graph = seeded_graph(&seed);
        let context = june_context();
        let plan = plan_of(&graph, "all", &AssetStatuses::default()).unwrap();
        let lineage = Lineage::new(&graph, &context);
        let first = run_with_fates(lineage, &plan, &fates, &mut [0].iter().cycle());
        let other = run_with_fates(lineage, &plan, &fates, &mut orders.iter().cycle());
        prop_assert_eq!(&first, &other);
        let held_back = first.get("held back").cloned().unwrap_or_default();
        let failed = first.get("failed").cloned().unwrap_or_default();
        let all = AssetPartitions::all_existing(&graph, &graph.all_assets(), &context);
        let depends = lineage.and_downstream(&failed, &all).unwrap().difference(&failed);
        let skipped = first.get("skipped").cloned().unwrap_or_default();
        // Those that had nothing to make, or failed themselves, did run.
        prop_assert!(held_back.difference(&depends).is_empty());
        prop_assert!(skipped.intersection(&held_back).is_empty());
    }

    #[test]
    fn a_backfill_requests_everything_once_and_never_too_early(
        seed in prop::collection::vec(
            (any::<u8>(), any::<u8>(), prop::collection::vec(any::<u8>(), 8)),
            1..7,
        ),
    ) {
        let graph = seeded_graph(&seed);
        let context = june_context();
        let lineage = Lineage::new(&graph, &context);
        let target = AssetPartitions::all_existing(&graph, &graph.all_assets(), &context);
        let mut backfill = crate::backfill::Backfill::new(target.clone());
        let mut outcome = crate::backfill::Outcome::default();
        loop {
            let wave = backfill.next_wave(lineage, &outcome).unwrap();
            if wave.is_empty() {
                break;
            }
            let mut asked = AssetPartitions::new();
            for run in &wave {
                for asset in &run.assets {
                    let set = run.partitions.to_set();
                    prop_assert!(set.is_disjoint(asked.of(*asset)), "requested twice");
                    prop_assert!(set.is_disjoint(outcome.materialized.of(*asset)));
                    asked.add(*asset, &set);
                }
            }
            outcome.materialized = outcome.materialized.union(&asked);
        }
        prop_assert_eq!(outcome.materialized, target);
    }
}
