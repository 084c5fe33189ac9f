//! The in-process executor: runs a plan on this machine.

mod error;
mod execute;
mod function_runner;
mod heartbeat;
mod op_runner;
mod pools;
mod report;
mod sleeper;

pub use error::ExecuteError;
pub use execute::{Executor, Stop};
pub use function_runner::TokioFunctionRunner;
pub use op_runner::TokioOpRunner;
pub use report::RunReport;
pub use sleeper::TokioSleeper;

#[cfg(test)]
mod tests;
