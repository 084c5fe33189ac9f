//! Garbage collection: attempts that are stored and that no materialization points at.
//!
//! They are left by runs that failed or were killed after storing, and by partitions that were
//! materialized again. [`find_garbage`] finds attempts that no reader can still be using, and
//! [`remove_garbage`] removes them. Both may be killed at any point and repeated.

mod decide;
mod error;
mod sweep;

pub use decide::{SafeAge, Verdict, classify_attempt, moment_before};
pub use error::GcError;
pub use sweep::{Garbage, find_garbage, remove_garbage};

#[cfg(test)]
mod tests;
