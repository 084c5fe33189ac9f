use std::{collections::BTreeSet, num::NonZeroU32, sync::Arc};

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
    spec::{AssetSpec, BackfillPolicy, CheckSpec, DepSpec, OpSpec},
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

/// Draws the numbers of a graph of one to seven assets.
pub(crate) fn any_graph_seed() -> impl Strategy<Value = GraphSeed> {
    let deps = prop::collection::vec(any::<u8>(), 8);
    prop::collection::vec((any::<u8>(), any::<u8>(), deps), 1..8)
}

proptest! {
    #[test]
    fn a_frontier_runs_everything_once_and_never_too_early(
        seed in any_graph_seed(),
        chances in prop::collection::vec(any::<u8>(), 200),
        fail in 0_u8..4,
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
        let (mut begun, mut done, mut failed) =
            (BTreeSet::new(), AssetPartitions::new(), AssetPartitions::new());
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
            let mut bad = PartitionSet::empty();
            for ordinal in ready.partitions.iter() {
                if fail > 0 && chance_cycle.next().unwrap() % 16 < fail {
                    bad.insert(ordinal);
                }
            }
            let good = &ready.partitions - &bad;
            frontier.record_outcome(lineage, ready.step, &StepOutcome::new(good.clone(), bad.clone())).unwrap();
            done.add(asset, &good);
            failed.add(asset, &bad);
        }
        // All that does not depend on a failure was materialized.
        prop_assert!(frontier.is_finished());
        let lost = lineage.and_downstream(&failed, &target).unwrap();
        // A batch that runs as a whole may succeed for partitions after one that failed in it.
        let unexpected = target.difference(&lost).difference(&done);
        prop_assert!(unexpected.is_empty(), "not made: {unexpected:?}");
        let tally = frontier.tally();
        prop_assert_eq!(tally.open_count(), 0);
        prop_assert_eq!(tally.succeeded, done.len());
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
