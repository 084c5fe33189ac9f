//! Generated machines, with a modelled planner and materializer.

use std::{cell::Cell, sync::Arc};

use precip_asl::compile::{CompileOptions, compile_machines};
use precip_core::{
    graph::AssetGraph,
    machine::Layout,
    partitions::{PartitionsDefinition, StaticPartitions},
    spec::{AssetSpec, OpSpec},
};

use super::*;

/// Returns a project of one asset with so many partitions.
fn one_asset(partitions: usize, change: impl FnOnce(&mut OpSpec)) -> AssetGraph {
    let keys = (0..partitions).map(|key| key.to_string());
    let keys = StaticPartitions::new(keys.collect::<Vec<_>>()).unwrap();
    let mut asset = AssetSpec::new("flights".parse().unwrap());
    asset.partitions = Some(Arc::new(PartitionsDefinition::from(keys)));
    let mut op = OpSpec::single(asset);
    change(&mut op);
    AssetGraph::new(vec![op], vec![]).unwrap()
}

/// Runs all partitions inline. `make` answers for an item at a moment, and how long that takes.
fn run_inline(
    graph: &AssetGraph,
    items: usize,
    limits: Limits,
    make: impl Fn(Duration, &Value) -> (Duration, Answer) + 'static,
) -> (World, ExecutionOutcome, History) {
    let layout = Layout::from_graph(graph).unwrap();
    let stage = layout.stages[0].name.to_string();
    let machines = compile_machines(graph, &layout, &CompileOptions::new("p")).unwrap();
    let time = Rc::new(RefCell::new(None::<VirtualTime>));
    let clock = Rc::clone(&time);
    let script = move |function: &str, payload: &Value| {
        if function != "PlannerArn" {
            let now = clock.borrow().as_ref().map(VirtualTime::elapsed);
            return make(now.unwrap_or_default(), payload);
        }
        let answer = match payload["do"].as_str().unwrap() {
            "plan" => {
                let item = |key: usize| json!({"p": key.to_string(), "o": key.to_string(), "steps": {"flights": {}}});
                let items: Vec<Value> = (0..items).map(item).collect();
                json!({
                    "run": "r", "mode": "inline", "wave": 0, "redrive": 0,
                    "stages": {stage.as_str(): {"items": items}},
                })
            }
            "record" => json!({"run": "r", "redrive": 0, "item": {"steps": {}}}),
            "finish" => json!({"again": false}),
            other => panic!("the planner was asked to {other}"),
        };
        after(0, Ok(answer))
    };
    let mut world = World::with_limits(limits, Faults::default(), script);
    *time.borrow_mut() = Some(world.kernel.time());
    let none = BTreeMap::new();
    let machine = world.service.create_machine("run", &machines.run, &none);
    let arn = world
        .service
        .start_execution(&machine.unwrap(), None, json!({}))
        .unwrap();
    let (outcome, history) = world.wait(&arn);
    (world, outcome, history)
}

#[test]
fn a_generated_machine_makes_each_item() {
    let graph = one_asset(200, |_| {});
    let (world, outcome, history) = run_inline(&graph, 200, Limits::default(), |_, _| {
        after(2, Ok(json!({})))
    });
    assert_eq!(
        outcome.status,
        ExecutionStatus::Succeeded,
        "{:?}",
        outcome.error
    );
    assert_eq!((world.functions.most.get(), world.seconds()), (40, 10.0));
    assert!(
        history.count > 200 * 7 && history.count < 200 * 7 + 60,
        "{}",
        history.count
    );
}

/// A full pool is asked again and again, and each time leaves three events: with 100 items of a minute and
/// one slot the history is full before the work is done.
#[test]
fn waiting_for_a_pool_fills_the_history() {
    let graph = one_asset(100, |op| op.pool = Some("narrow".to_owned()));
    let (free_at, made) = (Cell::new(Duration::ZERO), Rc::new(Cell::new(0)));
    let count = Rc::clone(&made);
    let make = move |now: Duration, _: &Value| {
        if now < free_at.get() {
            return after(0, failed("Precip.PoolFull"));
        }
        free_at.set(now + Duration::from_secs(60));
        count.set(count.get() + 1);
        after(60, Ok(json!({})))
    };
    let (world, outcome, history) = run_inline(&graph, 100, Limits::default(), make);
    assert_eq!(
        (outcome.status, history.count),
        (ExecutionStatus::Failed, 25_000)
    );
    assert_eq!(error_of(&outcome), "States.Runtime");
    // By the review: dead at 51 minutes, with 50 done.
    let minutes = world.seconds() / 60.0;
    assert!((40.0..62.0).contains(&minutes), "{minutes}");
    assert!((40..=61).contains(&made.get()), "{}", made.get());
}

/// A table that throttles fails no partition, though the op has no retry policy. The attempts are patient:
/// the last comes up to a minute after the first.
#[test]
fn a_throttled_table_fails_no_partition() {
    let graph = one_asset(100, |_| {});
    let tries: RefCell<BTreeMap<String, u32>> = RefCell::default();
    let make = move |_, payload: &Value| {
        let mut tries = tries.borrow_mut();
        let tried = tries.entry(payload["item"]["p"].to_string()).or_default();
        *tried += 1;
        let throttled = *tried <= 6;
        after(
            1,
            if throttled {
                failed("Precip.Platform")
            } else {
                Ok(json!({}))
            },
        )
    };
    let (world, outcome, _) = run_inline(&graph, 100, Limits::default(), make);
    assert_eq!(
        outcome.status,
        ExecutionStatus::Succeeded,
        "{:?}",
        outcome.error
    );
    assert_eq!(world.functions.calls.get(), 100 * 7 + 2);
}

/// The planner's budget for inline runs counts successes. The same number of items whose tasks all fail
/// leaves more events than an execution may have.
#[test]
fn an_inline_run_whose_items_fail_outgrows_its_history() {
    let graph = one_asset(2_129, |_| {});
    let endless = Limits {
        history_events: u64::MAX,
        payload_bytes: usize::MAX,
        ..Limits::default()
    };
    let fails = |_, _: &Value| after(1, failed("Precip.Terminal"));
    let (_, _, history) = run_inline(&graph, 2_129, endless, fails);
    // By the review: 25,639.
    assert!(history.count.abs_diff(25_639) < 200, "{}", history.count);
}
