//! [`RunReport`].

use std::time::Duration;

use precip_core::plan::Tally;
use precip_engine::run::{ItemFailure, RunEnd};

/// The outcome of an executed run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// The end of the run.
    pub end: RunEnd,
    /// The counts of done, failed, skipped and held back (step, partition) pairs.
    pub tally: Tally,
    /// Number of (asset, partition) pairs that were published.
    pub materialized: u64,
    /// Number of (asset, partition) pairs that there was nothing to make for.
    pub skipped: u64,
    /// The first [`RunReport::MAX_FAILURES`] failures, in the order in which they occurred. All of
    /// them are recorded.
    pub failures: Vec<ItemFailure>,
    /// The elapsed time.
    pub elapsed: Duration,
}

impl RunReport {
    /// The most failures that a report holds.
    pub const MAX_FAILURES: usize = 1000;
}
