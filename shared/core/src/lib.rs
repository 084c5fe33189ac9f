//! The domain of Precip: what an asset is, which partitions it has, what depends on what, and what
//! has to run. Nothing here reads a clock, a file, the environment or a random number; the present
//! moment is an argument ([`partitions::PartitionContext::now`]).
//!
//! The words are Dagster's, and so are their meanings: where Dagster 1.13 defines a rule, this crate
//! gives its answer.

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
pub mod selection;
pub mod spec;
pub mod trigger;

/// The guides about this crate: their examples are run as tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/automation.md")]
    mod automation {}
    #[doc = include_str!("../../../docs/partitions.md")]
    mod partitions {}
    #[doc = include_str!("../../../docs/selection.md")]
    mod selection {}
}
