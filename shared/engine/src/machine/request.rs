//! What the states of the machines send.

use std::collections::BTreeMap;

use precip_core::machine::{Item, StepName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{machine::Mode, run_id::RunId};

/// What the planner is asked to do. What the machines send, and what they make of the answers, is
/// said once, where they are compiled: `precip_asl::compile::document`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum PlannerRequest {
    /// Plan a run from what a person or a trigger wrote, and hand out the first work.
    Plan {
        /// The machine's input, as it was written.
        input: Value,
        /// Which execution asks.
        execution: ExecutionRef,
        /// Whether the machine takes one stage at a time.
        #[serde(rename = "loop", default)]
        looped: bool,
    },
    /// A wave, or a stage of a loop, has ended: hand out the next one that has work, without what
    /// depends on what failed.
    Settle(Settle),
    /// Hand out one row of a stage whose items wait for each other.
    Next {
        /// The manifest.
        key: String,
        /// The row, from 0.
        row: usize,
    },
    /// Put down that a step failed for an item, and answer what is left of the item.
    Record(Box<RecordRequest>),
    /// The last work has ended: end the run. Or hand out what is left of it, when the execution was
    /// redriven meanwhile.
    Finish(Finish),
}

/// See [`PlannerRequest::Settle`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settle {
    /// The run.
    pub run: RunId,
    /// How the run's items are handed out.
    pub mode: Mode,
    /// The wave that has ended, or that the stage stands in.
    pub wave: u32,
    /// Which redrive the plan was made for.
    #[serde(default, deserialize_with = "count")]
    pub redrive: u32,
    /// Whether the machine takes one stage at a time.
    #[serde(rename = "loop", default)]
    pub looped: bool,
    /// The stage that has ended, of a loop.
    #[serde(default)]
    pub stage: Option<StepName>,
}

/// See [`PlannerRequest::Finish`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finish {
    /// The run.
    pub run: RunId,
    /// How the run's items are handed out.
    pub mode: Mode,
    /// Which redrive the plan was made for that has ended.
    #[serde(default, deserialize_with = "count")]
    pub redrive: u32,
    /// Whether to plan what is left, as of redrive `redrive`, and end nothing: the execution that
    /// waits for this one was redriven.
    #[serde(default)]
    pub again: bool,
    /// Which execution asks.
    pub execution: ExecutionRef,
    /// Whether the machine takes one stage at a time.
    #[serde(rename = "loop", default)]
    pub looped: bool,
}

impl PlannerRequest {
    /// What is asked, for logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Plan { .. } => "plan",
            Self::Settle(_) => "settle",
            Self::Next { .. } => "next",
            Self::Record(_) => "record",
            Self::Finish(_) => "finish",
        }
    }
}

/// Which execution of a machine asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionRef {
    /// Its ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How often it was redriven.
    #[serde(default, deserialize_with = "count")]
    pub redrive: u32,
}

/// A count that some implementations of Step Functions leave out, or leave empty, when it is 0.
fn count<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    Ok(Option::<u32>::deserialize(deserializer)?.unwrap_or_default())
}

/// A step failed for an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordRequest {
    /// The run.
    pub run: RunId,
    /// The stage.
    pub stage: StepName,
    /// The item.
    pub item: Item,
    /// The step, and how it failed, as the machine caught it.
    #[serde(flatten)]
    pub failed: FailedStep,
    /// Which redrive the plan was made for.
    #[serde(default, deserialize_with = "count")]
    pub redrive: u32,
}

/// Which step failed, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FailedStep {
    /// `"failed": {"flights": {"Error": "..", "Cause": ".."}}`.
    Named {
        /// One step, with its error.
        failed: BTreeMap<StepName, CaughtError>,
    },
    /// Of a loop: `"step": "flights", "error": {..}`.
    Looped {
        /// The step.
        step: StepName,
        /// Its error.
        error: CaughtError,
    },
}

impl FailedStep {
    /// The step and its error; `None` when none is named.
    pub fn get(&self) -> Option<(&StepName, &CaughtError)> {
        match self {
            Self::Named { failed } => failed.first_key_value(),
            Self::Looped { step, error } => Some((step, error)),
        }
    }
}

/// What a `Catch` of a state machine puts down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaughtError {
    /// The error's name, such as `Precip.Terminal` or `States.Timeout`.
    #[serde(rename = "Error")]
    pub error: String,
    /// What is known of it: of a Lambda function, JSON with `errorType` and `errorMessage`.
    #[serde(rename = "Cause", default)]
    pub cause: String,
}

impl CaughtError {
    /// What went wrong, for a person.
    pub fn message(&self) -> String {
        #[derive(Deserialize)]
        struct LambdaError {
            #[serde(rename = "errorMessage")]
            message: String,
        }
        match serde_json::from_str::<LambdaError>(&self.cause) {
            Ok(error) => error.message,
            Err(_) if self.cause.is_empty() => self.error.clone(),
            Err(_) => self.cause.clone(),
        }
    }
}

/// One step of one item is to be run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaterializeRequest {
    /// The run.
    pub run: RunId,
    /// The stage.
    pub stage: StepName,
    /// The step.
    pub step: StepName,
    /// The item.
    pub item: Item,
    /// How often the state was tried before.
    #[serde(default, deserialize_with = "count")]
    pub retry: u32,
    /// Whether the machine tries steps whatever became of those before.
    #[serde(rename = "loop", default)]
    pub looped: bool,
}

/// An execution came to an end that was not its own: it was stopped, timed out or failed. The
/// `detail` of EventBridge's event "Step Functions Execution Status Change".
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionEnded {
    /// The execution's ARN.
    pub execution_arn: String,
    /// Its name.
    pub name: String,
    /// `ABORTED`, `FAILED`, `TIMED_OUT` or `SUCCEEDED`.
    pub status: String,
    /// What it was started with, unless that was too long for the event.
    #[serde(default)]
    pub input: Option<String>,
    /// The error's name.
    #[serde(default)]
    pub error: Option<String>,
    /// Why, for a person.
    #[serde(default)]
    pub cause: Option<String>,
}
