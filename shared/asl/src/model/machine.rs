//! [`StateMachine`].

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{State, StateName};

/// The substitution that holds the partition of AWS, such as `aws` or `aws-us-gov`, which is part of every
/// ARN.
pub const PARTITION: &str = "Partition";

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

    /// The longest name of a partition of AWS, which is part of every resource.
    const PARTITION_BYTES: usize = "aws-us-gov".len();

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
    let mut pieces = json.split("${");
    let before = pieces.next().map_or(0, str::len);
    let lengths = pieces.map(|piece| match piece.split_once('}') {
        Some((PARTITION, rest)) => StateMachine::PARTITION_BYTES + rest.len(),
        Some((_, rest)) => StateMachine::SUBSTITUTION_BYTES + rest.len(),
        // A text that only looks like a substitution.
        None => "${".len() + piece.len(),
    });
    before + lengths.sum::<usize>()
}
