//! [`Tally`]: how far a plan is.

use serde::{Deserialize, Serialize};

/// How far a plan is, counted in (step, partition) pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Everything that is planned.
    pub total: u64,
    /// Handed out, and not yet back.
    pub running: u64,
    /// Made (or passed, for checks).
    pub succeeded: u64,
    /// Failed.
    pub failed: u64,
    /// Not run, since something that it depends on failed, or since the run was canceled.
    pub held: u64,
}

impl Tally {
    /// What is neither done nor given up.
    pub fn left(&self) -> u64 {
        self.total - self.succeeded - self.failed - self.held
    }
}
