//! The maps that take a stage's items through it.

use serde_json::{Value, json};

use super::{
    CompileError,
    call::{self, merge},
    compiler::{Compiler, Mode, Part},
    execution_type,
    stage_loop::row_by_row,
    substitution::{BUCKET, placeholder},
};
use crate::model::{
    ItemProcessor, ItemReader, Map, ProcessorConfig, ProcessorMode, ResultWriter, State, StateName,
    Task, Transition,
};

impl Compiler<'_> {
    /// The states of a stage, which keep the document as it is and lead to `then`.
    pub(super) fn stage_states(
        &mut self,
        place: usize,
        then: &StateName,
    ) -> Result<Part, CompileError> {
        let stage = self.stage(place);
        let name = self.name(stage.name.as_str())?;
        let map = match (self.mode, stage.in_order) {
            (Mode::Inline, _) => {
                let items = format!("$.stages.{}.items", stage.name);
                Map {
                    transition: Transition::to(then.clone()),
                    ..self.items(place, items)?
                }
            }
            (Mode::Distributed, false) => Map {
                item_reader: Some(manifest(stage.name.as_str())),
                transition: Transition::to(then.clone()),
                ..self.rows(place)?
            },
            (Mode::Distributed, true) => return self.row_by_row(place, name, then),
        };
        Ok(Part::new(name, State::Map(Box::new(map))))
    }

    /// An inline map over items. In order, where the stage is.
    fn items(&mut self, place: usize, items: String) -> Result<Map, CompileError> {
        let in_order = self.stage(place).in_order;
        let item = self.item(place)?;
        Ok(Map {
            items_path: Some(items),
            item_selector: Some(json!({
                "run.$": "$.run",
                "redrive.$": "$.redrive",
                "item.$": "$$.Map.Item.Value",
                "failed": {},
            })),
            max_concurrency: in_order.then_some(1),
            result_path: Some(Value::Null),
            ..map(
                ProcessorConfig {
                    mode: ProcessorMode::Inline,
                    execution_type: None,
                },
                item,
            )
        })
    }

    /// A distributed map over rows, whose children are inline maps over the items of one.
    fn rows(&mut self, place: usize) -> Result<Map, CompileError> {
        let stage = self.stage(place);
        let name = self.name(&format!("{} items", stage.name))?;
        let items = Map {
            output_path: Some(Value::Null),
            ..self.items(place, "$.items".to_owned())?
        };
        let child = execution_type(stage, |op| self.op_named(op));
        Ok(Map {
            label: Some(stage.name.to_string()),
            item_selector: Some(json!({
                "run.$": "$.run",
                "redrive.$": "$.redrive",
                "items.$": "$$.Map.Item.Value.items",
            })),
            max_concurrency_path: Some("$.max_concurrency".to_owned()),
            tolerated_failure_percentage: Some(100),
            result_writer: Some(results()),
            result_path: Some(Value::Null),
            ..map(
                ProcessorConfig {
                    mode: ProcessorMode::Distributed,
                    execution_type: Some(child),
                },
                Part::new(name, State::Map(Box::new(items))),
            )
        })
    }

    /// A loop over the rows of a manifest: one at a time, as the planner hands them out, since what
    /// failed in one row holds back items of the next.
    fn row_by_row(
        &mut self,
        place: usize,
        name: StateName,
        then: &StateName,
    ) -> Result<Part, CompileError> {
        let stage = &self.stage(place).name;
        let [first, next, more] = [
            self.name(&format!("first row of {stage}"))?,
            self.name(&format!("next row of {stage}"))?,
            self.name(&format!("another row of {stage}"))?,
        ];
        let key = format!("$.stages.{stage}.key");
        let ask = self.next_row(&key, json!({"stage": stage}), &more);
        let map = Map {
            items_path: Some("$.next.rows".to_owned()),
            transition: Transition::to(next.clone()),
            ..self.rows(place)?
        };
        Ok(row_by_row([first, next, more, name], ask, map, then))
    }

    /// The call that hands out the next row of a stage that runs in order.
    pub(super) fn next_row(&self, key: &str, stage: Value, then: &StateName) -> Task {
        let mut payload = self.ask(
            "next",
            json!({
                "wave.$": "$.wave",
                "key.$": key,
                "row.$": "$.next.row",
            }),
        );
        merge(&mut payload, stage);
        let comment =
            "Hands out the next row of items, without those that something before them holds back.";
        let ask = call::planner(self.options, comment, payload, Transition::to(then.clone()));
        Task {
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

pub(super) fn map(processor_config: ProcessorConfig, part: Part) -> Map {
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

/// The manifest that the planner wrote for a stage: a row of items in each line.
fn manifest(stage: &str) -> ItemReader {
    ItemReader {
        resource: "arn:aws:states:::s3:getObject".to_owned(),
        reader_config: Some(json!({"InputType": "JSONL"})),
        parameters: json!({
            "Bucket": placeholder(BUCKET),
            "Key.$": format!("$.stages.{stage}.key"),
        }),
    }
}

/// Where Step Functions writes down what became of the children: too much for an answer.
pub(super) fn results() -> ResultWriter {
    ResultWriter {
        resource: "arn:aws:states:::s3:putObject".to_owned(),
        parameters: json!({
            "Bucket": placeholder(BUCKET),
            "Prefix.$": "States.Format('runs/{}/results', $.run)",
        }),
    }
}
