//! The errors that a function answers.

use lambda_runtime::Diagnostic;
use precip_engine::machine::{PlannerError, StepError};

/// Returns the answer of a function that failed; state machines match its `errorType`.
pub(super) fn diagnostic(name: &str, message: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic {
        error_type: name.to_owned(),
        error_message: message.to_string(),
    }
}

pub(super) fn planner_failure(error: &PlannerError) -> Diagnostic {
    diagnostic(error.name(), error)
}

pub(super) fn step_failure(error: &StepError) -> Diagnostic {
    diagnostic(error.name(), error)
}

/// Returns the answer to a request that the function does not know, sent by another version of its
/// caller.
pub(super) fn invalid_request(error: &serde_json::Error) -> Diagnostic {
    diagnostic(
        "Precip.BadInput",
        &format!("the request cannot be read: {error}; deploy functions and machines together"),
    )
}
