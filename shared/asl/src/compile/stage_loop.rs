//! The loop that stands in for a state per asset where there are too many assets.
//!
//! One stage at a time: the planner hands out the next one, with its items, and says of each item
//! which steps it takes and of which [kind](precip_core::machine::step_kind) they are. There is a task
//! for each kind. What depends on a failure is not skipped here, but refused by its own function
//! (`Precip.Held`), and the children are Standard executions, since the machine does not know what it
//! runs.

use std::collections::BTreeMap;

use precip_core::{machine::step_kind, spec::OpSpec};
use serde_json::{Value, json};

use super::{
    CompileError, call,
    compiler::{Compiler, Mode, Part},
    retry,
    stage::{map, results},
    substitution::{BUCKET, PLANNER, function_substitution, placeholder},
    wave::Frame,
};
use crate::model::{
    Catch, Choice, ChoiceRule, Comparison, ExecutionType, Fail, ItemReader, Map, Pass,
    ProcessorConfig, ProcessorMode, STATES_ALL, State, StateName, Task, Transition,
};

const INLINE: ProcessorConfig = ProcessorConfig {
    mode: ProcessorMode::Inline,
    execution_type: None,
};

impl<'a> Compiler<'a> {
    /// Everything from a document on to the end of the run. It starts with the choice of the stage.
    pub(super) fn stage_loop(&mut self) -> Result<Part, CompileError> {
        let frame = Frame::new("Next stage")?;
        let stage = self.name("Stage")?;
        let in_order = match self.mode {
            Mode::Inline => {
                let name = self.name("Stage in order")?;
                let states = self.loop_items("$.stage.items", Some(1), &frame.settle)?;
                Part::new(name, State::Map(Box::new(states)))
            }
            Mode::Distributed => self.loop_rows_in_order(&frame.settle)?,
        };
        let beside = match self.mode {
            Mode::Inline => self.loop_items("$.stage.items", None, &frame.settle)?,
            Mode::Distributed => Map {
                item_reader: Some(ItemReader {
                    resource: "arn:aws:states:::s3:getObject".to_owned(),
                    reader_config: Some(json!({"InputType": "JSONL"})),
                    parameters: json!({
                        "Bucket": placeholder(BUCKET),
                        "Key.$": "$.stage.key",
                    }),
                }),
                label: Some("stage".to_owned()),
                ..self.loop_rows(None, &frame.settle)?
            },
        };
        let is_in_order = Comparison::all(vec![
            Comparison::is_present("$.stage"),
            Comparison::boolean_equals("$.stage.in_order", true),
        ]);
        let choose = Choice {
            comment: Some("Which stage the planner has work for.".to_owned()),
            choices: vec![
                ChoiceRule {
                    condition: is_in_order,
                    next: in_order.start,
                },
                ChoiceRule {
                    condition: Comparison::is_present("$.stage"),
                    next: stage.clone(),
                },
            ],
            default: Some(frame.finish.clone()),
        };
        let mut part = Part::new(frame.next.clone(), State::Choice(choose));
        part.states.insert(stage, State::Map(Box::new(beside)));
        part.states.extend(in_order.states);
        let settle = self.settle(&frame);
        part.states
            .insert(frame.settle.clone(), State::Task(Box::new(settle)));
        self.finish(&frame, &mut part)?;
        Ok(part)
    }

    /// An inline map over items, each of which is a map over its steps, one by one.
    fn loop_items(
        &mut self,
        items: &str,
        at_once: Option<u32>,
        then: &StateName,
    ) -> Result<Map, CompileError> {
        let each = self.name("Item")?;
        let step = self.loop_step()?;
        let steps = Map {
            items_path: Some("$.todo".to_owned()),
            item_selector: Some(json!({
                "run.$": "$.run",
                "redrive.$": "$.redrive",
                "stage.$": "$.stage",
                "item.$": "$.item",
                "step.$": "$$.Map.Item.Value",
            })),
            max_concurrency: Some(1),
            result_path: Some(Value::Null),
            output_path: Some(Value::Null),
            ..map(INLINE, step)
        };
        Ok(Map {
            items_path: Some(items.to_owned()),
            item_selector: Some(json!({
                "run.$": "$.run",
                "redrive.$": "$.redrive",
                "stage.$": "$.stage.name",
                "item.$": "$$.Map.Item.Value.item",
                "todo.$": "$$.Map.Item.Value.todo",
            })),
            max_concurrency: at_once,
            result_path: Some(Value::Null),
            transition: Transition::to(then.clone()),
            ..map(INLINE, Part::new(each, State::Map(Box::new(steps))))
        })
    }

    /// A distributed map over rows.
    fn loop_rows(&mut self, at_once: Option<u32>, then: &StateName) -> Result<Map, CompileError> {
        let name = self.name("Items")?;
        let end = self.name("End of row")?;
        let items = self.loop_items("$.items", at_once, &end)?;
        let mut child = Part::new(name, State::Map(Box::new(items)));
        let nothing = crate::model::Succeed {
            comment: None,
            output_path: Some(Value::Null),
        };
        child.states.insert(end, State::Succeed(nothing));
        let config = ProcessorConfig {
            mode: ProcessorMode::Distributed,
            execution_type: Some(ExecutionType::Standard),
        };
        Ok(Map {
            item_selector: Some(json!({
                "run.$": "$.run",
                "redrive.$": "$.redrive",
                "stage": {"name.$": "$.stage.name"},
                "items.$": "$$.Map.Item.Value.items",
            })),
            max_concurrency_path: Some("$.max_concurrency".to_owned()),
            tolerated_failure_percentage: Some(100),
            result_writer: Some(results()),
            result_path: Some(Value::Null),
            transition: Transition::to(then.clone()),
            ..map(config, child)
        })
    }

    fn loop_rows_in_order(&mut self, then: &StateName) -> Result<Part, CompileError> {
        let [first, next, more, name] = [
            self.name("First row")?,
            self.name("Next row")?,
            self.name("Another row")?,
            self.name("Row")?,
        ];
        let ask = self.next_row("$.stage.key", json!({"stage.$": "$.stage.name"}), &more);
        let map = Map {
            items_path: Some("$.next.rows".to_owned()),
            label: Some("row".to_owned()),
            ..self.loop_rows(Some(1), &next)?
        };
        Ok(row_by_row([first, next, more, name], ask, map, then))
    }

    /// One step of an item.
    fn loop_step(&mut self) -> Result<Part, CompileError> {
        let [choose, record, unknown] = [
            self.name("Function")?,
            self.name("Record failure")?,
            self.name("Unknown kind")?,
        ];
        let mut rules = Vec::new();
        let mut tasks = Vec::new();
        for (kind, op) in self.kinds()? {
            let name = self.name(&format!("Materialize {kind}"))?;
            rules.push(ChoiceRule {
                condition: Comparison::string_equals("$.step.kind", &kind),
                next: name.clone(),
            });
            tasks.push((name, loop_task(op, &record)));
        }
        let choice = Choice {
            comment: None,
            choices: rules,
            default: Some(unknown.clone()),
        };
        let mut part = Part::new(choose, State::Choice(choice));
        let tasks = tasks
            .into_iter()
            .map(|(name, task)| (name, State::Task(Box::new(task))));
        part.states.extend(tasks);
        part.states
            .insert(record, State::Task(Box::new(loop_record())));
        let fail = Fail {
            error: Some("Precip.Stale".to_owned()),
            cause: Some(
                "The planner knows an op that this machine does not: deploy the project again."
                    .to_owned(),
            ),
            ..Fail::default()
        };
        part.states.insert(unknown, State::Fail(fail));
        Ok(part)
    }

    /// One op of each kind.
    fn kinds(&self) -> Result<BTreeMap<String, &'a OpSpec>, CompileError> {
        let steps = self.layout.stages.iter().flat_map(|stage| &stage.steps);
        let op = |step| self.op(step).map(|op| (step_kind(op), op));
        steps.map(op).collect()
    }
}

fn loop_task(op: &OpSpec, record: &StateName) -> Task {
    let payload = json!({
        "loop": true,
        "run.$": "$.run",
        "stage.$": "$.stage",
        "step.$": "$.step.name",
        "item.$": "$.item",
        "retry.$": "$$.State.RetryCount",
        "execution.$": "$$.Execution.Id",
        "redrive.$": "$.redrive",
    });
    let substitution = function_substitution(&op.compute);
    let mut task = call::function(&substitution, payload, op.compute.timeout_seconds());
    task.output_path = Some(Value::Null);
    task.retry = retry::of(op);
    task.catch = vec![Catch {
        error_equals: vec![STATES_ALL.to_owned()],
        result_path: Some("$.error".to_owned()),
        next: record.clone(),
    }];
    task
}

fn loop_record() -> Task {
    let payload = json!({
        "do": "record",
        "loop": true,
        "run.$": "$.run",
        "stage.$": "$.stage",
        "step.$": "$.step.name",
        "item.$": "$.item",
        "error.$": "$.error",
        "redrive.$": "$.redrive",
        "execution": call::execution(),
    });
    let mut task = call::function(PLANNER, payload, call::RECORD_SECONDS);
    task.output_path = Some(Value::Null);
    task.retry = retry::of_record();
    task
}

/// A loop over the rows of a manifest, one at a time: a start, the call that hands out a row, the
/// choice whether there was one, and what is done with it.
pub(super) fn row_by_row(
    [first, next, more, name]: [StateName; 4],
    ask: Task,
    map: Map,
    then: &StateName,
) -> Part {
    let start = Pass {
        comment: None,
        parameters: Some(json!({"row": 0, "rows": []})),
        result_path: Some("$.next".into()),
        transition: Transition::to(next.clone()),
    };
    let decide = Choice {
        comment: None,
        choices: vec![ChoiceRule {
            condition: Comparison::is_present("$.next.rows[0]"),
            next: name.clone(),
        }],
        default: Some(then.clone()),
    };
    let mut part = Part::new(first, State::Pass(start));
    part.states.insert(next, State::Task(Box::new(ask)));
    part.states.insert(more, State::Choice(decide));
    part.states.insert(name, State::Map(Box::new(map)));
    part
}
