//! Generated machines, with a modelled planner and materializer.

use std::sync::Arc;

use precip_asl::compile::{CompileOptions, compile_machines};
use precip_core::{
    graph::AssetGraph,
    machine::{INLINE_EVENTS, Layout, StageWork, Work},
    partitions::{PartitionsDefinition, StaticPartitions},
    spec::{AssetSpec, Backoff, Jitter, OpSpec, RetryPolicy},
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

fn item(key: usize) -> Value {
    json!({"p": key.to_string(), "o": key.to_string(), "steps": {"flights": {}}})
}

/// Returns the events that the planner counts for a run of so many items.
fn inline_budget(graph: &AssetGraph, items: usize) -> u64 {
    let layout = Layout::from_graph(graph).unwrap();
    let items = (0..items).map(|key| serde_json::from_value(item(key)).unwrap());
    let stage = StageWork {
        stage: 0,
        items: items.collect(),
    };
    let work = Work {
        stages: vec![stage],
    };
    work.inline_events(&layout, graph) as u64
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
                let items: Vec<Value> = (0..items).map(item).collect();
                json!({
                    "run": "r", "mode": "inline", "wave": 0, "redrive": 0, "functions_at_once": 800,
                    "stages": {stage.as_str(): {"items": items, "rows_at_once": 1, "items_at_once": 40}},
                })
            }
            "record" => json!({"run": "r", "item": {"steps": {}}}),
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

/// Another run holds every slot of the pool for good. Each poll leaves three events, so the waits have an
/// end: the history holds those of all items, and the items fail.
#[test]
fn waiting_for_a_pool_ends_before_the_history_is_full() {
    let graph = one_asset(30, |op| op.pool = Some("narrow".to_owned()));
    let make = |_, _: &Value| after(0, failed("Precip.PoolFull"));
    let (world, outcome, history) = run_inline(&graph, 30, Limits::default(), make);
    assert_eq!(outcome.status, ExecutionStatus::Succeeded);
    let budget = inline_budget(&graph, 30);
    assert!(history.count <= budget, "{} > {budget}", history.count);
    assert!(budget <= INLINE_EVENTS as u64, "{budget}");
    let hours = world.seconds() / 3_600.0;
    assert!((12.0..40.0).contains(&hours), "{hours}");
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

/// The budget of an inline run holds the events of one whose items all use up their retries and fail.
#[test]
fn the_budget_of_an_inline_run_holds_its_failures() {
    for max_retries in [0, 3] {
        let graph = one_asset(1_000, |op| {
            op.retry = Some(RetryPolicy {
                max_retries,
                delay: Duration::from_secs(1),
                backoff: Backoff::Constant,
                jitter: Jitter::None,
            });
        });
        let limits = Limits {
            history_events: u64::MAX,
            ..Limits::default()
        };
        let fails = |_, _: &Value| after(1, failed("Precip.Retryable"));
        let (_, _, history) = run_inline(&graph, 1_000, limits, fails);
        let budget = inline_budget(&graph, 1_000);
        assert!(history.count <= budget, "{} > {budget}", history.count);
        assert!(history.count + 40 > budget, "{} of {budget}", history.count);
    }
}
