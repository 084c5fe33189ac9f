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

pub(crate) fn context() -> PartitionContext {
    let now: DateTime<chrono::Utc> = "2024-06-09T12:00:00Z".parse().unwrap();
    PartitionContext::at(now)
}

fn daily(start: &str) -> Option<Arc<PartitionsDefinition>> {
    let windows = TimeWindowPartitions::daily(start).build().unwrap();
    Some(Arc::new(windows.into()))
}

fn letters() -> Option<Arc<PartitionsDefinition>> {
    Some(Arc::new(
        StaticPartitions::new(["a", "b", "c"]).unwrap().into(),
    ))
}

fn asset(key: &str, partitions: Option<Arc<PartitionsDefinition>>, deps: &[&str]) -> AssetSpec {
    let mut spec = AssetSpec::new(key.parse().unwrap());
    spec.partitions = partitions;
    spec.deps = deps
        .iter()
        .map(|dep| DepSpec::new(dep.parse().unwrap()))
        .collect();
    spec
}

fn graph(assets: Vec<AssetSpec>) -> AssetGraph {
    AssetGraph::new(assets.into_iter().map(OpSpec::single).collect(), vec![]).unwrap()
}

fn plan_of(graph: &AssetGraph, partitions: &str, record: &Record) -> Result<Plan, PlanError> {
    let context = context();
    let selector = match partitions {
        "" => PartitionSelector::default(),
        written => written.parse().unwrap(),
    };
    let request = PlanRequest::new(graph.all(), selector);
    Plan::new(Lineage::new(graph, &context), &request, record)
}

fn shape(plan: &Plan) -> Vec<(u32, Vec<String>, u64)> {
    let stage = |stage: &Stage| {
        let ops = stage.steps.iter().map(|step| step.op.clone()).collect();
        (stage.wave, ops, stage.partitions.len())
    };
    plan.stages.iter().map(stage).collect()
}

#[test]
fn assets_joined_by_identity_share_a_stage() {
    let graph = graph(vec![
        asset("a", daily("2024-06-01"), &[]),
        asset("b", daily("2024-06-01"), &["a"]),
        asset("c", daily("2024-06-01"), &["a", "b"]),
        asset("total", None, &["c"]),
    ]);
    let plan = plan_of(&graph, "2024-06-02...2024-06-04", &Record::default()).unwrap();
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        shape(&plan),
        [(0, names(&["a", "b", "c"]), 3), (1, names(&["total"]), 1)]
    );
    assert_eq!(plan.stages[1].after, [0]);
    assert_eq!(plan.items(), 10);
    let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(again, plan);
}

#[test]
fn keys_reach_assets_that_are_divided_in_another_way() {
    let hourly = TimeWindowPartitions::hourly("2024-06-07-00:00")
        .build()
        .unwrap();
    let graph = graph(vec![
        asset("hours", Some(Arc::new(hourly.into())), &[]),
        asset("days", daily("2024-06-01"), &["hours"]),
        asset("letters", letters(), &[]),
    ]);
    let plan = plan_of(&graph, "2024-06-07", &Record::default()).unwrap();
    let key = |key: &str| key.parse().unwrap();
    assert_eq!(plan.assets()[&key("hours")], 24);
    assert_eq!(plan.why[&key("hours")], Why::Makes(key("days")));
    assert_eq!(plan.why[&key("days")], Why::Keys);
    assert_eq!(plan.left_out[0].reason, LeftOutReason::Unrelated);
}

#[test]
fn missing_leaves_out_what_is_made_and_names_what_is_needed() {
    let graph = graph(vec![
        asset("a", letters(), &[]),
        asset("b", letters(), &["a"]),
    ]);
    let context = context();
    let (a, b) = (AssetId(0), AssetId(1));
    let record = Record {
        materialized: AssetPartitions::from_iter([(a, PartitionSet::from(0..2))]),
        failed: AssetPartitions::new(),
    };
    let plan = plan_of(&graph, "missing", &record).unwrap();
    assert_eq!(plan.items(), 4);
    assert_eq!(plan.left_out[0].reason, LeftOutReason::Materialized);
    let request = PlanRequest::new(b.into(), PartitionSelector::all());
    let plan = Plan::new(Lineage::new(&graph, &context), &request, &record).unwrap();
    assert_eq!(plan.needed[0].partitions, PartitionSet::single(2));
}

#[test]
fn refusals_say_what_to_write() {
    let graph = graph(vec![asset("a", daily("2024-06-01"), &[])]);
    let refuse = |partitions| {
        let refusal = plan_of(&graph, partitions, &Record::default());
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
fn a_blocking_check_stands_between_its_asset_and_what_is_made_from_it() {
    let ops = vec![
        OpSpec::single(asset("a", letters(), &[])),
        OpSpec::single(asset("b", letters(), &["a"])),
        blocking_check("a"),
    ];
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let plan = plan_of(&graph, "a", &Record::default()).unwrap();
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

/// A partition, by its ordinal, of an op.
type Of = (String, u64);

/// Runs a plan, with failures of some ops for some ordinals. Answers what ran, in its order, and what
/// was held back.
fn follow(graph: &AssetGraph, plan: &Plan, fails: &[(&str, u64)]) -> (Vec<Of>, BTreeSet<Of>) {
    let context = context();
    let lineage = Lineage::new(graph, &context);
    let mut schedule = Schedule::new(lineage, plan).unwrap();
    let op = |id: StepId| plan.stages[id.stage].steps[id.step].op.clone();
    let (mut ran, mut held) = (Vec::new(), BTreeSet::new());
    while let Some(ready) = schedule.next(lineage, |_| true).unwrap() {
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
        let back = schedule.settle(lineage, ready.step, &succeeded, &failed);
        for back in back.unwrap() {
            let name = op(back.step);
            held.extend(
                back.partitions
                    .iter()
                    .map(|ordinal| (name.clone(), ordinal)),
            );
        }
    }
    assert!(schedule.is_finished());
    (ran, held)
}

#[test]
fn an_undivided_asset_waits_for_the_partitions_that_it_reads_and_no_others() {
    let mut whole = asset("whole", None, &["part"]);
    whole.deps[0].mapping = Some(PartitionMapping::Specific {
        keys: vec!["b".into()],
    });
    let graph = graph(vec![asset("part", letters(), &[]), whole]);
    let plan = plan_of(&graph, "all", &Record::default()).unwrap();
    let (ran, held) = follow(&graph, &plan, &[("part", 0), ("part", 2)]);
    assert!(ran.contains(&("whole".into(), 0)));
    assert_eq!(held, BTreeSet::new());
    let (ran, held) = follow(&graph, &plan, &[("part", 1)]);
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
        let mut sum = asset("sum", daily("2024-06-05"), &["sum"]);
        sum.deps[0].mapping = Some(PartitionMapping::TimeWindow {
            start_offset: -1,
            end_offset: -1,
            allow_nonexistent_upstream_partitions: true,
        });
        let mut op = OpSpec::single(sum);
        op.backfill = policy;
        let graph = AssetGraph::new(vec![op, blocking_check("sum")], vec![]).unwrap();
        let plan = plan_of(&graph, "all", &Record::default()).unwrap();
        let (ran, held) = follow(&graph, &plan, &[]);
        assert_eq!((ran.len(), held.len()), (8, 0), "{policy:?}");
        let (ran, held) = follow(&graph, &plan, &[("sum:fine", 1)]);
        let expected: &[u64] = match policy {
            // What is made together cannot wait for a check in between.
            BackfillPolicy::SingleRun => &[],
            _ => &[2, 3],
        };
        let both = |ordinal: &u64| [("sum".into(), *ordinal), ("sum:fine".into(), *ordinal)];
        assert_eq!(held, expected.iter().flat_map(both).collect(), "{policy:?}");
        assert_eq!(ran.len() + held.len(), 8, "{policy:?}");
    }
}

/// Dependencies and policies, as numbers to choose by.
pub(crate) type Drawn = Vec<(u8, u8, Vec<u8>)>;

pub(crate) fn drawn_graph(drawn: &Drawn) -> AssetGraph {
    let mut ops: Vec<OpSpec> = Vec::new();
    for (place, (kind, policy, deps)) in drawn.iter().enumerate() {
        let partitions = match kind % 4 {
            0 | 1 => daily("2024-06-01"),
            2 => daily("2024-06-04"),
            _ => None,
        };
        let mut spec = asset(&format!("n{place}"), partitions.clone(), &[]);
        for (above, choice) in deps.iter().enumerate().take(place) {
            let mut dep = DepSpec::new(format!("n{above}").parse().unwrap());
            let both = partitions.is_some() && ops[above].assets[0].partitions.is_some();
            let offset = |start_offset| PartitionMapping::TimeWindow {
                start_offset,
                end_offset: 0,
                allow_nonexistent_upstream_partitions: true,
            };
            dep.mapping = match choice % 6 {
                0 | 1 if both => Some(offset(0)),
                2 if both => Some(offset(-2)),
                3 if both => Some(PartitionMapping::All),
                0..=3 => None,
                _ => continue,
            };
            spec.deps.push(dep);
        }
        if kind % 8 == 1 {
            let mut dep = DepSpec::new(spec.key.clone());
            dep.mapping = Some(PartitionMapping::TimeWindow {
                start_offset: -1,
                end_offset: -1,
                allow_nonexistent_upstream_partitions: true,
            });
            spec.deps.push(dep);
        }
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

/// Draws [`Drawn`].
pub(crate) fn any_drawn() -> impl Strategy<Value = Drawn> {
    let deps = prop::collection::vec(any::<u8>(), 8);
    prop::collection::vec((any::<u8>(), any::<u8>(), deps), 1..8)
}

proptest! {
    #[test]
    fn a_schedule_runs_everything_once_and_never_too_early(
        drawn in any_drawn(),
        chances in prop::collection::vec(any::<u8>(), 200),
        fail in 0_u8..4,
    ) {
        let graph = drawn_graph(&drawn);
        let context = context();
        let lineage = Lineage::new(&graph, &context);
        let plan = plan_of(&graph, "all", &Record::default()).unwrap();
        let target: AssetPartitions = AssetPartitions::all(&graph, &graph.all(), &context);
        for stage in &plan.stages {
            prop_assert!(stage.after.iter().all(|on| plan.stages[*on].wave < stage.wave));
        }
        prop_assert_eq!(plan.items(), target.len());

        let mut schedule = Schedule::new(lineage, &plan).unwrap();
        let mut running: Vec<Ready> = Vec::new();
        let (mut begun, mut done, mut failed) =
            (BTreeSet::new(), AssetPartitions::new(), AssetPartitions::new());
        let mut chances = chances.iter().cycle();
        loop {
            let more = chances.next().unwrap() % 3 != 0;
            if let Some(ready) = schedule.next(lineage, |_| more || running.is_empty()).unwrap() {
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
            if running.is_empty() {
                break;
            }
            let chance = usize::from(*chances.next().unwrap());
            let ready = running.swap_remove(chance % running.len());
            let step = &plan.stages[ready.step.stage].steps[ready.step.step];
            let asset = graph.id(&step.assets[0]).unwrap();
            let mut bad = PartitionSet::empty();
            for ordinal in ready.partitions.iter() {
                if fail > 0 && chances.next().unwrap() % 16 < fail {
                    bad.insert(ordinal);
                }
            }
            let good = &ready.partitions - &bad;
            schedule.settle(lineage, ready.step, &good, &bad).unwrap();
            done.add(asset, &good);
            failed.add(asset, &bad);
        }
        prop_assert!(schedule.is_finished());
        let lost = lineage.and_downstream(&failed, &target).unwrap();
        // A batch that runs as a whole may have made what another part of it failed to precede.
        let unexpected = target.minus(&lost).minus(&done);
        prop_assert!(unexpected.is_empty(), "not made: {unexpected:?}");
        let tally = schedule.tally();
        prop_assert_eq!(tally.left(), 0);
        prop_assert_eq!(tally.succeeded, done.len());
    }

    #[test]
    fn a_backfill_asks_for_everything_once_and_never_too_early(
        drawn in prop::collection::vec(
            (any::<u8>(), any::<u8>(), prop::collection::vec(any::<u8>(), 8)),
            1..7,
        ),
    ) {
        let graph = drawn_graph(&drawn);
        let context = context();
        let lineage = Lineage::new(&graph, &context);
        let target = AssetPartitions::all(&graph, &graph.all(), &context);
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
                    let set = run.partitions.set();
                    prop_assert!(set.is_disjoint(asked.of(*asset)), "asked for twice");
                    prop_assert!(set.is_disjoint(outcome.materialized.of(*asset)));
                    asked.add(*asset, &set);
                }
            }
            outcome.materialized = outcome.materialized.or(&asked);
        }
        prop_assert_eq!(outcome.materialized, target);
    }
}
