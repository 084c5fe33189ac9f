//! The in-process executor: runs a plan on this machine.

mod bodies;
mod error;
mod execute;
mod heartbeat;
mod pools;
mod report;
mod sleeper;

pub use bodies::TokioBodies;
pub use error::ExecuteError;
pub use execute::{Executor, Stop};
pub use report::RunReport;
pub use sleeper::TokioSleeper;

#[cfg(test)]
mod tests;
