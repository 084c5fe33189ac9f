//! [`CapacityMeter`]: what the calls of a store consumed.

use std::sync::{Mutex, PoisonError};

/// Request units, as DynamoDB charges them on demand.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Capacity {
    /// Read request units (RRU): 1 for a strongly consistent read of up to 4 KB, half of it for an
    /// eventually consistent one.
    pub read: f64,
    /// Write request units (WRU): 1 for a write of up to 1 KB, double in a transaction.
    pub write: f64,
    /// Writes that were refused by their condition. DynamoDB charges them and does not say what: at
    /// least 1 WRU each, which is not in `write`.
    pub refused: u64,
    /// Requests, each page of a list counted by itself.
    pub requests: u64,
}

/// Adds up what calls consumed. Shared by the stores that it is given to.
#[derive(Debug, Default)]
pub struct CapacityMeter(Mutex<Capacity>);

impl CapacityMeter {
    /// What was consumed so far.
    pub fn total(&self) -> Capacity {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was consumed since the last call of this function.
    pub fn take(&self) -> Capacity {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, change: impl FnOnce(&mut Capacity)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn read(&self, units: Option<f64>) {
        self.add(|total| {
            total.read += units.unwrap_or_default();
            total.requests += 1;
        });
    }

    pub(super) fn wrote(&self, units: Option<f64>) {
        self.add(|total| {
            total.write += units.unwrap_or_default();
            total.requests += 1;
        });
    }

    pub(super) fn refused(&self, writes: u64) {
        self.add(|total| {
            total.refused += writes;
            total.requests += 1;
        });
    }
}
