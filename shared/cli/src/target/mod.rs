//! The target of a command: this machine or a deployment.

mod deployment;
mod names;
mod platform;

pub use deployment::{Deployment, Target};
pub use names::DeploymentNames;
pub use platform::{ConnectError, Platform};
