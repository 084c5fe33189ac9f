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
    /// The machine's purpose and input, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// `JSONPath`, written out because AWS may change an account's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_language: Option<String>,
    /// The first state.
    pub start_at: StateName,
    /// The timeout of an execution, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// The states.
    pub states: States,
}

impl StateMachine {
    /// The largest definition that Step Functions takes, in bytes.
    pub const MAX_BYTES: usize = 1 << 20;

    /// Assumed length of the value of a substitution (`${..}`), in bytes: an ARN.
    pub const SUBSTITUTION_BYTES: usize = 100;

    /// Returns the definition as JSON: indented, unless that would be too large for Step Functions.
    /// Equal machines give equal bytes.
    ///
    /// # Errors
    /// When a parameter is not JSON, which a value of this type cannot be.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let readable = serde_json::to_string_pretty(self)? + "\n";
        if substituted_len(&readable) <= Self::MAX_BYTES {
            Ok(readable)
        } else {
            serde_json::to_string(self)
        }
    }

    /// Returns the approximate length of the shortest definition once it is deployed, in bytes. The
    /// values of its substitutions are not known, so their length is assumed.
    ///
    /// # Errors
    /// When a parameter is not JSON, which a value of this type cannot be.
    pub fn deployed_bytes(&self) -> Result<usize, serde_json::Error> {
        serde_json::to_string(self).map(|json| substituted_len(&json))
    }
}

/// Returns the length of a definition with its substitutions replaced, in bytes.
fn substituted_len(json: &str) -> usize {
    let candidates = json.split("${").skip(1);
    // `find` gives the length of the name; `${` and `}` are three bytes more.
    let placeholders = candidates.filter_map(|rest| rest.find('}').map(|end| end + 3));
    let (count, bytes) = placeholders.fold((0, 0), |(count, sum), one| (count + 1, sum + one));
    json.len() - bytes + count * StateMachine::SUBSTITUTION_BYTES
}
