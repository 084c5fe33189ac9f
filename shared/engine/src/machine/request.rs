//! What the states of the machines send.

use chrono::{DateTime, Utc};
use precip_core::machine::{Item, StepName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{machine::Mode, run_id::RunId};

/// What the planner is asked to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum PlannerRequest {
    /// Plan a run from what a person or a trigger wrote, and hand out the first wave.
    Plan {
        /// The machine's input, as it was written.
        input: Value,
        /// Which execution asks.
        execution: ExecutionRef,
    },
    /// A wave has ended: hand out the next one without what depends on what failed.
    Settle {
        /// The run.
        run: RunId,
        /// How the run's items are handed out.
        mode: Mode,
        /// The number of its plan: see [`WaveDocument::plan`](crate::machine::WaveDocument::plan).
        plan: u32,
        /// The wave that has ended.
        wave: u32,
    },
    /// Hand out one row of a stage whose items wait for each other.
    Next {
        /// The run.
        run: RunId,
        /// The number of its plan.
        plan: u32,
        /// The wave under way.
        wave: u32,
        /// The stage.
        stage: StepName,
        /// How many rows were handed out before.
        row: usize,
    },
    /// Put down that a step failed for an item.
    Record(Box<RecordRequest>),
    /// The last wave has ended: end the run.
    Finish {
        /// The run.
        run: RunId,
        /// How the run's items are handed out.
        mode: Mode,
        /// The number of its plan.
        plan: u32,
        /// How often the execution that the run was started with was redriven.
        redrive: u32,
    },
}

/// Which execution of a machine asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionRef {
    /// Its ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was started.
    pub start: DateTime<Utc>,
}

/// A step failed for an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordRequest {
    /// The run.
    pub run: RunId,
    /// The stage.
    pub stage: StepName,
    /// The step.
    pub step: StepName,
    /// The item.
    pub item: Item,
    /// How it failed, as the machine caught it.
    pub error: CaughtError,
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
    #[serde(default)]
    pub retry: u32,
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
