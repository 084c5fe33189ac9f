//! The domain of Precip: assets, their partitions, the dependencies between them, and the plans
//! that materialize them. Nothing here reads a clock, a file, the environment or a random number:
//! the current time is an argument ([`partitions::PartitionContext::now`]).
//!
//! Terms and semantics are Dagster's: where Dagster 1.13 defines a rule, this crate follows it.

pub mod automation;
pub mod backfill;
pub mod checks;
pub mod cost;
pub mod cron;
pub mod freshness;
pub mod graph;
pub mod key;
pub mod machine;
pub mod manifest;
pub mod mapping;
pub mod metadata;
pub mod nearest;
pub mod partitions;
pub mod plan;
pub mod prose;
pub mod selection;
pub mod spec;
pub mod trigger;

/// The guides to this crate, whose examples run as doc tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/automation.md")]
    mod automation {}
    #[doc = include_str!("../../../docs/partitions.md")]
    mod partitions {}
    #[doc = include_str!("../../../docs/selection.md")]
    mod selection {}
}
