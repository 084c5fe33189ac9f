//! [`ExecuteError`].

use precip_core::{mapping::InvalidMapping, plan::PlanError};
use precip_engine::{
    run::RunItemError,
    run_id::RunId,
    state::{RunStatus, StateError},
};

/// The error of a run that could not be executed to its end. Failures of ops are not errors: they are
/// in the [report](super::RunReport).
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The plan does not fit the project.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An item could not be run, for a reason outside of its op.
    #[error(transparent)]
    Item(#[from] RunItemError),
    /// A partition mapping does not fit the partitions of its two assets.
    #[error(transparent)]
    Mapping(#[from] InvalidMapping),
    /// The record could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// Another process is executing the run.
    #[error("run `{run}` is executed by another process: wait until it ends, or cancel it there")]
    Taken {
        /// The run.
        run: RunId,
    },
    /// The run has ended.
    #[error("run `{run}` is {status}: there is nothing to execute")]
    Over {
        /// The run.
        run: RunId,
        /// Its status.
        status: RunStatus,
    },
    /// The task of an item panicked or was aborted.
    #[error("an item of run `{run}` ended without a result: {reason}")]
    Lost {
        /// The run.
        run: RunId,
        /// The runtime's message.
        reason: String,
    },
}
