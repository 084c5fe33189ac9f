//! [`State`] and the simple kinds of state.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Catch, Choice, Map, Retry, StateMachine, StateName};

/// One state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "Type")]
pub enum State {
    /// Calls a service outside the machine.
    Task(Box<Task>),
    /// Outputs its input, or a fixed value.
    Pass(Pass),
    /// Chooses the next state.
    Choice(Choice),
    /// Waits.
    Wait(Wait),
    /// Ends the machine successfully.
    Succeed(Succeed),
    /// Ends the machine with an error.
    Fail(Fail),
    /// Runs branches in parallel.
    Parallel(Parallel),
    /// Runs the same states for many items.
    Map(Box<Map>),
}

impl State {
    /// Returns the states that may follow when nothing fails; none for an end.
    pub fn next_states(&self) -> Vec<&StateName> {
        match self {
            Self::Task(task) => task.transition.next().into_iter().collect(),
            Self::Pass(pass) => pass.transition.next().into_iter().collect(),
            Self::Wait(wait) => wait.transition.next().into_iter().collect(),
            Self::Parallel(parallel) => parallel.transition.next().into_iter().collect(),
            Self::Map(map) => map.transition.next().into_iter().collect(),
            Self::Choice(choice) => choice
                .choices
                .iter()
                .map(|rule| &rule.next)
                .chain(&choice.default)
                .collect(),
            Self::Succeed(_) | Self::Fail(_) => Vec::new(),
        }
    }

    /// Returns the retriers.
    pub fn retriers(&self) -> &[Retry] {
        match self {
            Self::Task(task) => &task.retry,
            Self::Parallel(parallel) => &parallel.retry,
            Self::Map(map) => &map.retry,
            _ => &[],
        }
    }

    /// Returns the catchers.
    pub fn catchers(&self) -> &[Catch] {
        match self {
            Self::Task(task) => &task.catch,
            Self::Parallel(parallel) => &parallel.catch,
            Self::Map(map) => &map.catch,
            _ => &[],
        }
    }
}

/// The successor of a state: another state, or the end of its machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Transition {
    /// Another state of the same machine.
    Next {
        /// Its name.
        #[serde(rename = "Next")]
        next: StateName,
    },
    /// The end.
    End {
        /// Always `true`.
        #[serde(rename = "End")]
        end: bool,
    },
}

impl Transition {
    /// The end of the machine.
    pub const END: Self = Self::End { end: true };

    /// Returns a transition to another state.
    pub fn to(next: StateName) -> Self {
        Self::Next { next }
    }

    /// Returns the next state, if there is one.
    pub fn next(&self) -> Option<&StateName> {
        match self {
            Self::Next { next } => Some(next),
            Self::End { .. } => None,
        }
    }
}

/// Calls a Lambda function, or another AWS service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Task {
    /// The task's purpose, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The integration, such as `arn:aws:states:::lambda:invoke`.
    pub resource: String,
    /// The parameters of the call. Keys that end in `.$` hold paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// The selection of the answer, by new names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_selector: Option<Value>,
    /// The path in the input that receives the answer. `Some(Value::Null)` drops it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub result_path: Option<Value>,
    /// The path of the output within the input and answer. `Some(Value::Null)` gives an empty
    /// object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub output_path: Option<Value>,
    /// The timeout of one attempt, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// The longest time between two heartbeats, in seconds: less than the timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_seconds: Option<u32>,
    /// The retriers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<Retry>,
    /// The catchers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catch: Vec<Catch>,
    /// The next state, or the end.
    #[serde(flatten)]
    pub transition: Transition,
}

/// Outputs its input, or a fixed value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Pass {
    /// The state's purpose, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The value to output. Keys that end in `.$` hold paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// The path in the input that receives the value. `Some(Value::Null)` drops it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub result_path: Option<Value>,
    /// The next state, or the end.
    #[serde(flatten)]
    pub transition: Transition,
}

/// Waits for a number of seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Wait {
    /// The reason to wait, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The time to wait, in seconds.
    pub seconds: u32,
    /// The next state, or the end.
    #[serde(flatten)]
    pub transition: Transition,
}

/// Ends the machine successfully.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Succeed {
    /// The meaning of this end, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The path of the output within the input. `Some(Value::Null)` gives an empty object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub output_path: Option<Value>,
}

/// Ends the machine with an error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Fail {
    /// The meaning of this end, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The error's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The error's cause, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The path of the error's name in the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_path: Option<String>,
    /// The path of the error's cause in the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause_path: Option<String>,
}

/// Runs branches in parallel and continues when all have ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parallel {
    /// The state's purpose, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The branches, each a machine of its own.
    pub branches: Vec<StateMachine>,
    /// The path in the input that receives the branches' outputs. `Some(Value::Null)` drops them.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub result_path: Option<Value>,
    /// The retriers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<Retry>,
    /// The catchers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catch: Vec<Catch>,
    /// The next state, or the end.
    #[serde(flatten)]
    pub transition: Transition,
}

/// Deserializes `null` as `Some(Null)`: `"ResultPath": null` drops the result, while a missing
/// `ResultPath` replaces the input with it.
pub(super) fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
