//! Running one item: one step for one batch of partitions.
//!
//! [`RunSession::run_item`](crate::run::RunSession::run_item) retries by the op's retry policy;
//! [`RunSession::run_once`](crate::run::RunSession::run_once) makes one attempt, for a caller that
//! retries itself.

mod attempt;
mod attempt_phase;
mod outcome;
mod record_outcome;
mod resume;
mod run_item;
mod run_once;

pub use outcome::{ItemFailure, ItemOutcome};
