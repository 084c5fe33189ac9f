//! [`RunReport`].

use std::time::Duration;

use precip_core::plan::Tally;
use precip_engine::run::{ItemFailure, RunEnd};

/// How a run went.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// How it ended.
    pub end: RunEnd,
    /// How far it came, in (step, partition) pairs.
    pub tally: Tally,
    /// How many (asset, partition) pairs were published.
    pub materialized: u64,
    /// What went wrong, in the order in which it did: the first [`RunReport::MOST_FAILURES`]. All of
    /// them are on record.
    pub failures: Vec<ItemFailure>,
    /// How long it took.
    pub took: Duration,
}

impl RunReport {
    /// How many failures a report holds.
    pub const MOST_FAILURES: usize = 1000;
}
