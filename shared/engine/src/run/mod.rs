//! Runs: planning one, running its items, and ending it.
//!
//! Every entry point goes through the same use cases, in this order:
//!
//! 1. [`plan_run`] turns a request into a plan, and [`create_run`] records the run. A run that a
//!    trigger recorded before it was planned goes through [`plan_queued_run`].
//! 2. [`RunSession::run_item`] runs one step for one batch of partitions: an executor calls it for
//!    the steps that a [`Frontier`](precip_core::plan::Frontier) reports as ready, a Lambda function
//!    for the step that it is invoked with.
//! 3. [`end_run`] records the end of the run. [`plan_retry`] plans the rest of a failed run.
//!
//! A plan may be used later than it was made, by a project that was changed in between:
//! [`translate_plan`] comes before anything else that is done with a stored plan.

mod checks;
mod context;
mod create;
mod data_version;
mod end;
mod error;
mod failed_checks;
mod held;
mod inputs;
mod item;
mod layouts;
mod long_texts;
mod observe;
mod op_runner;
mod outputs;
mod partition_refs;
mod persist;
mod planning;
mod ports;
mod requested;
mod retry;
mod retry_run;
mod session;
mod skipped_input;
mod translate;

pub use create::{CreateRun, create_run};
pub use end::{RunEnd, end_run};
pub use error::{PlanRunError, RunItemError};
pub(crate) use failed_checks::partitions_with_failed_checks;
pub use held::WithheldPartitions;
pub use item::{ItemFailure, ItemOutcome};
pub(crate) use layouts::fingerprint;
pub use layouts::{changed_layouts, renumber_changed};
pub use long_texts::{LoggedTexts, LongTexts};
pub use observe::{RunEvent, RunObserver};
pub(crate) use op_runner::panic_error;
pub use op_runner::{InlineOpRunner, OpRunner, call_body};
pub use partition_refs::step_at;
pub(crate) use partition_refs::{partition_ref, partition_refs};
pub use planning::{PlannedRun, partition_context, plan_run, read_statuses};
pub(crate) use planning::{add_statuses, check_config, plan_context};
pub use ports::{
    Clock, Randomness, Sleeper, SystemClock, SystemRandomness, new_run_id, next_run_id,
};
pub use requested::{QueuedRunPlan, plan_queued_run};
pub use retry::wait_before_retry;
pub use retry_run::{RefusedData, finished_partitions, plan_retry};
pub use session::{RunPorts, RunSession, planned_partitions};
pub use translate::translate_plan;
