//! Runs as executions of Step Functions state machines.

mod arn;
mod error;
mod sfn;

pub use arn::{InvalidMachineArn, MachineArn};
pub(crate) use error::LOG_IN;
pub use sfn::SfnExecutions;

#[cfg(test)]
mod tests;
