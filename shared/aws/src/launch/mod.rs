//! Runs as executions of Step Functions state machines.

mod arn;
mod error;
mod launcher;
mod sfn;

pub use arn::{InvalidMachineArn, MachineArn};
pub use launcher::SfnLauncher;
pub use sfn::SfnExecutions;

#[cfg(test)]
mod tests;
