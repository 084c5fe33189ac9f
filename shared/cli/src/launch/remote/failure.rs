//! What the ports of a deployment refuse, in words.

use precip_engine::{
    deployment::ExecutionError,
    machine::{Cancellation, PlannerError},
    run::PlanRunError,
};

use crate::failure::{Failure, causes};

/// Executions that cannot be started, read or stopped.
pub(crate) fn not_reached(error: ExecutionError) -> Failure {
    Failure::environment(error.message).help(error.help)
}

/// What the planner refuses.
pub(crate) fn refused(error: PlannerError) -> Failure {
    match error {
        PlannerError::State(error) => error.into(),
        PlannerError::Plan(PlanRunError::State(error)) => error.into(),
        PlannerError::Files(_) | PlannerError::Damaged { .. } => {
            Failure::environment(error.to_string()).detail(&causes(&error))
        }
        error => Failure::usage(error.to_string()),
    }
}

impl From<Cancellation> for Failure {
    fn from(error: Cancellation) -> Self {
        match error {
            Cancellation::Execution(error) => not_reached(error),
            Cancellation::Planner(error) => refused(error),
        }
    }
}
