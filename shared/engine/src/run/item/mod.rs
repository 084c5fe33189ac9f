//! Running one item: one step for one batch of partitions.
//!
//! [`RunSession::run_item`](crate::run::RunSession::run_item) tries it as often as the op's retry
//! policy has it; [`RunSession::run_once`](crate::run::RunSession::run_once) tries it once, for a
//! caller that tries again itself.

mod attempt;
mod doing;
mod once;
mod outcome;
mod retried;
mod settle;
mod take_up;

pub use outcome::{ItemFailure, ItemOutcome};
