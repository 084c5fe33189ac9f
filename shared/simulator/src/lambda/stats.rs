//! Counts of invocations.

use std::{collections::BTreeMap, time::Duration};

use super::Throttle;
use crate::timeline::Timeline;

/// Counts of a simulation, of all functions together or of one.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Invocations that ran.
    pub invocations: u64,
    /// Invocations that started an environment.
    pub cold_starts: u64,
    /// Invocations that ended with an error of the function.
    pub errors: u64,
    /// Invocations that the function's timeout ended.
    pub timeouts: u64,
    /// Refused invocations, by reason.
    pub throttles: BTreeMap<Throttle, u64>,
    /// The number of invocations that run at once.
    pub concurrency: Timeline,
    /// Total duration of the invocations.
    pub busy: Duration,
}

impl Stats {
    /// Returns the number of refused invocations.
    pub fn throttled(&self) -> u64 {
        self.throttles.values().sum()
    }
}
