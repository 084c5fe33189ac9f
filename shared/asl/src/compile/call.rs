//! Tasks that call a function.

use serde_json::{Map, Value, json};

use super::{
    CompileOptions,
    compiler::{Compiler, Form},
    retry,
    substitution::{PLANNER, placeholder},
};
use crate::model::{Task, Transition};

/// Step Functions' call of a Lambda function, which answers `{"Payload": .., ..}`.
const INVOKE: &str = "arn:aws:states:::lambda:invoke";

/// Where the function's own answer is.
pub(super) const ANSWER: &str = "$.Payload";

/// What Step Functions waits for an answer longer than the function may take for it, in seconds.
const GRACE_SECONDS: u64 = 30;

/// How long the planner may take to write a failure down, in seconds.
pub(super) const RECORD_SECONDS: u64 = 30;

/// A call of the function behind a substitution.
pub(super) fn function(substitution: &str, payload: Value, timeout_seconds: u64) -> Task {
    let mut parameters = Map::new();
    parameters.insert("FunctionName".to_owned(), placeholder(substitution).into());
    parameters.insert("Payload".to_owned(), payload);
    Task {
        comment: None,
        resource: INVOKE.to_owned(),
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

/// A call of the planner, whose answer becomes the document.
pub(super) fn planner(
    options: &CompileOptions,
    comment: &str,
    payload: Value,
    then: Transition,
) -> Task {
    Task {
        comment: Some(comment.to_owned()),
        output_path: Some(ANSWER.into()),
        retry: retry::of_planner(),
        transition: then,
        ..function(PLANNER, payload, options.planner_timeout.as_secs())
    }
}

/// What the planner is told of the execution that calls it.
pub(super) fn execution() -> Value {
    json!({
        "id.$": "$$.Execution.Id",
        "name.$": "$$.Execution.Name",
        "redrive.$": "$$.Execution.RedriveCount",
        "start.$": "$$.Execution.StartTime",
    })
}

impl Compiler<'_> {
    /// What the planner is asked, about the run that the document is of.
    pub(super) fn ask(&self, what: &str, about: Value) -> Value {
        let mut payload = json!({"do": what});
        if self.form == Form::Loop {
            merge(&mut payload, json!({"loop": true}));
        }
        let run = json!({"run.$": "$.run", "mode.$": "$.mode", "redrive.$": "$.redrive"});
        merge(&mut payload, run);
        merge(&mut payload, about);
        merge(&mut payload, json!({"execution": execution()}));
        payload
    }
}

/// Adds the fields of one object to another.
pub(super) fn merge(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
