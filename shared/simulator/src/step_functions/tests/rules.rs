//! Tasks, retries, catches, timeouts, sizes, names, and redrives.

use std::cell::Cell;

use super::*;
use crate::step_functions::{InvalidMachine, RedriveError, StartError};

use EventKind::*;

#[test]
fn a_task_leaves_five_events() {
    let mut world = World::new(|_, payload| after(1, Ok(payload["input"].clone())));
    let (outcome, history) = world.run(task_machine(json!({})), json!({"a": [1, 2]}));
    assert_eq!(outcome.output, Some(json!({"a": [1, 2]})));
    let expected = [
        ExecutionStarted,
        TaskStateEntered,
        TaskScheduled,
        TaskStarted,
        TaskSucceeded,
        TaskStateExited,
        ExecutionSucceeded,
    ];
    assert_eq!(kinds(&history), expected);
}

/// The first retrier that matches decides, each counts its own attempts, and the waits grow.
#[test]
fn retriers_are_tried_in_order_and_count_for_themselves() {
    let calls = Cell::new(0);
    let mut world = World::new(move |_, _| {
        calls.set(calls.get() + 1);
        let errors = ["Busy", "Busy", "Lost", "Busy", "Busy"];
        after(
            0,
            errors
                .get(calls.get() - 1)
                .map_or(Ok(calls.get().into()), |error| failed(error)),
        )
    });
    let retry = json!({"Retry": [
        {"ErrorEquals": ["Busy"], "IntervalSeconds": 10, "BackoffRate": 3.0, "MaxDelaySeconds": 60, "MaxAttempts": 4},
        {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1},
    ]});
    let (outcome, history) = world.run(task_machine(retry), json!({}));
    assert_eq!(outcome.output, Some(json!(6)));
    // 10, 30, then one of the other retrier, then 60 twice.
    assert_eq!(world.seconds(), 10.0 + 30.0 + 1.0 + 60.0 + 60.0);
    // Each further attempt is scheduled, starts and ends: three events.
    assert_eq!(history.count, 7 + 5 * 3);
    let transitions = world.bill.amount(crate::bill::Unit::StandardTransition);
    // The start, the state, and five retries.
    assert_eq!(transitions, 7.0);
}

#[test]
fn full_jitter_waits_at_most_the_computed_time() {
    let mut world = World::new(|_, _| after(0, failed("Busy")));
    let retry = json!({"Retry": [
        {"ErrorEquals": ["Busy"], "MaxAttempts": 5, "JitterStrategy": "FULL"},
    ]});
    let (outcome, _) = world.run(task_machine(retry), json!({}));
    assert_eq!(error_of(&outcome), "Busy");
    let waited = world.seconds();
    assert!(waited > 0.0 && waited < 31.0, "{waited}");
}

#[test]
fn states_all_matches_neither_too_much_data_nor_a_broken_path() {
    let large = "x".repeat(300_000);
    let mut world = World::new(move |_, _| after(0, Ok(json!(large))));
    let more = json!({
        "Retry": [{"ErrorEquals": ["States.ALL"]}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "T"}],
    });
    let (outcome, _) = world.run(task_machine(more.clone()), json!({}));
    assert_eq!(error_of(&outcome), "States.DataLimitExceeded");

    let mut world = World::new(|_, _| after(0, Ok(json!({}))));
    let choice = json!({"StartAt": "C", "States": {
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.gone", "StringEquals": "x", "Next": "End"}]},
        "End": {"Type": "Succeed"},
    }});
    let (outcome, _) = world.run(choice, json!({}));
    assert_eq!(error_of(&outcome), "States.Runtime");
}

#[test]
fn a_caught_error_is_put_at_its_path() {
    let mut world = World::new(|_, _| after(0, failed("Odd")));
    let mut machine = task_machine(json!({
        "Catch": [{"ErrorEquals": ["Odd"], "ResultPath": "$.failed.t", "Next": "Caught"}],
    }));
    machine["States"]["Caught"] = json!({"Type": "Pass", "End": true});
    let (outcome, history) = world.run(machine, json!({"failed": {}, "kept": 1}));
    let expected = json!({"failed": {"t": {"Error": "Odd", "Cause": "as scripted"}}, "kept": 1});
    assert_eq!(outcome.output, Some(expected));
    let expected = [
        ExecutionStarted,
        TaskStateEntered,
        TaskScheduled,
        TaskStarted,
        TaskFailed,
        TaskStateExited,
        PassStateEntered,
        PassStateExited,
        ExecutionSucceeded,
    ];
    assert_eq!(kinds(&history), expected);
}

/// The state does not wait for the function any longer, which runs on.
#[test]
fn a_task_times_out_and_its_function_runs_on() {
    let mut world = World::new(|_, _| after(60, Ok(json!({}))));
    let machine = task_machine(json!({"TimeoutSeconds": 10}));
    let (outcome, history) = world.run(machine, json!({}));
    assert_eq!(
        (error_of(&outcome), world.seconds()),
        ("States.Timeout", 10.0)
    );
    assert!(kinds(&history).contains(&TaskTimedOut));
    assert_eq!(world.functions.ended.get(), 0);
    let time = world.kernel.time();
    world.kernel.run(time.sleep(Duration::from_secs(60)));
    assert_eq!(world.functions.ended.get(), 1);
}

#[test]
fn a_name_and_input_start_one_execution() {
    let mut world = World::new(|_, _| after(5, Ok(json!({}))));
    let machine = world.create("m", task_machine(json!({})));
    let service = world.service.clone();
    let start = |input| service.start_execution(&machine, Some("one"), input);
    let arn = start(json!({"a": 1})).unwrap();
    assert_eq!(start(json!({"a": 1})), Ok(arn.clone()));
    assert_eq!(
        start(json!({"a": 2})),
        Err(StartError::AlreadyExists(arn.clone()))
    );
    world.wait(&arn);
    // Once it has ended, the name is taken for 90 days.
    assert_eq!(
        start(json!({"a": 1})),
        Err(StartError::AlreadyExists(arn.clone()))
    );
    assert_eq!(world.functions.calls.get(), 1);
    let time = world.kernel.time();
    world
        .kernel
        .run(time.sleep(Duration::from_secs(91 * 86_400)));
    assert_eq!(start(json!({"a": 1})), Ok(arn));
    let odd = service.start_execution(&machine, Some("a/b"), json!({}));
    assert_eq!(odd, Err(StartError::InvalidName("a/b".to_owned())));
}

#[test]
fn a_running_execution_keeps_its_definition() {
    let mut world = World::new(|function, _| after(5, Ok(function.into())));
    let machine = world.create("m", task_machine(json!({})));
    let arn = world
        .service
        .start_execution(&machine, None, json!({}))
        .unwrap();
    let other = json!({"Parameters": {"FunctionName": "g", "Payload": {}}});
    world.create("m", task_machine(other));
    let (outcome, _) = world.wait(&arn);
    assert_eq!(outcome.output, Some(json!("f")));
    let arn = world
        .service
        .start_execution(&machine, None, json!({}))
        .unwrap();
    assert_eq!(world.wait(&arn).0.output, Some(json!("g")));
}

#[test]
fn a_full_history_ends_an_execution_for_good() {
    let limits = Limits {
        history_events: 100,
        ..Limits::default()
    };
    let mut world = World::with_limits(limits, Faults::default(), |_, _| after(1, failed("Full")));
    let retry =
        json!({"Retry": [{"ErrorEquals": ["Full"], "MaxAttempts": 1000, "BackoffRate": 1.0}]});
    let machine = world.create("m", task_machine(retry));
    let arn = world
        .service
        .start_execution(&machine, None, json!({}))
        .unwrap();
    let (outcome, history) = world.wait(&arn);
    assert_eq!((error_of(&outcome), history.count), ("States.Runtime", 100));
    let refused = world.service.redrive_execution(&arn);
    assert_eq!(
        refused,
        Err(RedriveError::NotRedrivable("its history is full"))
    );
}

#[test]
fn a_stopped_execution_can_be_redriven_for_fourteen_days() {
    let mut world = World::new(|_, _| after(5, Ok(json!({}))));
    let machine = world.create("m", task_machine(json!({})));
    let arn = world
        .service
        .start_execution(&machine, None, json!({}))
        .unwrap();
    let running = world.service.redrive_execution(&arn);
    assert_eq!(running, Err(RedriveError::NotRedrivable("it is running")));
    world
        .service
        .stop_execution(&arn, TaskError::new("Stopped", "by hand"))
        .unwrap();
    let described = world.service.describe_execution(&arn).unwrap();
    assert_eq!(described.status, ExecutionStatus::Aborted);
    let (outcome, history) = world.redrive(&arn);
    assert_eq!(outcome.status, ExecutionStatus::Succeeded);
    assert_eq!(world.service.describe_execution(&arn).unwrap().redrives, 1);
    assert!(kinds(&history).contains(&ExecutionRedriven));

    let arn = world
        .service
        .start_execution(&machine, None, json!({}))
        .unwrap();
    world
        .service
        .stop_execution(&arn, TaskError::new("Stopped", "by hand"))
        .unwrap();
    let time = world.kernel.time();
    world
        .kernel
        .run(time.sleep(Duration::from_secs(15 * 86_400)));
    let late = world.service.redrive_execution(&arn);
    assert_eq!(
        late,
        Err(RedriveError::NotRedrivable(
            "it ended more than 14 days ago"
        ))
    );
}

/// Branches that succeeded do not run again, and the others continue from the state that failed.
#[test]
fn a_redrive_runs_only_what_did_not_succeed() {
    let calls = Cell::new(0);
    let mut world = World::new(move |function, _| {
        calls.set(calls.get() + 1);
        after(
            1,
            if function == "second" && calls.get() < 4 {
                failed("Odd")
            } else {
                Ok(function.into())
            },
        )
    });
    let task = |function: &str, then: Value| {
        let mut task = json!({
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": function, "Payload": {}},
            "OutputPath": "$.Payload",
        });
        task.as_object_mut()
            .unwrap()
            .extend(then.as_object().unwrap().clone());
        task
    };
    let machine = json!({"StartAt": "Both", "States": {"Both": {
        "Type": "Parallel",
        "Branches": [
            {"StartAt": "Other", "States": {"Other": task("other", json!({"End": true}))}},
            {"StartAt": "First", "States": {
                "First": task("first", json!({"Next": "Second"})),
                "Second": task("second", json!({"End": true})),
            }},
        ],
        "End": true,
    }}});
    let machine = world.create("m", machine);
    let arn = world
        .service
        .start_execution(&machine, None, json!({}))
        .unwrap();
    let (outcome, _) = world.wait(&arn);
    assert_eq!(
        (error_of(&outcome), world.functions.calls.get()),
        ("Odd", 3)
    );
    let (outcome, _) = world.redrive(&arn);
    assert_eq!(outcome.output, Some(json!(["other", "second"])));
    assert_eq!(world.functions.calls.get(), 4);
}

#[test]
fn an_execution_waits_for_another_and_stops_it() {
    let mut world = World::new(|_, payload| after(5, Ok(payload["input"].clone())));
    let inner = world.create("inner", task_machine(json!({})));
    let outer = json!({"StartAt": "Start", "States": {"Start": {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": inner, "Input": {"a.$": "$.a"}},
        "OutputPath": "$.Output",
        "End": true,
    }}});
    let (outcome, history) = world.run(outer.clone(), json!({"a": 3}));
    assert_eq!(outcome.output, Some(json!({"a": 3})));
    assert!(kinds(&history).contains(&TaskSubmitted));

    let machine = world.create("m", outer);
    let arn = world
        .service
        .start_execution(&machine, None, json!({"a": 4}))
        .unwrap();
    let time = world.kernel.time();
    world.kernel.run(time.sleep(Duration::from_secs(1)));
    world
        .service
        .stop_execution(&arn, TaskError::new("Stopped", "by hand"))
        .unwrap();
    world.kernel.run(time.sleep(Duration::from_secs(1)));
    let all = world.service.list_executions();
    let status = |arn: &String| world.service.describe_execution(arn).unwrap().status;
    let aborted = all
        .iter()
        .filter(|arn| status(arn) == ExecutionStatus::Aborted);
    assert_eq!(aborted.count(), 2);
}

#[test]
fn what_is_not_known_is_refused_when_a_machine_is_created() {
    let world = World::new(|_, _| after(0, Ok(json!({}))));
    for (more, reason) in [
        (
            json!({"Resource": "arn:aws:states:::sqs:sendMessage"}),
            "`arn:aws:states:::sqs:sendMessage` is no integration that is known here",
        ),
        (
            json!({"OutputPath": "$..deep"}),
            "`$..deep` is not a path that is known here",
        ),
        (
            json!({"Parameters": {"x.$": "States.UUID()"}}),
            "`States.UUID()` is neither a path nor a function that is known here",
        ),
        (
            json!({"End": null, "Next": "Gone"}),
            "there is no state `Gone`",
        ),
    ] {
        let mut definition = task_machine(more);
        let task = definition["States"]["T"].as_object_mut().unwrap();
        task.retain(|_, value| !value.is_null());
        let machine = serde_json::from_value(definition).unwrap();
        let refused = world
            .service
            .create_machine("m", &machine, &BTreeMap::new());
        assert_eq!(refused, Err(InvalidMachine::new(reason)));
    }
}
