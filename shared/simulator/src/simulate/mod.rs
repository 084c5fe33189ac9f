//! The duration, cost and limits of a run on AWS, before anything runs.
//!
//! [`simulate_run`] runs the *generated* machines of a project in [`step_functions`](crate::step_functions)
//! and calls modelled functions in [`lambda`](crate::lambda): the planner divides a plan as the real one
//! does, and a materializer takes the measured or assumed duration of its op and counts its calls of
//! table and bucket. The same input gives the same answer.

mod assumptions;
mod input;
mod materializer;
mod planner;
mod reactor;
mod report;
mod run;
mod shared;

pub use input::{Input, OpTime, Settings};
pub use report::{LimitedBy, OpSpan, Report, SimulationUsage};
pub use run::{SimulateError, simulate_run};

#[cfg(test)]
mod tests;
