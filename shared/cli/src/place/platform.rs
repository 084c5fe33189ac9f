//! The port to a cloud: [`Platform`].

use async_trait::async_trait;

use super::{Deployment, DeploymentNames};

/// Connects to deployed projects. The facade hands one in when it was built with a cloud.
#[async_trait]
pub trait Platform: Send + Sync {
    /// What commands need of a deployment. It asks the deployment nothing yet.
    ///
    /// # Errors
    /// [`NotConnected`] when a name makes no sense.
    async fn connect(&self, names: &DeploymentNames) -> Result<Deployment, NotConnected>;
}

/// A deployment that cannot be connected to: a name makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotConnected {
    /// What is wrong, and what to write instead.
    pub message: String,
}
