//! Errors of the planner and the materializer, with the names that state machines match.

use precip_core::{mapping::InvalidMapping, plan::PlanError};

use crate::{
    asset::ErrorKind,
    definitions::OpenError,
    machine::FileError,
    run::{PlanRunError, RunItemError},
    state::StateError,
};

/// The name of errors of AWS itself, such as a throttled table. Machines retry them apart from the op's
/// own errors, whose retry policy they do not use up.
pub const PLATFORM_ERROR: &str = "Precip.Platform";

/// An input that cannot start a run; with the message for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidStart(pub String);

/// An error of the planner.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlannerError {
    /// The input is not valid.
    #[error(transparent)]
    Start(#[from] InvalidStart),
    /// The request cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanRunError),
    /// The plan does not match the project, which was redeployed since.
    #[error(transparent)]
    Stale(#[from] PlanError),
    /// A partition mapping does not fit its two assets.
    #[error(transparent)]
    Mapping(#[from] InvalidMapping),
    /// The state store cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The run's files cannot be read or written.
    #[error(transparent)]
    Files(#[from] FileError),
    /// A file of the run is missing or damaged.
    #[error("the file `{key}` of the run cannot be read: {reason}")]
    Damaged {
        /// Key of the file.
        key: String,
        /// The reason why it cannot be read.
        reason: String,
    },
    /// The run has ended with failures.
    #[error("{summary}")]
    RunFailed {
        /// The number of failures, and the commands that continue.
        summary: String,
    },
}

impl PlannerError {
    /// Returns the name that state machines match: `Precip.BadInput` and `Precip.RunFailed` are
    /// final, `Precip.Platform` is retried.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunFailed { .. } => "Precip.RunFailed",
            Self::State(error) | Self::Plan(PlanRunError::State(error)) => state_error_name(error),
            Self::Files(error) if error.retryable => PLATFORM_ERROR,
            Self::Files(_) | Self::Damaged { .. } => ErrorKind::Terminal.name(),
            Self::Start(_) | Self::Plan(_) | Self::Stale(_) | Self::Mapping(_) => "Precip.BadInput",
        }
    }
}

/// Builds the error of a name in a plan that the project does not have.
pub(super) fn stale_plan(what: &'static str, name: &dyn std::fmt::Display) -> PlannerError {
    PlannerError::Stale(PlanError::Stale {
        what,
        name: name.to_string(),
    })
}

fn state_error_name(error: &StateError) -> &'static str {
    if error.kind().is_retryable() {
        PLATFORM_ERROR
    } else {
        ErrorKind::Terminal.name()
    }
}

/// The failure of a step for an item.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The op failed. The failure is recorded.
    #[error("{message}")]
    Failed {
        /// The kind of error, which decides about a retry.
        kind: ErrorKind,
        /// The error message.
        message: String,
    },
    /// The partition was published, and a blocking check of it failed.
    #[error("{message}")]
    CheckFailed {
        /// The failed check.
        message: String,
    },
    /// The step is held back: an upstream partition failed in this run.
    #[error("{message}")]
    Held {
        /// The upstream that failed.
        message: String,
    },
    /// Every slot of the op's pool is taken.
    #[error("every slot of pool `{pool}` is taken ({limit} in all): the step is retried")]
    PoolFull {
        /// The pool.
        pool: String,
        /// Number of slots of the pool.
        limit: u32,
    },
    /// The plan or the state of the run cannot be read.
    #[error(transparent)]
    Planner(#[from] PlannerError),
    /// The run cannot go on.
    #[error(transparent)]
    Item(#[from] RunItemError),
    /// A resource or an IO manager of the environment cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl StepError {
    /// Returns the name that state machines match.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Failed { kind, .. } => kind.name(),
            Self::CheckFailed { .. } => "Precip.CheckFailed",
            Self::Held { .. } => "Precip.Held",
            Self::PoolFull { .. } => "Precip.PoolFull",
            Self::Planner(error) => match error.name() {
                PLATFORM_ERROR => PLATFORM_ERROR,
                _ => ErrorKind::Terminal.name(),
            },
            Self::Item(RunItemError::State(error)) => state_error_name(error),
            Self::Item(_) | Self::Open(_) => ErrorKind::Terminal.name(),
        }
    }
}
