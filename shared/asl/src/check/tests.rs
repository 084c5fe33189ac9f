use rstest::rstest;
use serde_json::{Value, json};

use super::{Rule, check_machine};
use crate::model::StateMachine;

/// Returns a machine that uses most of the language and has nothing wrong with it.
fn valid_machine() -> Value {
    json!({
        "Comment": "Backfill flights.",
        "StartAt": "Plan",
        "States": {
            "Plan": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": "planner", "Payload.$": "$"},
                "ResultPath": "$.plan",
                "TimeoutSeconds": 60,
                "HeartbeatSeconds": 20,
                "Retry": [
                    {"ErrorEquals": ["Lambda.TooManyRequestsException"], "MaxAttempts": 5},
                    {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxDelaySeconds": 9}
                ],
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Refused"}],
                "Next": "Size"
            },
            "Size": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.plan.mode", "StringEquals": "inline", "Next": "Few"}],
                "Default": "Many"
            },
            "Few": {
                "Type": "Map",
                "ItemsPath": "$.plan.items",
                "MaxConcurrency": 40,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "flights",
                    "States": {"flights": {"Type": "Pass", "End": true}}
                },
                "ResultPath": null,
                "Next": "Done"
            },
            "Many": {
                "Type": "Map",
                "Label": "flights",
                "ItemReader": {
                    "Resource": "arn:aws:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
                    "Parameters": {"Bucket": "b", "Key.$": "$.plan.manifest"}
                },
                "ToleratedFailurePercentage": 100,
                "MaxConcurrency": 1000,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                    "StartAt": "each flights",
                    "States": {"each flights": {"Type": "Pass", "End": true}}
                },
                "ResultWriter": {
                    "Resource": "arn:aws:states:::s3:putObject",
                    "Parameters": {"Bucket": "b", "Prefix.$": "States.Format('runs/{}', $.plan.run)"}
                },
                "Next": "Done"
            },
            "Refused": {"Type": "Fail", "Error": "Precip.Refused"},
            "Done": {"Type": "Succeed"}
        }
    })
}

/// Returns the rules that a machine breaks.
fn broken_rules(machine: Value) -> Vec<Rule> {
    let machine: StateMachine = serde_json::from_value(machine).expect("a machine");
    check_machine(&machine)
        .into_iter()
        .map(|finding| finding.rule)
        .collect()
}

#[test]
fn a_good_machine_has_no_findings() {
    assert_eq!(broken_rules(valid_machine()), []);
}

#[test]
fn a_machine_is_read_and_written_without_loss() {
    let machine: StateMachine = serde_json::from_value(valid_machine()).expect("a machine");
    assert_eq!(
        serde_json::to_value(&machine).expect("json"),
        valid_machine()
    );
}

#[rstest]
#[case::start("/StartAt", json!("Nowhere"), &[Rule::TargetExists])]
#[case::next("/States/Plan/Next", json!("Nowhere"), &[Rule::TargetExists, Rule::Reachable, Rule::Reachable, Rule::Reachable, Rule::Reachable])]
#[case::catch("/States/Plan/Catch/0/Next", json!("Nowhere"), &[Rule::TargetExists, Rule::Reachable])]
#[case::default("/States/Size/Default", json!("Few"), &[Rule::Reachable])]
#[case::no_default("/States/Size/Default", Value::Null, &[Rule::ChoiceDefault, Rule::Reachable])]
#[case::no_end("/States/Few/ItemProcessor/States/flights", json!({"Type": "Pass", "Next": "flights"}), &[Rule::Ends])]
#[case::name_twice(
    "/States/Many/ItemProcessor",
    json!({
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "flights",
        "States": {"flights": {"Type": "Pass", "End": true}}
    }),
    &[Rule::UniqueName]
)]
#[case::all_not_last("/States/Plan/Retry/0/ErrorEquals", json!(["States.ALL"]), &[Rule::CatchAllLast])]
#[case::all_not_alone("/States/Plan/Retry/1/ErrorEquals", json!(["X", "States.ALL"]), &[Rule::CatchAllLast])]
#[case::catch_all_not_alone("/States/Plan/Catch/0/ErrorEquals", json!(["X", "States.ALL"]), &[Rule::CatchAllLast])]
#[case::no_errors("/States/Plan/Retry/0/ErrorEquals", json!([]), &[Rule::ErrorHandling])]
#[case::interval("/States/Plan/Retry/1/IntervalSeconds", json!(0), &[Rule::ErrorHandling])]
#[case::delay("/States/Plan/Retry/1/MaxDelaySeconds", json!(2), &[Rule::ErrorHandling])]
#[case::backoff("/States/Plan/Retry/0", json!({"ErrorEquals": ["X"], "BackoffRate": 0.5}), &[Rule::ErrorHandling])]
#[case::heartbeat("/States/Plan/HeartbeatSeconds", json!(60), &[Rule::Timeout])]
#[case::timeout("/States/Plan/TimeoutSeconds", json!(0), &[Rule::Timeout, Rule::Timeout])]
#[case::integration("/States/Plan/Resource", json!("arn:aws:states:::lambda:invok"), &[Rule::Integration])]
#[case::express(
    "/States/Many/ItemProcessor/States/each flights",
    json!({"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": true}),
    &[Rule::Express]
)]
#[case::execution_type("/States/Many/ItemProcessor/ProcessorConfig", json!({"Mode": "DISTRIBUTED"}), &[Rule::DistributedMap])]
#[case::label("/States/Many/Label", json!("flights per day"), &[Rule::DistributedMap])]
#[case::long_label("/States/Many/Label", json!("x".repeat(41)), &[Rule::DistributedMap])]
#[case::percentage("/States/Many/ToleratedFailurePercentage", json!(101), &[Rule::DistributedMap])]
#[case::csv("/States/Many/ItemReader/ReaderConfig", json!({"InputType": "CSV"}), &[Rule::CsvHeader])]
#[case::csv_given("/States/Many/ItemReader/ReaderConfig", json!({"InputType": "CSV", "CSVHeaderLocation": "GIVEN"}), &[Rule::CsvHeader])]
#[case::reader_inline(
    "/States/Many/ItemProcessor/ProcessorConfig",
    json!({"Mode": "INLINE"}),
    &[Rule::MapMode, Rule::MapMode, Rule::MapMode, Rule::MapMode, Rule::MapMode]
)]
#[case::inline_concurrency("/States/Few/MaxConcurrency", json!(41), &[Rule::MapMode])]
#[case::no_writer("/States/Many/ResultWriter", Value::Null, &[Rule::DistributedMap])]
#[case::no_items("/States/Many/ItemReader", Value::Null, &[Rule::DistributedMap])]
#[case::items_twice("/States/Many/ItemsPath", json!("$.plan.items"), &[Rule::DistributedMap])]
#[case::two_limits("/States/Few/MaxConcurrencyPath", json!("$.plan.limit"), &[Rule::MapMode])]
#[case::error_twice("/States/Plan/Retry/0/ErrorEquals", json!(["X", "X"]), &[Rule::ErrorHandling])]
#[case::path_as_text("/States/Plan/Parameters", json!({"FunctionName": "planner", "Payload": {"run": "$.run"}}), &[Rule::Path])]
#[case::text_as_path("/States/Plan/Parameters", json!({"FunctionName": "planner", "Payload.$": "run"}), &[Rule::Path])]
#[case::no_path("/States/Plan/Parameters", json!({"FunctionName": "planner", "Payload.$": {"run": 1}}), &[Rule::Path])]
#[case::context("/States/Plan/Parameters", json!({"FunctionName": "planner", "Payload.$": "$$.Execution.Redrives"}), &[Rule::Path])]
#[case::items_path("/States/Few/ItemsPath", json!("plan.items"), &[Rule::Path])]
#[case::result_path("/States/Plan/ResultPath", json!("plan"), &[Rule::Path])]
#[case::no_result_path("/States/Plan/ResultPath", json!(7), &[Rule::Path])]
#[case::key("/States/Many/ItemReader/Parameters", json!({"Bucket": "b", "Key": "$.plan.manifest"}), &[Rule::Path])]
#[case::variable("/States/Size/Choices/0/Variable", json!("plan.mode"), &[Rule::Path])]
#[case::size("/Comment", json!("x".repeat(StateMachine::MAX_BYTES)), &[Rule::Size])]
fn each_mistake_is_found(#[case] pointer: &str, #[case] value: Value, #[case] expected: &[Rule]) {
    let mut machine = valid_machine();
    // `null` removes the field, a missing field is added, any other value replaces.
    match (pointer.rsplit_once('/'), &value) {
        (Some((parent, key)), Value::Null) => {
            let parent = machine.pointer_mut(parent).and_then(Value::as_object_mut);
            parent.expect("the parent exists").remove(key);
        }
        (Some((parent, key)), _) if machine.pointer(pointer).is_none() => {
            machine.pointer_mut(parent).expect("the parent exists")[key] = value;
        }
        _ => *machine.pointer_mut(pointer).expect("the field exists") = value,
    }
    assert_eq!(broken_rules(machine), expected);
}

#[test]
fn a_finding_says_where_and_what_to_write() {
    let mut machine = valid_machine();
    machine["States"]["Many"]["Label"] = json!("flights per day");
    let machine: StateMachine = serde_json::from_value(machine).expect("a machine");
    insta::assert_snapshot!(
        check_machine(&machine)[0],
        @"Many: a Label has 1 to 40 characters, all of them letters, digits, `-` or `_`"
    );
}
