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

    /// How long what is put in for a substitution (`${..}`) is taken to be, in bytes: an ARN.
    pub const SUBSTITUTION_BYTES: usize = 100;

    /// The definition as JSON. Equal machines give equal bytes. It is laid out for a person to read,
    /// unless Step Functions would not take it that long.
    ///
    /// # Errors
    /// When a parameter is no JSON, which a value of this type cannot be.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let readable = serde_json::to_string_pretty(self)? + "\n";
        match substituted(&readable) <= Self::MAX_BYTES {
            true => Ok(readable),
            false => serde_json::to_string(self),
        }
    }

    /// How long the shortest definition is where it is deployed, in bytes: about, since what is put
    /// in for its substitutions is not known.
    ///
    /// # Errors
    /// When a parameter is no JSON, which a value of this type cannot be.
    pub fn deployed_bytes(&self) -> Result<usize, serde_json::Error> {
        serde_json::to_string(self).map(|json| substituted(&json))
    }
}

/// The length of a definition once its substitutions are put in.
fn substituted(json: &str) -> usize {
    let placeholders = json.split("${").skip(1);
    let placeholders = placeholders.filter_map(|rest| rest.find('}').map(|end| end + 3));
    let (count, bytes) = placeholders.fold((0, 0), |(count, sum), one| (count + 1, sum + one));
    json.len() - bytes + count * StateMachine::SUBSTITUTION_BYTES
}
