//! How a function answers that it failed.

use lambda_runtime::Diagnostic;
use precip_engine::machine::{PlannerError, StepError};

/// The answer of a function that failed: `errorType` is what state machines match.
pub(super) fn diagnostic(name: &str, message: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic {
        error_type: name.to_owned(),
        error_message: message.to_string(),
    }
}

pub(super) fn of_planner(error: &PlannerError) -> Diagnostic {
    diagnostic(error.name(), error)
}

pub(super) fn of_step(error: &StepError) -> Diagnostic {
    diagnostic(error.name(), error)
}

/// A request that is of no form that the function knows: whoever called it has another version.
pub(super) fn unreadable(error: &serde_json::Error) -> Diagnostic {
    diagnostic(
        "Precip.BadInput",
        &format!("the request cannot be read: {error}; deploy functions and machines together"),
    )
}
