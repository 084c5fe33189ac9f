//! Inline and distributed maps.

use super::*;
use crate::bill::Unit;

use EventKind::*;

fn item_states(function: &str) -> Value {
    json!({"T": {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload": {"item.$": "$"}},
        "OutputPath": "$.Payload",
        "End": true,
    }})
}

fn inline_map(more: Value) -> Value {
    let mut map = json!({
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "T",
            "States": item_states("f"),
        },
        "End": true,
    });
    map.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"StartAt": "M", "States": {"M": map}})
}

fn distributed_map(kind: &str, more: Value) -> Value {
    let mut map = json!({
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Parameters": {"Bucket": "b", "Key.$": "$.key"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind},
            "StartAt": "T",
            "States": item_states("f"),
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": "b", "Prefix": "results"},
        },
        "End": true,
    });
    map.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"StartAt": "M", "States": {"M": map}})
}

fn manifest(world: &World, rows: usize) -> Value {
    let lines: Vec<String> = (0..rows).map(|row| row.to_string()).collect();
    let content = lines.join("\n").into_bytes();
    world
        .objects
        .0
        .borrow_mut()
        .insert("rows".to_owned(), content);
    json!({"key": "rows"})
}

/// Six events, and seven for each item of one task. Forty items run at once.
#[test]
fn an_inline_map_leaves_seven_events_for_each_item() {
    let mut world = World::new(|_, payload| after(1, Ok(payload["item"].clone())));
    let items: Vec<u32> = (0..100).collect();
    let (outcome, history) = world.run(inline_map(json!({})), json!({"items": items}));
    assert_eq!(outcome.output, Some(json!(items)));
    assert_eq!(history.count, 6 + 7 * 100);
    assert_eq!((world.functions.most.get(), world.seconds()), (40, 3.0));
    let mut world = World::new(|_, payload| after(1, Ok(payload["item"].clone())));
    world.run(
        inline_map(json!({"MaxConcurrency": 3})),
        json!({"items": items}),
    );
    assert_eq!((world.functions.most.get(), world.seconds()), (3, 34.0));
}

#[test]
fn an_inline_map_fails_with_its_first_item() {
    let fail_once = std::cell::Cell::new(true);
    let mut world = World::new(move |_, payload| {
        let fails = payload["item"] == 2 && fail_once.replace(false);
        after(
            1,
            if fails {
                failed("Odd")
            } else {
                Ok(payload["item"].clone())
            },
        )
    });
    let machine = world.create("m", inline_map(json!({"MaxConcurrency": 1})));
    let items = json!({"items": [1, 2, 3]});
    let arn = world
        .service
        .start_execution(&machine, None, items)
        .unwrap();
    let (outcome, history) = world.wait(&arn);
    assert_eq!(error_of(&outcome), "Odd");
    let last = kinds(&history);
    assert_eq!(
        last[last.len() - 4..],
        [
            TaskFailed,
            MapIterationFailed,
            MapStateFailed,
            ExecutionFailed
        ]
    );
    // A redrive does not repeat the first item.
    let (outcome, _) = world.redrive(&arn);
    assert_eq!(outcome.output, Some(json!([1, 2, 3])));
    assert_eq!(world.functions.calls.get(), 4);
}

#[test]
fn a_distributed_map_leaves_eight_events_whatever_its_rows() {
    let mut world = World::new(|_, payload| after(1, Ok(payload["item"].clone())));
    let input = manifest(&world, 2_500);
    let (outcome, history) = world.run(distributed_map("EXPRESS", json!({})), input);
    assert_eq!(
        (outcome.status, history.count),
        (ExecutionStatus::Succeeded, 8)
    );
    // A thousand start in a second, and the last runs for one.
    assert!(
        (world.seconds() - 3.499).abs() < 1e-6,
        "{}",
        world.seconds()
    );
    assert_eq!(world.bill.amount(Unit::ExpressRequest), 2_500.0);
    assert_eq!(world.bill.amount(Unit::ExpressGbSecond), 2_500.0 * 0.0625);
    // The start, the state, and each child.
    assert_eq!(world.bill.amount(Unit::StandardTransition), 2_502.0);
    let written: Vec<String> = world.objects.0.borrow().keys().cloned().collect();
    assert_eq!(written.len(), 3, "{written:?}");
    let children = world.service.child_histories();
    assert!(children.iter().all(|(_, history)| history.count == 7));
    assert_eq!(children.len(), 2_500);
}

#[test]
fn standard_children_start_more_slowly_and_pay_by_transition() {
    let mut world = World::new(|_, payload| after(1, Ok(payload["item"].clone())));
    let input = manifest(&world, 250);
    world.run(distributed_map("STANDARD", json!({})), input);
    assert!((world.seconds() - 3.49).abs() < 1e-6, "{}", world.seconds());
    assert_eq!(
        world.bill.amount(Unit::StandardTransition),
        2.0 + 250.0 * 2.0
    );
}

#[test]
fn a_distributed_map_tolerates_failures_and_runs_them_again() {
    let first = std::cell::Cell::new(true);
    let mut world = World::new(move |_, payload| {
        let fails = payload["item"] == 3 && first.replace(false);
        after(
            1,
            if fails {
                failed("Odd")
            } else {
                Ok(payload["item"].clone())
            },
        )
    });
    let input = manifest(&world, 10);
    let machine = world.create("m", distributed_map("EXPRESS", json!({})));
    let arn = world
        .service
        .start_execution(&machine, None, input)
        .unwrap();
    let (outcome, _) = world.wait(&arn);
    assert_eq!(error_of(&outcome), "States.ExceedToleratedFailureThreshold");
    let (outcome, history) = world.redrive(&arn);
    assert_eq!(outcome.status, ExecutionStatus::Succeeded);
    assert!(kinds(&history).contains(&MapRunRedriven));
    assert_eq!(world.functions.calls.get(), 11);

    let mut world = World::new(|_, _| after(1, failed("Odd")));
    let input = manifest(&world, 10);
    let tolerant = distributed_map("EXPRESS", json!({"ToleratedFailurePercentage": 100}));
    let (outcome, _) = world.run(tolerant, input);
    assert_eq!(outcome.status, ExecutionStatus::Succeeded);
    let objects = world.objects.0.borrow();
    let failed = objects
        .iter()
        .find(|(key, _)| key.ends_with("FAILED_0.json"))
        .unwrap();
    let failed: Value = serde_json::from_slice(failed.1).unwrap();
    assert_eq!(failed.as_array().unwrap().len(), 10);
}

#[test]
fn an_express_child_lasts_five_minutes_and_may_run_twice() {
    let mut world = World::new(|_, _| after(400, Ok(json!({}))));
    let input = manifest(&world, 1);
    let tolerant = json!({"ToleratedFailurePercentage": 100});
    world.run(distributed_map("EXPRESS", tolerant), input);
    assert_eq!(world.seconds(), 300.0);
    let child = &world.service.child_histories()[0].1;
    assert_eq!(kinds(child).last(), Some(&ExecutionTimedOut));

    let faults = Faults {
        doubled_child_one_in: 2,
    };
    let mut world = World::with_limits(Limits::default(), faults, |_, _| after(1, Ok(json!({}))));
    let input = manifest(&world, 100);
    world.run(distributed_map("EXPRESS", json!({})), input);
    let calls = world.functions.calls.get();
    assert!((120..180).contains(&calls), "{calls}");
}

#[test]
fn the_concurrency_comes_from_the_data() {
    let mut world = World::new(|_, _| after(1, Ok(json!({}))));
    let mut input = manifest(&world, 100);
    input["at_once"] = json!(10);
    let machine = distributed_map("EXPRESS", json!({"MaxConcurrencyPath": "$.at_once"}));
    world.run(machine.clone(), input.clone());
    assert_eq!(world.functions.most.get(), 10);
    input["at_once"] = json!("ten");
    let (outcome, _) = world.run(machine, input);
    assert_eq!(error_of(&outcome), "States.Runtime");
}

#[test]
fn a_manifest_that_is_missing_fails_the_map() {
    let mut world = World::new(|_, _| after(1, Ok(json!({}))));
    let (outcome, history) = world.run(
        distributed_map("EXPRESS", json!({})),
        json!({"key": "gone"}),
    );
    assert_eq!(error_of(&outcome), "States.ItemReaderFailed");
    assert!(kinds(&history).contains(&MapRunFailed));
}
