//! Runs: planning one, running its items, and ending it.
//!
//! Every entry point goes through the same use cases, in this order:
//!
//! 1. [`plan_run`] turns a request into a plan, and [`create_run`] puts the run on record. One that a
//!    trigger put on record before it was planned goes through [`plan_requested`].
//! 2. [`RunSession::run_item`] runs one step for one batch of partitions: an executor calls it for
//!    whatever a [`Schedule`](precip_core::plan::Schedule) says can run, a Lambda function for what it
//!    is invoked with.
//! 3. [`end_run`] puts down how the run ended. [`plan_retry`] plans what a failed run left unmade.

mod bodies;
mod checks;
mod context;
mod create;
mod data_version;
mod end;
mod error;
mod held;
mod inputs;
mod item;
mod layouts;
mod observe;
mod outputs;
mod persist;
mod planning;
mod ports;
mod requested;
mod retry;
mod retry_run;
mod session;

pub(crate) use bodies::panicked;
pub use bodies::{Bodies, InlineBodies, call_body};
pub use create::{CreateRun, create_run};
pub use end::{RunEnd, end_run};
pub use error::{PlanRunError, RunItemError};
pub use item::{ItemFailure, ItemOutcome};
pub use layouts::{changed_layouts, renumber_changed};
pub use observe::{RunEvent, RunObserver};
pub use planning::{PlannedRun, partition_context, plan_run, record_of};
pub use ports::{Clock, Randomness, Sleeper, SystemClock, SystemRandomness, new_run_id};
pub use requested::{Requested, plan_requested};
pub use retry::wait_before_retry;
pub use retry_run::{finished_in, plan_retry};
pub use session::{RunPorts, RunSession, planned_partitions};
