//! Maps over the items of a stage.

use serde_json::{Value, json};

use super::{
    CompileError,
    call::{self, merge_fields},
    compiler::{Compiler, Mode, Part},
    execution_type,
    stage_loop::row_loop,
    substitution::{BUCKET, integration, placeholder},
};
use crate::model::{
    ItemProcessor, ItemReader, Map, ProcessorConfig, ProcessorMode, ResultWriter, State, StateName,
    Task, Transition,
};

impl Compiler<'_> {
    /// Returns the states of a stage. They keep the document as it is and lead to `then`.
    pub(super) fn stage_states(
        &mut self,
        place: usize,
        then: &StateName,
    ) -> Result<Part, CompileError> {
        let stage = self.stage(place);
        let name = self.reserve_name(stage.name.as_str())?;
        let map = match (self.mode, stage.in_order) {
            (Mode::Inline, _) => {
                let stage = format!("$.stages.{}", stage.name);
                Map {
                    transition: Transition::to(then.clone()),
                    ..self.items_map(place, &stage)?
                }
            }
            (Mode::Distributed, false) => Map {
                item_reader: Some(manifest_reader(stage.name.as_str())),
                transition: Transition::to(then.clone()),
                ..self.rows_map(place)?
            },
            // A distributed map starts its rows in any order, so rows in order need a loop around
            // it.
            (Mode::Distributed, true) => return self.ordered_rows(place, name, then),
        };
        Ok(Part::new(name, State::Map(Box::new(map))))
    }

    /// Returns an inline map over the items of the object at a path, which says how many run at once.
    fn items_map(&mut self, place: usize, object: &str) -> Result<Map, CompileError> {
        let in_order = self.stage(place).in_order;
        let item = self.item_states(place)?;
        Ok(Map {
            items_path: Some(format!("{object}.items")),
            item_selector: Some(json!({
                "run.$": "$.run",
                "item.$": "$$.Map.Item.Value",
                "failed": {},
            })),
            max_concurrency: in_order.then_some(1),
            max_concurrency_path: (!in_order).then(|| format!("{object}.items_at_once")),
            result_path: Some(Value::Null),
            ..new_map(
                ProcessorConfig {
                    mode: ProcessorMode::Inline,
                    execution_type: None,
                },
                item,
            )
        })
    }

    /// Returns a distributed map over rows, whose children are inline maps over the items of a row.
    fn rows_map(&mut self, place: usize) -> Result<Map, CompileError> {
        let stage = self.stage(place);
        let object = format!("$.stages.{}", stage.name);
        let name = self.reserve_name(&format!("{} items", stage.name))?;
        let items = Map {
            output_path: Some(Value::Null),
            ..self.items_map(place, "$")?
        };
        let child = execution_type(stage, |op| self.op_named(op));
        Ok(Map {
            label: Some(stage.name.to_string()),
            item_selector: Some(json!({
                "run.$": "$.run",
                "items.$": "$$.Map.Item.Value.items",
                "items_at_once.$": format!("{object}.items_at_once"),
            })),
            max_concurrency_path: Some(format!("{object}.rows_at_once")),
            tolerated_failure_percentage: Some(100),
            result_writer: Some(results_writer()),
            result_path: Some(Value::Null),
            ..new_map(
                ProcessorConfig {
                    mode: ProcessorMode::Distributed,
                    execution_type: Some(child),
                },
                Part::new(name, State::Map(Box::new(items))),
            )
        })
    }

    /// Returns a loop over the rows of a manifest. The planner hands out one row at a time, since a
    /// failure in one row holds back items of the next.
    fn ordered_rows(
        &mut self,
        place: usize,
        name: StateName,
        then: &StateName,
    ) -> Result<Part, CompileError> {
        let stage = &self.stage(place).name;
        let [first, next, more] = [
            self.reserve_name(&format!("first row of {stage}"))?,
            self.reserve_name(&format!("next row of {stage}"))?,
            self.reserve_name(&format!("another row of {stage}"))?,
        ];
        let key = format!("$.stages.{stage}.key");
        let ask = self.next_row_call(&key, json!({"stage": stage}), &more);
        let map = Map {
            items_path: Some("$.next.rows".to_owned()),
            transition: Transition::to(next.clone()),
            ..self.rows_map(place)?
        };
        Ok(row_loop([first, next, more, name], ask, map, then))
    }

    /// Returns the call that hands out the next row of a stage that runs in order.
    pub(super) fn next_row_call(&self, key: &str, stage: Value, then: &StateName) -> Task {
        let mut payload = self.planner_payload(
            "next",
            json!({
                "wave.$": "$.wave",
                "key.$": key,
                "row.$": "$.next.row",
            }),
        );
        merge_fields(&mut payload, stage);
        let comment =
            "Answers the next row of items, without those that an earlier failure holds back.";
        let ask = call::planner_call(self.options, comment, payload, Transition::to(then.clone()));
        Task {
            // Only the row and its number: the rest of the document stays as it is.
            result_selector: Some(json!({
                "row.$": format!("{}.row", call::ANSWER),
                "rows.$": format!("{}.rows", call::ANSWER),
            })),
            result_path: Some("$.next".into()),
            output_path: None,
            ..ask
        }
    }
}

/// Returns a map over the states of `part`, with everything else left out.
pub(super) fn new_map(processor_config: ProcessorConfig, part: Part) -> Map {
    Map {
        comment: None,
        label: None,
        items_path: None,
        item_reader: None,
        item_selector: None,
        max_concurrency: None,
        max_concurrency_path: None,
        tolerated_failure_percentage: None,
        item_processor: ItemProcessor {
            processor_config,
            start_at: part.start,
            states: part.states,
        },
        result_writer: None,
        result_selector: None,
        result_path: None,
        output_path: None,
        retry: Vec::new(),
        catch: Vec::new(),
        transition: Transition::END,
    }
}

/// Returns a reader of the manifest that the planner wrote for a stage: a row of items in each
/// line.
fn manifest_reader(stage: &str) -> ItemReader {
    ItemReader {
        resource: integration("s3:getObject"),
        reader_config: Some(json!({"InputType": "JSONL"})),
        parameters: json!({
            "Bucket": placeholder(BUCKET),
            "Key.$": format!("$.stages.{stage}.key"),
        }),
    }
}

/// Returns a writer for the children's results, which are too large for an answer.
pub(super) fn results_writer() -> ResultWriter {
    ResultWriter {
        resource: integration("s3:putObject"),
        parameters: json!({
            "Bucket": placeholder(BUCKET),
            "Prefix.$": "States.Format('runs/{}/results', $.run)",
        }),
    }
}
