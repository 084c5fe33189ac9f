//! Ports to a deployed project, beyond its record and its data.
//!
//! They keep the commands independent of a cloud: [`Executions`] starts, follows and stops
//! executions of the project's state machine, and [`DeploymentExaminer`] diagnoses a deployment.
//! The module [`machine`](crate::machine) handles runs whose execution ends or is stopped.

mod examine;
mod executions;
mod name;

pub use examine::{DeploymentExaminer, Finding};
pub use executions::{Execution, ExecutionError, ExecutionStatus, Executions, StartOutcome};
pub use name::{MAX_NAME_LEN, execution_name, retry_execution_name};
