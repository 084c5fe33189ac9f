//! [`Retry`] and [`Catch`].

use serde::{Deserialize, Serialize};

use super::StateName;

/// The error name that matches every error (but `States.DataLimitExceeded` and `States.Runtime`).
pub const STATES_ALL: &str = "States.ALL";

/// When and how often a failed state is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Retry {
    /// The errors it is for.
    pub error_equals: Vec<String>,
    /// The wait before the first retry, in seconds. AWS's default is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u32>,
    /// How many retries. AWS's default is 3; 0 is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// What the wait is multiplied by after each retry, at least 1. AWS's default is 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_rate: Option<f64>,
    /// The longest wait, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delay_seconds: Option<u32>,
    /// Whether the wait is spread at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_strategy: Option<JitterStrategy>,
}

/// Whether waits are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JitterStrategy {
    /// Anything from nothing to the whole wait.
    #[serde(rename = "FULL")]
    Full,
    /// As computed.
    #[serde(rename = "NONE")]
    None,
}

/// Where to go when a state failed and is not tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Catch {
    /// The errors it is for.
    pub error_equals: Vec<String>,
    /// Where the error is put into the state's input: a reference path, or `None` for AWS's default
    /// (`$`, the error replaces the input).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_path: Option<String>,
    /// The state to go to.
    pub next: StateName,
}
