//! Runs generated machines, as strictly as AWS does: a path that leads nowhere is an error.

use serde_json::{Map as Object, Value, json};

use super::Machines;
use crate::model::{Catch, Map, ProcessorMode, Retry, State, StateMachine, States, Task};

/// What is outside of the machines.
pub(super) trait World {
    /// Calls the function behind a substitution. A failure is an error's name.
    fn call(&mut self, function: &str, payload: &Value) -> Result<Value, String>;

    /// The rows of a manifest.
    fn read(&self, key: &str) -> Vec<Value>;
}

/// Runs the machine that people start, and the one that it starts.
pub(super) fn run(machines: &Machines, world: &mut dyn World, input: &Value) -> Outcome {
    Simulation {
        backfill: &machines.backfill,
        world,
        redrive: 0,
    }
    .machine(&machines.run, input.clone())
}

type Outcome = Result<Value, String>;

struct Simulation<'a> {
    backfill: &'a StateMachine,
    world: &'a mut dyn World,
    redrive: u32,
}

impl Simulation<'_> {
    fn machine(&mut self, machine: &StateMachine, input: Value) -> Outcome {
        let context = json!({
            "Execution": {"Id": "arn", "Name": "n", "RedriveCount": self.redrive, "StartTime": "t"},
            "State": {"RetryCount": 0},
        });
        self.states(machine.start_at.as_str(), &machine.states, input, &context)
    }

    fn states(
        &mut self,
        start: &str,
        states: &States,
        mut data: Value,
        context: &Value,
    ) -> Outcome {
        let mut name = start.to_owned();
        for _ in 0..10_000 {
            let state = states.iter().find(|(key, _)| key.as_str() == name);
            let (_, state) = state.unwrap_or_else(|| panic!("no state `{name}`"));
            let next = match state {
                State::Task(task) => {
                    let done = self.task(task, &data, context);
                    match caught(&task.catch, done, &data)? {
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
                    let results = self.map(map, &data, context)?;
                    data = leave(results, map.result_path.as_ref(), &data);
                    data = select(map.output_path.as_ref(), data, context);
                    map.transition.next().map(ToString::to_string)
                }
                State::Parallel(parallel) => {
                    for branch in &parallel.branches {
                        let start = branch.start_at.as_str();
                        self.states(start, &branch.states, data.clone(), context)?;
                    }
                    assert_eq!(parallel.result_path, Some(Value::Null));
                    parallel.transition.next().map(ToString::to_string)
                }
                State::Choice(choice) => {
                    let mut rules = choice.choices.iter();
                    let rule = rules.find(|rule| holds(&rule.condition.0, &data));
                    let next = rule.map(|rule| &rule.next).or(choice.default.as_ref());
                    Some(next.expect("a default").to_string())
                }
                State::Pass(pass) => {
                    let value = pass.parameters.as_ref().expect("parameters");
                    let value = fill(value, &data, context);
                    data = leave(value, pass.result_path.as_ref(), &data);
                    pass.transition.next().map(ToString::to_string)
                }
                State::Succeed(end) => return Ok(select(end.output_path.as_ref(), data, context)),
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

    fn task(&mut self, task: &Task, data: &Value, context: &Value) -> Outcome {
        let mut context = context.clone();
        let mut attempts = vec![0; task.retry.len()];
        loop {
            context["State"]["RetryCount"] = attempts.iter().sum::<u32>().into();
            let parameters = fill(
                task.parameters.as_ref().expect("parameters"),
                data,
                &context,
            );
            let answer = match task.resource.ends_with("lambda:invoke") {
                true => {
                    let function = parameters["FunctionName"].as_str().unwrap();
                    let payload = &parameters["Payload"];
                    let answer = self.world.call(function, payload);
                    answer.map(|answer| json!({"Payload": answer, "StatusCode": 200}))
                }
                false => {
                    let answer = self.machine(self.backfill, parameters["Input"].clone());
                    answer.map(|answer| json!({"Output": answer}))
                }
            };
            let error = match answer {
                Ok(answer) => {
                    let selector = task.result_selector.as_ref();
                    let answer = selector.map_or(answer.clone(), |s| fill(s, &answer, &context));
                    let output = leave(answer, task.result_path.as_ref(), data);
                    return Ok(select(task.output_path.as_ref(), output, &context));
                }
                Err(error) => error,
            };
            let names = |retry: &Retry| matches(&retry.error_equals, &error);
            match task.retry.iter().position(names) {
                Some(place) if attempts[place] < task.retry[place].max_attempts.unwrap_or(3) => {
                    attempts[place] += 1;
                }
                _ => return Err(error),
            }
        }
    }

    fn map(&mut self, map: &Map, data: &Value, context: &Value) -> Outcome {
        let items = match (&map.item_reader, &map.items_path) {
            (Some(reader), None) => {
                let parameters = fill(&reader.parameters, data, context);
                self.world.read(parameters["Key"].as_str().unwrap())
            }
            (None, Some(path)) => find(path, data, context).as_array().unwrap().clone(),
            _ => panic!("items from nowhere, or from two places"),
        };
        if let Some(path) = &map.max_concurrency_path {
            assert!(find(path, data, context).is_u64());
        }
        let processor = &map.item_processor;
        let distributed = processor.processor_config.mode == ProcessorMode::Distributed;
        let mut results = Vec::new();
        for item in items {
            let mut context = context.clone();
            context["Map"] = json!({"Item": {"Value": item}});
            let input = fill(map.item_selector.as_ref().unwrap(), data, &context);
            let start = processor.start_at.as_str();
            match self.states(start, &processor.states, input, &context) {
                Ok(result) => results.push(result),
                Err(_) if distributed && map.tolerated_failure_percentage == Some(100) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(results.into())
    }
}

fn matches(names: &[String], error: &str) -> bool {
    names
        .iter()
        .any(|name| name == error || name == "States.ALL")
}

/// What a task leaves, and where a catcher leads.
fn caught(catch: &[Catch], done: Outcome, data: &Value) -> Result<(Value, Option<String>), String> {
    let error = match done {
        Ok(output) => return Ok((output, None)),
        Err(error) => error,
    };
    let catcher = catch
        .iter()
        .find(|catch| matches(&catch.error_equals, &error));
    let catcher = catcher.ok_or_else(|| error.clone())?;
    let path = catcher.result_path.clone().map(Value::from);
    let output = leave(json!({"Error": error, "Cause": ""}), path.as_ref(), data);
    Ok((output, Some(catcher.next.to_string())))
}

/// `ResultPath`.
fn leave(result: Value, path: Option<&Value>, data: &Value) -> Value {
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

/// `OutputPath`.
fn select(path: Option<&Value>, data: Value, context: &Value) -> Value {
    match path {
        None => data,
        Some(Value::Null) => json!({}),
        Some(path) => find(path.as_str().unwrap(), &data, context),
    }
}

/// A template with its paths replaced.
fn fill(template: &Value, data: &Value, context: &Value) -> Value {
    let Value::Object(fields) = template else {
        return template.clone();
    };
    let field = |(key, value): (&String, &Value)| match key.strip_suffix(".$") {
        Some(name) => {
            let path = value.as_str().expect("a path");
            (name.to_owned(), find(path, data, context))
        }
        None => (key.clone(), fill(value, data, context)),
    };
    Value::Object(fields.iter().map(field).collect::<Object<_, _>>())
}

fn find(path: &str, data: &Value, context: &Value) -> Value {
    let found = match path.strip_prefix("$$") {
        Some(rest) => look(rest, context),
        None => look(path.strip_prefix('$').expect("a path"), data),
    };
    let found = found.unwrap_or_else(|| panic!("`{path}` leads nowhere in {data}"));
    found.clone()
}

/// The value at `.a.b[0]`.
fn look<'a>(path: &str, value: &'a Value) -> Option<&'a Value> {
    value.pointer(&path.replace(['.', '['], "/").replace(']', ""))
}

fn holds(condition: &Object<String, Value>, data: &Value) -> bool {
    if let Some(all) = condition.get("And") {
        let mut all = all.as_array().unwrap().iter();
        return all.all(|one| holds(one.as_object().unwrap(), data));
    }
    let path = condition["Variable"].as_str().unwrap();
    let value = look(path.strip_prefix('$').unwrap(), data);
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
