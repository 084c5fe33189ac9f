//! Answers of simulations.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use precip_core::{
    graph::AssetGraph,
    partitions::{PartitionContext, PartitionsDefinition, StaticPartitions},
    plan::{AssetStatuses, CheckSelection, Lineage, PartitionSelector, Plan, PlanRequest},
    selection::Selection,
    spec::{AssetSpec, OpSpec},
};
use precip_engine::{machine::Mode, run::PlannedRun};

use super::*;
use crate::{bill::Unit, lambda::Limits};

/// Returns a run of all partitions of so many assets that do not depend on each other, one stage each.
fn planned(assets: usize, partitions: usize, seconds: f64) -> Input {
    let ops = (0..assets).map(|number| {
        // Partitions of their own make stages of their own.
        let keys = (0..partitions).map(|key| format!("{number}-{key}"));
        let keys = StaticPartitions::new(keys.collect::<Vec<_>>()).unwrap();
        let mut asset = AssetSpec::new(format!("asset_{number}").parse().unwrap());
        asset.partitions = Some(Arc::new(PartitionsDefinition::from(keys)));
        OpSpec::single(asset)
    });
    let graph = AssetGraph::new(ops.collect(), vec![]).unwrap();
    let context = PartitionContext::at(DateTime::<Utc>::UNIX_EPOCH);
    let request = PlanRequest {
        assets: Selection::parse("*").unwrap().resolve(&graph).unwrap(),
        checks: CheckSelection::All,
        partitions: "all".parse::<PartitionSelector>().unwrap(),
        config: serde_json::Value::Null,
        tags: std::collections::BTreeMap::new(),
        run_key: None,
    };
    let lineage = Lineage::new(&graph, &context);
    let plan = Plan::new(lineage, &request, &AssetStatuses::default()).unwrap();
    let time = OpTime::Assumed(Duration::from_secs_f64(seconds));
    let times = (0..assets).map(|number| (format!("asset_{number}"), time.clone()));
    Input {
        times: times.collect(),
        graph: Arc::new(graph),
        planned: PlannedRun { plan, context },
        upstream: std::collections::BTreeMap::new(),
        recorded: std::collections::BTreeMap::new(),
        pools: std::collections::BTreeMap::new(),
    }
}

#[test]
fn a_small_run_is_one_execution_of_forty_at_once() {
    let report = simulate_run(&planned(1, 100, 2.0), &Settings::default()).unwrap();
    // Plan and end of a second each; three rounds of two seconds.
    assert!((report.seconds - 8.0).abs() < 0.01, "{}", report.seconds);
    assert_eq!(report.limited_by, LimitedBy::MachineRate);
    assert_eq!((report.partitions, report.failed), (100, 0));
    assert_eq!(report.usage.mode, Mode::Inline);
    let used = |unit| report.usage.amounts.get(unit);
    // A write for each, the run's eight, and the reactor's few.
    let writes = used(Unit::DynamoDbWrite);
    assert!((108.0..200.0).contains(&writes), "{writes}");
    // The plan and the objects.
    assert_eq!(used(Unit::S3Put), 101.0);
    let total: f64 = report.bill.iter().map(|line| line.cost).sum();
    assert!((report.dollars - total).abs() < 1e-12);
}

#[test]
fn a_large_run_is_limited_by_the_children_at_once() {
    let input = planned(1, 20_000, 2.0);
    let report = simulate_run(&input, &Settings::default()).unwrap();
    assert_eq!(report.limited_by, LimitedBy::MaxConcurrency);
    assert_eq!(report.failed, 0);
    // 20 children of 40 items, and the reactor.
    let peak = report.peak_concurrency;
    assert!((800.0..=804.0).contains(&peak), "{peak}");
    // 500 rows, 20 at once, 2 s each.
    assert!((50.0..58.0).contains(&report.seconds), "{}", report.seconds);
    // Half of them take twice as long.
    let fewer = Settings {
        max_concurrency: 400,
        ..Settings::default()
    };
    let slower = simulate_run(&input, &fewer).unwrap();
    assert!(slower.seconds > 1.8 * report.seconds, "{}", slower.seconds);
    assert_eq!(slower.partitions, report.partitions);
}

#[test]
fn the_same_input_gives_the_same_answer() {
    let answer = || {
        let settings = Settings {
            lambda: Limits::default().with_account_concurrency(300),
            ..Settings::default()
        };
        let report = simulate_run(&planned(2, 2_000, 3.0), &settings).unwrap();
        serde_json::to_string(&report).unwrap()
    };
    assert_eq!(answer(), answer());
}

/// A small account is slower, and the account is what holds the run back: the planner asks for its
/// concurrency and leaves a fifth of it to others.
#[test]
fn an_account_of_ten_is_slow_and_makes_everything() {
    let input = planned(1, 400, 10.0);
    let rich = simulate_run(&input, &Settings::default()).unwrap();
    let settings = Settings {
        lambda: Limits::default().with_account_concurrency(10),
        ..Settings::default()
    };
    let poor = simulate_run(&input, &settings).unwrap();
    assert_eq!(poor.limited_by, LimitedBy::AccountConcurrency);
    assert_eq!((poor.partitions, poor.failed), (400, 0));
    assert_eq!(poor.ended_by, None);
    // Eight at once, and the reactor.
    assert!(poor.peak_concurrency <= 10.0, "{}", poor.peak_concurrency);
    assert!((500.0..520.0).contains(&poor.seconds), "{}", poor.seconds);
    assert!(poor.seconds > 4.0 * rich.seconds, "{}", rich.seconds);
}

/// Four ordinary cases that used to fail 7 to 32% of their partitions: the stages of a wave took the whole
/// concurrency each, and a throttled call was retried for 31 s.
#[test]
fn no_partition_fails_because_functions_are_throttled() {
    let with_account = |account_concurrency| Settings {
        lambda: Limits::default().with_account_concurrency(account_concurrency),
        ..Settings::default()
    };
    let reserved = Settings {
        materializer_concurrency: Some(100),
        ..Settings::default()
    };
    for (stages, partitions, seconds, settings) in [
        (3, 3_000, 10.0, Settings::default()),
        (3, 3_000, 30.0, Settings::default()),
        (1, 5_000, 2.0, reserved),
        (1, 2_000, 10.0, with_account(10)),
    ] {
        let input = planned(stages, partitions, seconds);
        let report = simulate_run(&input, &settings).unwrap();
        assert_eq!(report.failed, 0, "{stages} stages of {seconds} s");
        assert_eq!(report.ended_by, None);
    }
}

/// A pool gives the concurrency: no item waits for a slot, so no poll is paid, and the run takes as long as
/// its slots need.
#[test]
fn a_thousand_items_pass_through_five_slots() {
    let mut input = planned(1, 1_000, 60.0);
    let graph = Arc::get_mut(&mut input.graph).unwrap();
    let mut op = graph.op_named("asset_0").unwrap().clone();
    op.pool = Some("api".to_owned());
    *graph = AssetGraph::new(vec![op], vec![]).unwrap();
    input.pools = std::collections::BTreeMap::from([("api".to_owned(), 5)]);
    let report = simulate_run(&input, &Settings::default()).unwrap();
    assert_eq!((report.partitions, report.failed), (1_000, 0));
    assert_eq!(report.limited_by, LimitedBy::Pool);
    let invocations: u64 = report.ops.iter().map(|op| op.invocations).sum();
    assert_eq!(invocations, 1_000);
    let least = 1_000.0 / 5.0 * 60.0;
    assert!(
        (least..least * 1.05).contains(&report.seconds),
        "{}",
        report.seconds
    );
}
