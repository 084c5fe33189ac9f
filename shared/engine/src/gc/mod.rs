//! Garbage collection: attempts that are stored and that no materialization points at.
//!
//! They come from runs that failed or were killed after storing, and from partitions that were made
//! again. [`garbage`] finds those that nobody can be reading, and [`remove`] removes them. Both may be
//! killed anywhere and done again.

mod decide;
mod error;
mod sweep;

pub use decide::{SafeAge, Verdict, verdict};
pub use error::GcError;
pub use sweep::{Garbage, garbage, remove};

#[cfg(test)]
mod tests;
