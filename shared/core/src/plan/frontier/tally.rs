//! [`Tally`]: the progress of a plan in numbers.

use serde::{Deserialize, Serialize};

/// The progress of a plan, counted in (step, partition) pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Planned pairs.
    pub total: u64,
    /// Pairs that were dispatched and have no outcome yet.
    pub running: u64,
    /// Materialized pairs; for checks, passed ones.
    pub succeeded: u64,
    /// Failed pairs.
    pub failed: u64,
    /// Pairs that are held back, because something they depend on failed or the run was canceled.
    pub held: u64,
    /// Skipped pairs: the op had nothing to make, or something that they are made from is skipped.
    #[serde(default)]
    pub skipped: u64,
}

impl Tally {
    /// Returns the number of pairs without an outcome: waiting, ready or running.
    pub fn open_count(&self) -> u64 {
        self.total - self.succeeded - self.failed - self.held - self.skipped
    }
}
