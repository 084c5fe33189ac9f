//! [`StateMachine`].

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{State, StateName};

/// States by name, in the order in which they are written.
pub type States = IndexMap<StateName, State>;

/// A state machine's definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StateMachine {
    /// What the machine is for, and how it is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// `JSONPath`; written out because the account's default may be another one some day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_language: Option<String>,
    /// The first state.
    pub start_at: StateName,
    /// How long an execution may take, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// The states.
    pub states: States,
}

impl StateMachine {
    /// The largest definition that Step Functions takes, in bytes.
    pub const MAX_BYTES: usize = 1 << 20;

    /// The definition as JSON that a person can read. Equal machines give equal bytes.
    ///
    /// # Errors
    /// When a parameter is no JSON, which a value of this type cannot be.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }
}
