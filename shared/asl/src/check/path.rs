//! Paths and templates.

use serde_json::Value;

use super::{Finding, Rule};
use crate::model::State;

/// The fields of the context object, `$$`. A path to anything else fails the execution.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>
const CONTEXT: [&str; 15] = [
    "Execution.Id",
    "Execution.Input",
    "Execution.Name",
    "Execution.RedriveCount",
    "Execution.RedriveTime",
    "Execution.RoleArn",
    "Execution.StartTime",
    "Map.Item.Index",
    "Map.Item.Value",
    "State.EnteredTime",
    "State.Name",
    "State.RetryCount",
    "StateMachine.Id",
    "StateMachine.Name",
    "Task.Token",
];

/// Finds invalid paths in the fields of a state.
pub(super) fn check_state(location: &str, state: &State, findings: &mut Vec<Finding>) {
    let mut problems = Vec::new();
    match state {
        State::Task(task) => {
            let templates = [&task.parameters, &task.result_selector];
            templates
                .into_iter()
                .flatten()
                .for_each(|value| check_template(value, &mut problems));
            for path in [&task.result_path, &task.output_path] {
                check_optional_path(path.as_ref(), &mut problems);
            }
        }
        State::Map(map) => {
            let reader = map.item_reader.as_ref().map(|reader| &reader.parameters);
            let writer = map.result_writer.as_ref().map(|writer| &writer.parameters);
            let selectors = [map.item_selector.as_ref(), map.result_selector.as_ref()];
            let templates = selectors.into_iter().chain([reader, writer]).flatten();
            templates.for_each(|value| check_template(value, &mut problems));
            for path in [&map.result_path, &map.output_path] {
                check_optional_path(path.as_ref(), &mut problems);
            }
            for path in [&map.items_path, &map.max_concurrency_path] {
                path.iter().for_each(|path| check_path(path, &mut problems));
            }
        }
        State::Pass(pass) => {
            pass.parameters
                .iter()
                .for_each(|value| check_template(value, &mut problems));
            check_optional_path(pass.result_path.as_ref(), &mut problems);
        }
        State::Parallel(parallel) => {
            check_optional_path(parallel.result_path.as_ref(), &mut problems)
        }
        State::Choice(choice) => {
            let rules = choice.choices.iter();
            rules.for_each(|rule| check_condition(&rule.condition.0, &mut problems));
        }
        State::Wait(_) | State::Succeed(_) | State::Fail(_) => {}
    }
    // The result paths of catchers are the same for every kind of state.
    let results = state
        .catchers()
        .iter()
        .filter_map(|catch| catch.result_path.as_ref());
    results.for_each(|path| check_path(path, &mut problems));
    findings.extend(problems.into_iter().map(|message| Finding {
        location: location.to_owned(),
        rule: Rule::Path,
        message,
    }));
}

/// Checks a template: a value whose keys that end in `.$` hold paths.
fn check_template(value: &Value, problems: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.strip_suffix(".$"), value) {
                    // Intrinsic functions are not checked further.
                    (Some(_), Value::String(path)) if path.starts_with("States.") => {}
                    (Some(_), Value::String(path)) => check_path(path, problems),
                    (Some(_), _) => problems.push(format!("`{key}` must hold a path, as a string")),
                    // A key without `.$` passes the path as plain text, which is never intended.
                    (None, Value::String(text)) if text.starts_with("$.") || text == "$" => {
                        problems.push(format!(
                            "`{key}` holds the text `{text}`: name it `{key}.$` if it is a path"
                        ));
                    }
                    (None, value) => check_template(value, problems),
                }
            }
        }
        Value::Array(values) => values
            .iter()
            .for_each(|value| check_template(value, problems)),
        _ => {}
    }
}

/// Checks the paths of a choice rule, in nested conditions too.
fn check_condition(fields: &serde_json::Map<String, Value>, problems: &mut Vec<String>) {
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("Variable", Value::String(path)) => check_path(path, problems),
            ("And" | "Or", Value::Array(all)) => {
                let nested = all.iter().filter_map(Value::as_object);
                nested.for_each(|fields| check_condition(fields, problems));
            }
            ("Not", Value::Object(fields)) => check_condition(fields, problems),
            _ => {}
        }
    }
}

/// Checks a path that may be `null`.
fn check_optional_path(path: Option<&Value>, problems: &mut Vec<String>) {
    match path {
        None | Some(Value::Null) => {}
        Some(Value::String(path)) => check_path(path, problems),
        Some(other) => problems.push(format!("`{other}` is not a path: write a string, or null")),
    }
}

/// Checks a single path.
fn check_path(path: &str, problems: &mut Vec<String>) {
    if let Some(field) = path.strip_prefix("$$.") {
        let known = |known: &str| {
            // A path may lead deeper into a field: `$$.Execution.Input.name`.
            let rest = field.strip_prefix(known);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if !CONTEXT.into_iter().any(known) {
            problems.push(format!(
                "`{path}` is not in the context object: it has {}",
                CONTEXT.join(", ")
            ));
        }
    } else if path != "$" && !path.starts_with("$.") && !path.starts_with("$[") {
        problems.push(format!("`{path}` is not a path: begin it with `$.`"));
    }
}
