//! [`TestError`].

use precip_engine::{
    asset::AssetError,
    definitions::{InvalidDefinitions, OpenError},
    run::PlanRunError,
    state::StateError,
};
use precip_local::executor::ExecuteError;

/// An error that kept a test's run from ending, or from being inspected. Failures of assets are not
/// such errors: see [`Materialized::failures`](super::Materialized::failures).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// The definitions are invalid.
    #[error(transparent)]
    Definitions(#[from] InvalidDefinitions),
    /// The request does not fit the definitions.
    #[error(transparent)]
    Plan(#[from] PlanRunError),
    /// A resource or an IO manager cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The run could not be executed to its end.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The state of the run cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// A value was not materialized, or cannot be loaded as the given type.
    #[error("{0}")]
    Value(String),
}

impl From<AssetError> for TestError {
    fn from(error: AssetError) -> Self {
        Self::Value(error.to_string())
    }
}
