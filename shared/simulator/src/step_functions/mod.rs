//! Step Functions: machines, executions and their histories, by the rules of AWS's documentation.
//!
//! A machine is compiled once ([`program`]) and then entered state by state ([`execute`]). What a state
//! calls is behind [`Functions`](crate::task::Functions) and [`Objects`](crate::task::Objects).
//!
//! Only what generated machines use is known: JSONPath, `lambda:invoke`, `states:startExecution.sync:2`,
//! manifests of JSON lines. Everything else is refused when a machine is created.

mod condition;
mod execute;
mod execution;
mod history;
mod limits;
mod path;
mod program;
mod retry;
mod service;
mod template;

pub use execution::{Description, ExecutionOutcome, ExecutionStatus};
pub use history::{Event, EventKind, History};
pub use limits::{Faults, Limits};
pub use program::InvalidMachine;
pub use service::{Ports, RedriveError, Saturations, StartError, StepFunctions, UnknownExecution};

#[cfg(test)]
mod tests;
