//! [`CapacityMeter`]: the capacity that the calls of a store consumed.

use std::sync::{Mutex, PoisonError};

/// Consumed capacity in request units, as DynamoDB charges them on demand.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Capacity {
    /// Read request units (RRU): 1 for a strongly consistent read of up to 4 KB, half of it for an
    /// eventually consistent one.
    pub read: f64,
    /// Write request units (WRU): 1 for a write of up to 1 KB, double in a transaction.
    pub write: f64,
    /// Number of writes that were refused by their condition. DynamoDB charges them without
    /// reporting it: at least 1 WRU each, which is not included in `write`.
    pub refused: u64,
    /// Number of requests. Each page of a list counts as one.
    pub requests: u64,
}

/// A counter of the capacity that calls consume. Several stores may share it.
#[derive(Debug, Default)]
pub struct CapacityMeter(Mutex<Capacity>);

impl CapacityMeter {
    /// Returns the capacity consumed so far.
    pub fn total(&self) -> Capacity {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the capacity consumed since the last call, and resets the counter.
    pub fn take_total(&self) -> Capacity {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, change: impl FnOnce(&mut Capacity)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn count_read(&self, units: Option<f64>) {
        self.add(|total| {
            total.read += units.unwrap_or_default();
            total.requests += 1;
        });
    }

    pub(super) fn count_write(&self, units: Option<f64>) {
        self.add(|total| {
            total.write += units.unwrap_or_default();
            total.requests += 1;
        });
    }

    pub(super) fn count_refused(&self, writes: u64) {
        self.add(|total| {
            total.refused += writes;
            total.requests += 1;
        });
    }
}
