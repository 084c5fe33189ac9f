//! Runs that could not be executed to their end.

use precip_core::{mapping::InvalidMapping, plan::PlanError};
use precip_engine::{
    run::RunItemError,
    run_id::RunId,
    state::{RunStatus, StateError},
};

/// Why a run could not be executed to its end. Failures of ops are none of these: they are in the
/// [report](super::RunReport).
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The plan does not fit the project.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An item could not be run for a reason that is not its own.
    #[error(transparent)]
    Item(#[from] RunItemError),
    /// A mapping does not fit its two sides.
    #[error(transparent)]
    Mapping(#[from] InvalidMapping),
    /// The record could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// Another process executes the run.
    #[error("run `{run}` is executed by another process: wait for its end, or cancel it there")]
    Taken {
        /// The run.
        run: RunId,
    },
    /// The run is over.
    #[error("run `{run}` is {status}: there is nothing to execute")]
    Over {
        /// The run.
        run: RunId,
        /// Its status.
        status: RunStatus,
    },
    /// The process's own machinery failed.
    #[error("an item of run `{run}` ended without an answer: {reason}")]
    Lost {
        /// The run.
        run: RunId,
        /// What is known.
        reason: String,
    },
}
