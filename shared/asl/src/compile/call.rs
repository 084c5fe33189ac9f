//! Tasks that call a function.

use serde_json::{Map, Value, json};

use super::{
    CompileOptions,
    compiler::{Compiler, Form},
    retry,
    substitution::{PLANNER, integration, placeholder},
};
use crate::model::{Task, Transition};

/// Step Functions' integration with Lambda, which answers `{"Payload": .., ..}`.
const INVOKE: &str = "lambda:invoke";

/// Path of the function's own answer.
pub(super) const ANSWER: &str = "$.Payload";

/// Time that Step Functions waits beyond the function's own timeout, in seconds.
const GRACE_SECONDS: u64 = 30;

/// Timeout of the planner for recording a failure, in seconds.
pub(super) const RECORD_SECONDS: u64 = 30;

/// Returns a task that calls the function behind a substitution.
pub(super) fn function_call(substitution: &str, payload: Value, timeout_seconds: u64) -> Task {
    let mut parameters = Map::new();
    parameters.insert("FunctionName".to_owned(), placeholder(substitution).into());
    parameters.insert("Payload".to_owned(), payload);
    Task {
        comment: None,
        resource: integration(INVOKE),
        parameters: Some(parameters.into()),
        result_selector: None,
        result_path: None,
        output_path: None,
        timeout_seconds: u32::try_from(timeout_seconds + GRACE_SECONDS).ok(),
        heartbeat_seconds: None,
        retry: Vec::new(),
        catch: Vec::new(),
        transition: Transition::END,
    }
}

/// Returns a task that calls the planner, whose answer becomes the document.
pub(super) fn planner_call(
    options: &CompileOptions,
    comment: &str,
    payload: Value,
    then: Transition,
) -> Task {
    Task {
        comment: Some(comment.to_owned()),
        output_path: Some(ANSWER.into()),
        retry: retry::planner_retriers(),
        transition: then,
        ..function_call(PLANNER, payload, options.planner_timeout.as_secs())
    }
}

/// Returns the fields that identify the calling execution to the planner.
pub(super) fn execution_fields() -> Value {
    json!({
        "id.$": "$$.Execution.Id",
        "name.$": "$$.Execution.Name",
        "redrive.$": "$$.Execution.RedriveCount",
        "start.$": "$$.Execution.StartTime",
    })
}

impl Compiler<'_> {
    /// Returns the payload of a call to the planner about the document's run.
    pub(super) fn planner_payload(&self, what: &str, about: Value) -> Value {
        let mut payload = json!({"do": what});
        if self.form == Form::Loop {
            merge_fields(&mut payload, json!({"loop": true}));
        }
        let run = json!({
            "run.$": "$.run",
            "mode.$": "$.mode",
            "redrive.$": "$.redrive",
            "functions_at_once.$": "$.functions_at_once",
        });
        merge_fields(&mut payload, run);
        merge_fields(&mut payload, about);
        merge_fields(&mut payload, json!({"execution": execution_fields()}));
        payload
    }
}

/// Adds the fields of one object to another.
pub(super) fn merge_fields(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
