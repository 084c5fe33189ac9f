//! How the planner and the materializer fail. The names are what state machines match.

use precip_core::{mapping::InvalidMapping, plan::PlanError};

use crate::{
    asset::ErrorKind,
    definitions::OpenError,
    machine::FileError,
    run::{PlanRunError, RunItemError},
    state::StateError,
};

/// An input from which no run can be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidStart(pub String);

/// Why the planner cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum PlannerError {
    /// What was typed cannot be read.
    #[error(transparent)]
    Start(#[from] InvalidStart),
    /// What was asked for cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanRunError),
    /// The plan and the project do not fit together: the project was deployed anew meanwhile.
    #[error(transparent)]
    Stale(#[from] PlanError),
    /// A mapping does not fit its two sides.
    #[error(transparent)]
    Mapping(#[from] InvalidMapping),
    /// The record cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The run's files cannot be read or written.
    #[error(transparent)]
    Files(#[from] FileError),
    /// A file of the run is not there, or holds something else.
    #[error("the file `{key}` of the run cannot be read: {reason}")]
    Damaged {
        /// The file.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The run has come to its end, and something failed.
    #[error("{summary}")]
    RunFailed {
        /// How much failed, and what to do.
        summary: String,
    },
}

impl PlannerError {
    /// The name that state machines match: `Precip.BadInput` and `Precip.RunFailed` are final,
    /// `Precip.Retryable` is tried again.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunFailed { .. } => "Precip.RunFailed",
            Self::State(error) | Self::Plan(PlanRunError::State(error)) => state(error),
            Self::Files(error) if error.retryable => ErrorKind::Retryable.name(),
            Self::Files(_) | Self::Damaged { .. } => ErrorKind::Terminal.name(),
            Self::Start(_) | Self::Plan(_) | Self::Stale(_) | Self::Mapping(_) => "Precip.BadInput",
        }
    }
}

fn state(error: &StateError) -> &'static str {
    if error.kind().is_retryable() {
        ErrorKind::Retryable.name()
    } else {
        ErrorKind::Terminal.name()
    }
}

/// Why a step did not succeed for an item.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The op failed. It is on record.
    #[error("{message}")]
    Failed {
        /// What it means for a retry.
        kind: ErrorKind,
        /// What went wrong.
        message: String,
    },
    /// It was made and published, and a blocking check found something wrong with it.
    #[error("{message}")]
    CheckFailed {
        /// Which check.
        message: String,
    },
    /// Something that it is made from failed in this run.
    #[error("{message}")]
    Held {
        /// What failed.
        message: String,
    },
    /// Every slot of the op's pool is taken.
    #[error("every slot of pool `{pool}` is taken ({limit} in all): it is tried again")]
    PoolFull {
        /// The pool.
        pool: String,
        /// How many slots there are.
        limit: u32,
    },
    /// The run cannot be read: its plan, its record.
    #[error(transparent)]
    Planner(#[from] PlannerError),
    /// The run cannot go on.
    #[error(transparent)]
    Item(#[from] RunItemError),
    /// What the environment is to provide cannot be made.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl StepError {
    /// The name that state machines match.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Failed { kind, .. } => kind.name(),
            Self::CheckFailed { .. } => "Precip.CheckFailed",
            Self::Held { .. } => "Precip.Held",
            Self::PoolFull { .. } => "Precip.PoolFull",
            Self::Planner(error) => match error.name() {
                "Precip.Retryable" => ErrorKind::Retryable.name(),
                _ => ErrorKind::Terminal.name(),
            },
            Self::Item(RunItemError::State(error)) => state(error),
            Self::Item(_) | Self::Open(_) => ErrorKind::Terminal.name(),
        }
    }
}
