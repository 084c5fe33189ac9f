//! Requests that cannot become runs, and runs that cannot go on.

use precip_core::{
    mapping::InvalidMapping,
    plan::{InvalidPartitionSelector, PlanError},
    selection::InvalidSelection,
};

use crate::state::StateError;

/// Why a request cannot become a run.
#[derive(Debug, thiserror::Error)]
pub enum PlanRunError {
    /// The selection cannot be read, or names what there is not.
    #[error(transparent)]
    Selection(Box<InvalidSelection>),
    /// The partitions cannot be read.
    #[error(transparent)]
    Partitions(#[from] InvalidPartitionSelector),
    /// The request cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The config does not fit the ops.
    #[error("{0}")]
    Config(String),
    /// The record could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<InvalidSelection> for PlanRunError {
    fn from(invalid: InvalidSelection) -> Self {
        Self::Selection(Box::new(invalid))
    }
}

/// Why a run cannot go on. A failure of an op is none of these.
#[derive(Debug, thiserror::Error)]
pub enum RunItemError {
    /// The plan names what the project does not declare.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A mapping does not fit its two sides.
    #[error(transparent)]
    Mapping(#[from] InvalidMapping),
    /// The record could not be read or written, although it was tried several times.
    #[error(transparent)]
    State(#[from] StateError),
}
