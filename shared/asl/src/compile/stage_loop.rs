//! The loop that replaces a state per asset in graphs with too many assets.
//!
//! The planner hands out one stage at a time, with its items, and lists for each item the steps it
//! needs and their [kind](precip_core::machine::step_kind). There is a task for each kind. An item
//! that depends on a failure is not skipped here but refused by its function (`Precip.Held`). The
//! children are Standard executions, since the machine does not know the ops that they run.

use std::collections::BTreeMap;

use precip_core::{machine::step_kind, spec::OpSpec};
use serde_json::{Value, json};

use super::{
    CompileError, call,
    compiler::{Compiler, Mode, Part},
    retry::{self, Patience},
    stage::{new_map, results_writer},
    substitution::{BUCKET, PLANNER, function_substitution, integration, placeholder},
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

/// The order of a map's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InOrder {
    /// One item at a time, in the order of the items.
    Yes,
    /// Several at once.
    No,
}

impl<'a> Compiler<'a> {
    /// Returns all states from the first document to the end of the run, beginning with the choice
    /// of the stage.
    pub(super) fn stage_loop(&mut self) -> Result<Part, CompileError> {
        let frame = Frame::new("Next stage")?;
        let stage = self.reserve_name("Stage")?;
        let in_order = match self.mode {
            Mode::Inline => {
                let name = self.reserve_name("Stage in order")?;
                let states = self.loop_items("$.stage", InOrder::Yes, &frame.settle)?;
                Part::new(name, State::Map(Box::new(states)))
            }
            Mode::Distributed => self.loop_rows_in_order(&frame.settle)?,
        };
        // Two maps: one for stages that run in order, with a concurrency of one, and one for all
        // others.
        let any_order = match self.mode {
            Mode::Inline => self.loop_items("$.stage", InOrder::No, &frame.settle)?,
            Mode::Distributed => Map {
                item_reader: Some(ItemReader {
                    resource: integration("s3:getObject"),
                    reader_config: Some(json!({"InputType": "JSONL"})),
                    parameters: json!({
                        "Bucket": placeholder(BUCKET),
                        "Key.$": "$.stage.key",
                    }),
                }),
                label: Some("stage".to_owned()),
                ..self.loop_rows(InOrder::No, &frame.settle)?
            },
        };
        let is_in_order = Comparison::all(vec![
            Comparison::is_present("$.stage"),
            Comparison::boolean_equals("$.stage.in_order", true),
        ]);
        let choose = Choice {
            comment: Some("Goes to the stage that the planner has work for.".to_owned()),
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
        part.states.insert(stage, State::Map(Box::new(any_order)));
        part.states.extend(in_order.states);
        let settle = self.settle_task(&frame);
        part.states
            .insert(frame.settle.clone(), State::Task(Box::new(settle)));
        self.add_finish_states(&frame, &mut part)?;
        Ok(part)
    }

    /// Returns an inline map over the items of the object at a path, which says how many run at once. Each
    /// is a map over its steps, one after the other.
    fn loop_items(
        &mut self,
        object: &str,
        in_order: InOrder,
        then: &StateName,
    ) -> Result<Map, CompileError> {
        let each = self.reserve_name("Item")?;
        let step = self.loop_step()?;
        let steps = Map {
            items_path: Some("$.todo".to_owned()),
            item_selector: Some(json!({
                "run.$": "$.run",
                "stage.$": "$.stage",
                "item.$": "$.item",
                "step.$": "$$.Map.Item.Value",
            })),
            max_concurrency: Some(1),
            result_path: Some(Value::Null),
            output_path: Some(Value::Null),
            ..new_map(INLINE, step)
        };
        Ok(Map {
            items_path: Some(format!("{object}.items")),
            item_selector: Some(json!({
                "run.$": "$.run",
                "stage.$": "$.stage.name",
                "item.$": "$$.Map.Item.Value.item",
                "todo.$": "$$.Map.Item.Value.todo",
            })),
            max_concurrency: (in_order == InOrder::Yes).then_some(1),
            max_concurrency_path: (in_order == InOrder::No)
                .then(|| format!("{object}.items_at_once")),
            result_path: Some(Value::Null),
            transition: Transition::to(then.clone()),
            ..new_map(INLINE, Part::new(each, State::Map(Box::new(steps))))
        })
    }

    /// Returns a distributed map over rows.
    fn loop_rows(&mut self, in_order: InOrder, then: &StateName) -> Result<Map, CompileError> {
        let name = self.reserve_name("Items")?;
        let end = self.reserve_name("End of row")?;
        let items = self.loop_items("$", in_order, &end)?;
        let mut child = Part::new(name, State::Map(Box::new(items)));
        // The child's output would be written to S3 for every row, so it is dropped.
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
                "stage": {"name.$": "$.stage.name"},
                "items.$": "$$.Map.Item.Value.items",
                "items_at_once.$": "$.stage.items_at_once",
            })),
            max_concurrency_path: Some("$.stage.rows_at_once".to_owned()),
            tolerated_failure_percentage: Some(100),
            result_writer: Some(results_writer()),
            result_path: Some(Value::Null),
            transition: Transition::to(then.clone()),
            ..new_map(config, child)
        })
    }

    /// Returns a loop over the rows of a stage that runs in order.
    fn loop_rows_in_order(&mut self, then: &StateName) -> Result<Part, CompileError> {
        let [first, next, more, name] = [
            self.reserve_name("First row")?,
            self.reserve_name("Next row")?,
            self.reserve_name("Another row")?,
            self.reserve_name("Row")?,
        ];
        let ask = self.next_row_call("$.stage.key", json!({"stage.$": "$.stage.name"}), &more);
        let map = Map {
            items_path: Some("$.next.rows".to_owned()),
            label: Some("row".to_owned()),
            ..self.loop_rows(InOrder::Yes, &next)?
        };
        Ok(row_loop([first, next, more, name], ask, map, then))
    }

    /// Returns the states for one step of an item: a choice by the step's kind, and a task for each
    /// kind.
    fn loop_step(&mut self) -> Result<Part, CompileError> {
        let [choose, record, unknown] = [
            self.reserve_name("Function")?,
            self.reserve_name("Record failure")?,
            self.reserve_name("Unknown kind")?,
        ];
        let mut rules = Vec::new();
        let mut tasks = Vec::new();
        // Any op of a kind will do: its function, timeout and retriers are those of the kind.
        for (kind, op) in self.ops_by_kind()? {
            let name = self.reserve_name(&format!("Materialize {kind}"))?;
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
        part.states.extend(
            tasks
                .into_iter()
                .map(|(name, task)| (name, State::Task(Box::new(task)))),
        );
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

    /// Returns one op of each kind.
    fn ops_by_kind(&self) -> Result<BTreeMap<String, &'a OpSpec>, CompileError> {
        let steps = self.layout.stages.iter().flat_map(|stage| &stage.steps);
        let op = |step| self.step_op(step).map(|op| (step_kind(op), op));
        steps.map(op).collect()
    }
}

/// Returns the task for all steps of one kind.
fn loop_task(op: &OpSpec, record: &StateName) -> Task {
    let payload = json!({
        "loop": true,
        "run.$": "$.run",
        "stage.$": "$.stage",
        "step.$": "$.step.name",
        "item.$": "$.item",
        "retry.$": "$$.State.RetryCount",
    });
    let substitution = function_substitution(&op.compute);
    let mut task = call::function_call(&substitution, payload, op.compute.timeout_seconds());
    task.output_path = Some(Value::Null);
    task.retry = retry::op_retriers(op, Patience::STANDARD, true);
    task.catch = vec![Catch {
        error_equals: vec![STATES_ALL.to_owned()],
        result_path: Some("$.error".to_owned()),
        next: record.clone(),
    }];
    task
}

/// Returns the task that records a failed step.
fn loop_record() -> Task {
    let payload = json!({
        "do": "record",
        "loop": true,
        "run.$": "$.run",
        "stage.$": "$.stage",
        "step.$": "$.step.name",
        "item.$": "$.item",
        "error.$": "$.error",
    });
    let mut task = call::function_call(PLANNER, payload, call::RECORD_SECONDS);
    task.output_path = Some(Value::Null);
    task.retry = retry::record_retriers();
    task
}

/// Returns a loop over the rows of a manifest, one at a time: a start, the call that hands out a
/// row, the choice whether there is one, and the map that runs it.
pub(super) fn row_loop(
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
