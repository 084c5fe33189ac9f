//! Where a command acts.

mod deployment;
mod names;
mod platform;

pub use deployment::{Deployment, Place};
pub use names::DeploymentNames;
pub use platform::{NotConnected, Platform};
