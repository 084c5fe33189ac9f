//! The port to a cloud: [`Platform`].

use async_trait::async_trait;

use super::{Deployment, DeploymentNames};

/// Connects to deployed projects. The facade provides an implementation when it is built with a cloud.
#[async_trait]
pub trait Platform: Send + Sync {
    /// Returns adapters to a deployment. Sends no request yet.
    ///
    /// # Errors
    /// [`ConnectError`] when a name is invalid.
    async fn connect(&self, names: &DeploymentNames) -> Result<Deployment, ConnectError>;
}

/// A connection that failed because a name is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectError {
    /// The problem, and what to write instead.
    pub message: String,
}
