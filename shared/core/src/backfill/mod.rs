//! Backfills: many partitions of several assets, made in waves of runs.
//!
//! A wave holds everything that can run given what earlier waves made; what depends on a failure is
//! given up. The rules, down to which assets share a run, are those of Dagster's asset backfills.

mod eligible;
mod error;
mod iteration;
mod queue;
mod roots;
mod run_request;
mod target;
mod waiting;

pub use error::BackfillError;
pub use iteration::{Backfill, Outcome};
pub use run_request::{RunPartitions, RunRequest};
pub use target::named;
