//! [`Retry`] and [`Catch`].

use serde::{Deserialize, Serialize};

use super::StateName;

/// The error name that matches every error (but `States.DataLimitExceeded` and `States.Runtime`).
pub const STATES_ALL: &str = "States.ALL";

/// A rule for retries of a failed state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Retry {
    /// The errors that it matches.
    pub error_equals: Vec<String>,
    /// The wait before the first retry, in seconds. AWS's default is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u32>,
    /// The number of retries. AWS's default is 3; 0 retries never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// The factor between two waits, at least 1. AWS's default is 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_rate: Option<f64>,
    /// The longest wait, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delay_seconds: Option<u32>,
    /// The randomness of the wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_strategy: Option<JitterStrategy>,
}

/// The randomness of waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JitterStrategy {
    /// A random wait between zero and the computed one.
    #[serde(rename = "FULL")]
    Full,
    /// The computed wait.
    #[serde(rename = "NONE")]
    None,
}

/// A rule for the next state after a failure that is not retried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Catch {
    /// The errors that it matches.
    pub error_equals: Vec<String>,
    /// The path in the state's input that receives the error, or `None` for AWS's default (`$`, the
    /// error replaces the input).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_path: Option<String>,
    /// The next state.
    pub next: StateName,
}
