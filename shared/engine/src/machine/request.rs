//! The requests of the machines' states.

use std::collections::BTreeMap;

use precip_core::machine::{Item, StepName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{machine::Mode, run_id::RunId};

/// A request to the planner. The machines' side of requests and answers is documented where they are
/// compiled: `precip_asl::compile::document`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum PlannerRequest {
    /// Plans the run of an input and hands out its first work.
    Plan {
        /// The machine's input, as a person or a trigger wrote it.
        input: Value,
        /// The execution that sends the request.
        execution: ExecutionRef,
        /// The concurrency of the account.
        #[serde(default, skip_serializing_if = "AccountSettings::is_unknown")]
        account: AccountSettings,
        /// True if the machine is a loop that takes one stage at a time.
        #[serde(rename = "loop", default)]
        looped: bool,
    },
    /// Settles a wave, or a stage of a loop, that has ended, and hands out the next that has work,
    /// without the partitions that failures hold back.
    Settle(Settle),
    /// Hands out one row of a stage whose items run one after another.
    Next {
        /// Key of the manifest.
        key: String,
        /// Number of the row, from 0.
        row: usize,
    },
    /// Records that a step failed for an item, and returns the rest of the item.
    Record(Box<RecordRequest>),
    /// Ends the run after its last work, or hands out its remaining work when the execution was
    /// redriven.
    Finish(Finish),
}

/// The content of [`PlannerRequest::Settle`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settle {
    /// The run.
    pub run: RunId,
    /// The way in which the run's items are handed out.
    pub mode: Mode,
    /// The wave that has ended, or the wave of the stage that has ended.
    pub wave: u32,
    /// Number of the redrive that the plan was made for.
    #[serde(default, deserialize_with = "deserialize_count")]
    pub redrive: u32,
    /// Number of functions that the run may invoke at once; `None` from the machine of an earlier deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub functions_at_once: Option<u32>,
    /// True if the machine is a loop that takes one stage at a time.
    #[serde(rename = "loop", default)]
    pub looped: bool,
    /// In a loop: the stage that has ended.
    #[serde(default)]
    pub stage: Option<StepName>,
}

/// The content of [`PlannerRequest::Finish`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finish {
    /// The run.
    pub run: RunId,
    /// The way in which the run's items are handed out.
    pub mode: Mode,
    /// Number of the redrive that the plan was made for.
    #[serde(default, deserialize_with = "deserialize_count")]
    pub redrive: u32,
    /// Number of functions that the run may invoke at once; `None` from the machine of an earlier deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub functions_at_once: Option<u32>,
    /// True to plan the remaining work of redrive `redrive` and end nothing: set when the parent
    /// execution was redriven.
    #[serde(default)]
    pub again: bool,
    /// The execution that sends the request.
    pub execution: ExecutionRef,
    /// True if the machine is a loop that takes one stage at a time.
    #[serde(rename = "loop", default)]
    pub looped: bool,
}

impl PlannerRequest {
    /// Returns the name of the request, for logs.
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

/// Lambda's answer to `GetAccountSettings`, or the error of that call, which is read as no limit.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html>
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSettings {
    /// The limits of the account.
    #[serde(rename = "AccountLimit", default)]
    pub limit: AccountLimit,
}

impl AccountSettings {
    fn is_unknown(&self) -> bool {
        self.limit.unreserved.is_none()
    }

    /// Returns the number of functions that a run may invoke at once: at most `most`, and what is reserved
    /// for them. Without a reservation, a fifth of the account's concurrency is left to what sensors and
    /// schedules start meanwhile, and to other functions.
    ///
    /// ```
    /// use precip_engine::machine::{AccountLimit, AccountSettings};
    ///
    /// let new_account = AccountSettings { limit: AccountLimit { unreserved: Some(10) } };
    /// assert_eq!(new_account.functions_at_once(800, None), 8);
    /// assert_eq!(AccountSettings::default().functions_at_once(800, Some(100)), 100);
    /// ```
    pub fn functions_at_once(&self, most: u32, reserved: Option<u32>) -> u32 {
        let shared = self.limit.unreserved.map(|free| free - free / 5);
        most.min(reserved.or(shared).unwrap_or(most)).max(1)
    }
}

/// The limits of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLimit {
    /// Number of concurrent invocations that no function has reserved; `None` when it is not known.
    #[serde(rename = "UnreservedConcurrentExecutions", default)]
    pub unreserved: Option<u32>,
}

/// The execution of a machine that sends a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionRef {
    /// ARN of the execution.
    pub id: String,
    /// Name of the execution.
    pub name: String,
    /// Number of its redrives.
    #[serde(default, deserialize_with = "deserialize_count")]
    pub redrive: u32,
}

/// Reads a count that some implementations of Step Functions leave out, or leave empty, when it is 0.
fn deserialize_count<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    Ok(Option::<u32>::deserialize(deserializer)?.unwrap_or_default())
}

/// The failure of a step for an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordRequest {
    /// The run.
    pub run: RunId,
    /// The stage.
    pub stage: StepName,
    /// The item.
    pub item: Item,
    /// The step and its error, as the machine caught it.
    #[serde(flatten)]
    pub failed: FailedStep,
    /// Number of the redrive that the plan was made for. Only the machine of an earlier deployment sends it, and
    /// needs it in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redrive: Option<u32>,
}

/// A failed step and its error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FailedStep {
    /// `"failed": {"flights": {"Error": "..", "Cause": ".."}}`.
    Named {
        /// The step, with its error.
        failed: BTreeMap<StepName, CaughtError>,
    },
    /// In a loop: `"step": "flights", "error": {..}`.
    Looped {
        /// The step.
        step: StepName,
        /// Its error.
        error: CaughtError,
    },
}

impl FailedStep {
    /// Returns the step and its error; `None` when none is named.
    pub fn get(&self) -> Option<(&StepName, &CaughtError)> {
        match self {
            Self::Named { failed } => failed.first_key_value(),
            Self::Looped { step, error } => Some((step, error)),
        }
    }
}

/// An error as a state machine's `Catch` passes it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaughtError {
    /// The error's name, such as `Precip.Terminal` or `States.Timeout`.
    #[serde(rename = "Error")]
    pub error: String,
    /// The cause: of a Lambda function, JSON with `errorType` and `errorMessage`.
    #[serde(rename = "Cause", default)]
    pub cause: String,
}

impl CaughtError {
    /// Returns the error message for people.
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

/// A request to the materializer: one step of one item.
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
    /// Number of the state's earlier attempts.
    #[serde(default, deserialize_with = "deserialize_count")]
    pub retry: u32,
    /// True if the machine is a loop, which runs steps even after an earlier one failed.
    #[serde(rename = "loop", default)]
    pub looped: bool,
}

/// The end of an execution that was stopped, timed out or failed: the `detail` of EventBridge's event
/// "Step Functions Execution Status Change".
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionEnded {
    /// ARN of the execution.
    pub execution_arn: String,
    /// Name of the execution.
    pub name: String,
    /// `ABORTED`, `FAILED`, `TIMED_OUT` or `SUCCEEDED`.
    pub status: String,
    /// The input, unless it is too long for the event.
    #[serde(default)]
    pub input: Option<String>,
    /// Name of the error.
    #[serde(default)]
    pub error: Option<String>,
    /// The cause, for people.
    #[serde(default)]
    pub cause: Option<String>,
}
