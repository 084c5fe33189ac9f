//! [`TestError`].

use precip_engine::{
    asset::AssetError,
    definitions::{InvalidDefinitions, OpenError},
    run::PlanRunError,
    state::StateError,
};
use precip_local::executor::ExecuteError;

/// Why a test's run could not be made, or something of it could not be read. Failures of assets are
/// none of these: [`Materialized::failures`](super::Materialized::failures) has them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// The definitions have problems.
    #[error(transparent)]
    Definitions(#[from] InvalidDefinitions),
    /// The request does not fit the definitions.
    #[error(transparent)]
    Plan(#[from] PlanRunError),
    /// A resource or an IO manager could not be made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The run could not be executed to its end.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The record could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// Something was not made, or its data cannot be read so.
    #[error("{0}")]
    Value(String),
}

impl From<AssetError> for TestError {
    fn from(error: AssetError) -> Self {
        Self::Value(error.to_string())
    }
}
