//! Failures of a deployment's ports.

use precip_engine::{
    deployment::ExecutionError,
    machine::{CancelError, PlannerError},
    run::PlanRunError,
};

use crate::failure::{Failure, cause_lines};

/// Returns the failure for an execution that cannot be started, read or stopped.
pub(super) fn execution_failure(error: ExecutionError) -> Failure {
    Failure::environment(error.message).with_help(error.help)
}

/// Returns the failure for a planner's error.
pub(super) fn planner_failure(error: PlannerError) -> Failure {
    match error {
        PlannerError::State(error) => error.into(),
        PlannerError::Plan(PlanRunError::State(error)) => error.into(),
        PlannerError::Files(_) | PlannerError::Damaged { .. } => {
            Failure::environment(error.to_string()).with_detail(&cause_lines(&error))
        }
        error => Failure::usage(error.to_string()),
    }
}

impl From<CancelError> for Failure {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::Execution(error) => execution_failure(error),
            CancelError::Planner(error) => planner_failure(error),
        }
    }
}
