//! Backfills: many partitions of several assets, materialized in waves of runs.
//!
//! A wave holds everything that can run, given the results of earlier waves; partitions that depend
//! on a failure are held back. The rules, down to which assets share a run, are those of Dagster's
//! asset backfills.

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
pub use run_request::{BackfillRun, RunPartitions};
pub use target::target_by_keys;
