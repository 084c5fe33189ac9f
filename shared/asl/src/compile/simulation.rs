//! A simulation of generated machines, as strict as AWS: a path to a missing value is an error.

use serde_json::{Map as Object, Value, json};

use super::Machines;
use crate::model::{Catch, Map, ProcessorMode, Retry, State, StateMachine, States, Task};

/// The functions and files outside the machines.
pub(super) trait Environment {
    /// Calls the function behind a substitution. An error is an error's name.
    fn call_function(&mut self, function: &str, payload: &Value) -> Result<Value, String>;

    /// Returns the rows of a manifest.
    fn manifest_rows(&self, key: &str) -> Vec<Value>;
}

/// Runs the machine that people start, and the machine that it starts.
pub(super) fn run_machines(
    machines: &Machines,
    environment: &mut dyn Environment,
    input: &Value,
) -> Outcome {
    Simulation {
        backfill: &machines.backfill,
        environment,
        redrive: 0,
    }
    .run_machine(&machines.run, input.clone())
}

type Outcome = Result<Value, String>;

struct Simulation<'a> {
    backfill: &'a StateMachine,
    environment: &'a mut dyn Environment,
    redrive: u32,
}

impl Simulation<'_> {
    fn run_machine(&mut self, machine: &StateMachine, input: Value) -> Outcome {
        let context = json!({
            "Execution": {"Id": "arn", "Name": "n", "RedriveCount": self.redrive, "StartTime": "t"},
            "State": {"RetryCount": 0},
        });
        self.run_states(machine.start_at.as_str(), &machine.states, input, &context)
    }

    fn run_states(
        &mut self,
        start: &str,
        states: &States,
        mut data: Value,
        context: &Value,
    ) -> Outcome {
        let mut name = start.to_owned();
        // The limit turns a machine that loops without end into a failed test.
        for _ in 0..10_000 {
            let state = states.iter().find(|(key, _)| key.as_str() == name);
            let (_, state) = state.unwrap_or_else(|| panic!("no state `{name}`"));
            let next = match state {
                State::Task(task) => {
                    let done = self.run_task(task, &data, context);
                    match apply_catchers(&task.catch, done, &data)? {
                        (output, Some(next)) => {
                            data = output;
                            Some(next)
                        }
                        (output, None) => {
                            data = output;
                            task.transition.next().map(ToString::to_string)
                        }
                    }
                }
                State::Map(map) => {
                    let results = self.run_map(map, &data, context)?;
                    data = apply_result_path(results, map.result_path.as_ref(), &data);
                    data = apply_output_path(map.output_path.as_ref(), data, context);
                    map.transition.next().map(ToString::to_string)
                }
                State::Parallel(parallel) => {
                    for branch in &parallel.branches {
                        let start = branch.start_at.as_str();
                        self.run_states(start, &branch.states, data.clone(), context)?;
                    }
                    assert_eq!(parallel.result_path, Some(Value::Null));
                    parallel.transition.next().map(ToString::to_string)
                }
                State::Choice(choice) => {
                    let mut rules = choice.choices.iter();
                    let rule = rules.find(|rule| condition_holds(&rule.condition.0, &data));
                    let next = rule.map(|rule| &rule.next).or(choice.default.as_ref());
                    Some(next.expect("a default").to_string())
                }
                State::Pass(pass) => {
                    let value = pass.parameters.as_ref().expect("parameters");
                    let value = fill_template(value, &data, context);
                    data = apply_result_path(value, pass.result_path.as_ref(), &data);
                    pass.transition.next().map(ToString::to_string)
                }
                State::Succeed(end) => {
                    return Ok(apply_output_path(end.output_path.as_ref(), data, context));
                }
                State::Fail(fail) => return Err(fail.error.clone().unwrap_or_default()),
                State::Wait(_) => unreachable!("generated machines do not wait"),
            };
            match next {
                Some(next) => name = next,
                None => return Ok(data),
            }
        }
        panic!("the machine does not end");
    }

    fn run_task(&mut self, task: &Task, data: &Value, context: &Value) -> Outcome {
        let mut context = context.clone();
        let mut attempts = vec![0; task.retry.len()];
        loop {
            context["State"]["RetryCount"] = attempts.iter().sum::<u32>().into();
            let parameters = fill_template(
                task.parameters.as_ref().expect("parameters"),
                data,
                &context,
            );
            let answer = if task.resource.ends_with("lambda:invoke") {
                let function = parameters["FunctionName"].as_str().unwrap();
                let payload = &parameters["Payload"];
                let called = self.environment.call_function(function, payload);
                called.map(|answer| json!({"Payload": answer, "StatusCode": 200}))
            } else {
                // The only other integration starts the backfill machine and waits.
                let ended = self.run_machine(self.backfill, parameters["Input"].clone());
                ended.map(|answer| json!({"Output": answer}))
            };
            let error = match answer {
                Ok(answer) => {
                    let selector = task.result_selector.as_ref();
                    let answer =
                        selector.map_or(answer.clone(), |s| fill_template(s, &answer, &context));
                    let output = apply_result_path(answer, task.result_path.as_ref(), data);
                    return Ok(apply_output_path(
                        task.output_path.as_ref(),
                        output,
                        &context,
                    ));
                }
                Err(error) => error,
            };
            // Each retrier counts its own attempts, as in Step Functions.
            let names = |retry: &Retry| matches_error(&retry.error_equals, &error);
            match task.retry.iter().position(names) {
                Some(place) if attempts[place] < task.retry[place].max_attempts.unwrap_or(3) => {
                    attempts[place] += 1;
                }
                _ => return Err(error),
            }
        }
    }

    fn run_map(&mut self, map: &Map, data: &Value, context: &Value) -> Outcome {
        let items = match (&map.item_reader, &map.items_path) {
            (Some(reader), None) => {
                let parameters = fill_template(&reader.parameters, data, context);
                self.environment
                    .manifest_rows(parameters["Key"].as_str().unwrap())
            }
            (None, Some(path)) => resolve_path(path, data, context)
                .as_array()
                .unwrap()
                .clone(),
            _ => panic!("items from nowhere, or from two places"),
        };
        if let Some(path) = &map.max_concurrency_path {
            assert!(resolve_path(path, data, context).is_u64());
        }
        let processor = &map.item_processor;
        let distributed = processor.processor_config.mode == ProcessorMode::Distributed;
        let mut results = Vec::new();
        for item in items {
            let mut context = context.clone();
            context["Map"] = json!({"Item": {"Value": item}});
            let input = fill_template(map.item_selector.as_ref().unwrap(), data, &context);
            let start = processor.start_at.as_str();
            match self.run_states(start, &processor.states, input, &context) {
                Ok(result) => results.push(result),
                // A distributed map tolerates failed children; an inline map fails with its first
                // item.
                Err(_) if distributed && map.tolerated_failure_percentage == Some(100) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(results.into())
    }
}

/// Returns whether a list of errors matches an error.
fn matches_error(names: &[String], error: &str) -> bool {
    names
        .iter()
        .any(|name| name == error || name == "States.ALL")
}

/// Returns a task's output, and the next state if a catcher handled its error.
fn apply_catchers(
    catch: &[Catch],
    done: Outcome,
    data: &Value,
) -> Result<(Value, Option<String>), String> {
    let error = match done {
        Ok(output) => return Ok((output, None)),
        Err(error) => error,
    };
    let catcher = catch
        .iter()
        .find(|catch| matches_error(&catch.error_equals, &error));
    let catcher = catcher.ok_or_else(|| error.clone())?;
    let path = catcher.result_path.clone().map(Value::from);
    let output = apply_result_path(json!({"Error": error, "Cause": ""}), path.as_ref(), data);
    Ok((output, Some(catcher.next.to_string())))
}

/// Applies `ResultPath`: returns the input with the result put into it.
fn apply_result_path(result: Value, path: Option<&Value>, data: &Value) -> Value {
    match path {
        None => result,
        Some(Value::Null) => data.clone(),
        Some(path) => {
            let mut output = data.clone();
            let mut place = &mut output;
            for name in path.as_str().unwrap().trim_start_matches("$.").split('.') {
                place = &mut place[name];
            }
            *place = result;
            output
        }
    }
}

/// Applies `OutputPath`: returns the part of the data that is the output.
fn apply_output_path(path: Option<&Value>, data: Value, context: &Value) -> Value {
    match path {
        None => data,
        Some(Value::Null) => json!({}),
        Some(path) => resolve_path(path.as_str().unwrap(), &data, context),
    }
}

/// Returns a template with its paths replaced by their values.
fn fill_template(template: &Value, data: &Value, context: &Value) -> Value {
    let Value::Object(fields) = template else {
        return template.clone();
    };
    let field = |(key, value): (&String, &Value)| match key.strip_suffix(".$") {
        Some(name) => {
            let path = value.as_str().expect("a path");
            (name.to_owned(), resolve_path(path, data, context))
        }
        None => (key.clone(), fill_template(value, data, context)),
    };
    Value::Object(fields.iter().map(field).collect::<Object<_, _>>())
}

/// Returns the value at a path, which must exist.
fn resolve_path(path: &str, data: &Value, context: &Value) -> Value {
    let found = match path.strip_prefix("$$") {
        Some(rest) => value_at(rest, context),
        None => value_at(path.strip_prefix('$').expect("a path"), data),
    };
    let found = found.unwrap_or_else(|| panic!("`{path}` leads nowhere in {data}"));
    found.clone()
}

/// Returns the value at a path like `.a.b[0]`.
fn value_at<'a>(path: &str, value: &'a Value) -> Option<&'a Value> {
    value.pointer(&path.replace(['.', '['], "/").replace(']', ""))
}

/// Returns whether a choice rule's condition holds.
fn condition_holds(condition: &Object<String, Value>, data: &Value) -> bool {
    if let Some(all) = condition.get("And") {
        let mut all = all.as_array().unwrap().iter();
        return all.all(|one| condition_holds(one.as_object().unwrap(), data));
    }
    let path = condition["Variable"].as_str().unwrap();
    let value = value_at(path.strip_prefix('$').unwrap(), data);
    // The first field is the variable, the second the comparison.
    let (operator, operand) = condition.iter().nth(1).expect("an operator");
    if operator == "IsPresent" {
        return value.is_some() == operand.as_bool().unwrap();
    }
    let value = value.unwrap_or_else(|| panic!("`{path}` leads nowhere in {data}"));
    match operator.as_str() {
        "NumericGreaterThan" => value.as_f64() > operand.as_f64(),
        "NumericEquals" | "StringEquals" | "BooleanEquals" => value == operand,
        other => panic!("`{other}` is not simulated"),
    }
}
