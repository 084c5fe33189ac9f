//! [`State`] and the simple kinds of state.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Catch, Choice, Map, Retry, StateMachine, StateName};

/// One state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "Type")]
pub enum State {
    /// Does work outside the machine.
    Task(Box<Task>),
    /// Hands on its input, or a fixed value.
    Pass(Pass),
    /// Decides where to go.
    Choice(Choice),
    /// Waits.
    Wait(Wait),
    /// Ends well.
    Succeed(Succeed),
    /// Ends badly.
    Fail(Fail),
    /// Runs branches side by side.
    Parallel(Parallel),
    /// Runs the same states for many items.
    Map(Box<Map>),
}

impl State {
    /// Where the state goes when nothing fails: nowhere for an end.
    pub fn next(&self) -> Vec<&StateName> {
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

    /// What is tried again, and when.
    pub fn retry(&self) -> &[Retry] {
        match self {
            Self::Task(task) => &task.retry,
            Self::Parallel(parallel) => &parallel.retry,
            Self::Map(map) => &map.retry,
            _ => &[],
        }
    }

    /// Where failures go.
    pub fn catch(&self) -> &[Catch] {
        match self {
            Self::Task(task) => &task.catch,
            Self::Parallel(parallel) => &parallel.catch,
            Self::Map(map) => &map.catch,
            _ => &[],
        }
    }
}

/// What follows a state: another state, or the end of its machine.
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

    /// On to another state.
    pub fn to(next: StateName) -> Self {
        Self::Next { next }
    }

    /// The state that follows, if one does.
    pub fn next(&self) -> Option<&StateName> {
        match self {
            Self::Next { next } => Some(next),
            Self::End { .. } => None,
        }
    }
}

/// Does work outside the machine: a Lambda function, or another AWS service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Task {
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The integration, such as `arn:aws:states:::lambda:invoke`.
    pub resource: String,
    /// What it is called with. Keys that end in `.$` hold paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// Which part of the answer is kept, and under which names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_selector: Option<Value>,
    /// Where the answer is put into the input. `Some(Value::Null)` throws it away.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub result_path: Option<Value>,
    /// Which part of the whole is handed on. `Some(Value::Null)` hands on an empty object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub output_path: Option<Value>,
    /// How long one attempt may take, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// How long the worker may be silent, in seconds: less than the timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_seconds: Option<u32>,
    /// What is tried again, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<Retry>,
    /// Where failures go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catch: Vec<Catch>,
    /// What follows.
    #[serde(flatten)]
    pub transition: Transition,
}

/// Hands on its input, or a fixed value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Pass {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// What is handed on. Keys that end in `.$` hold paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// Where it is put into the input. `Some(Value::Null)` throws it away.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub result_path: Option<Value>,
    /// What follows.
    #[serde(flatten)]
    pub transition: Transition,
}

/// Waits for a number of seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Wait {
    /// What is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// For how long.
    pub seconds: u32,
    /// What follows.
    #[serde(flatten)]
    pub transition: Transition,
}

/// Ends the machine well.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Succeed {
    /// What this end means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Which part of the input is the answer. `Some(Value::Null)` answers an empty object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub output_path: Option<Value>,
}

/// Ends the machine badly.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Fail {
    /// What this end means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The error's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What went wrong, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// A path to the error's name in the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_path: Option<String>,
    /// A path to what went wrong in the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause_path: Option<String>,
}

/// Runs branches side by side and goes on when all have ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parallel {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The branches, each a machine of its own.
    pub branches: Vec<StateMachine>,
    /// Where the branches' answers are put into the input. `Some(Value::Null)` throws them away.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub result_path: Option<Value>,
    /// What is tried again, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<Retry>,
    /// Where failures go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catch: Vec<Catch>,
    /// What follows.
    #[serde(flatten)]
    pub transition: Transition,
}

/// Tells `"ResultPath": null` (throw the answer away) from no `ResultPath` at all.
pub(super) fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
