//! Errors of planning a run and of running its items.

use precip_core::{
    mapping::InvalidMapping,
    plan::{InvalidPartitionSelector, PlanError},
    selection::InvalidSelection,
};

use crate::state::StateError;

/// A request that cannot be planned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanRunError {
    /// The selection cannot be parsed, or names an asset that does not exist.
    #[error(transparent)]
    Selection(Box<InvalidSelection>),
    /// The partitions cannot be parsed.
    #[error(transparent)]
    Partitions(#[from] InvalidPartitionSelector),
    /// The request cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The run config does not match the ops.
    #[error("{0}")]
    Config(String),
    /// The state store could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<InvalidSelection> for PlanRunError {
    fn from(invalid: InvalidSelection) -> Self {
        Self::Selection(Box::new(invalid))
    }
}

/// An error that stops a run. The failure of an op is not one of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunItemError {
    /// The plan names something that the project does not declare.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A partition mapping does not fit its two assets.
    #[error(transparent)]
    Mapping(#[from] InvalidMapping),
    /// The state store could not be read or written, after several tries.
    #[error(transparent)]
    State(#[from] StateError),
}
