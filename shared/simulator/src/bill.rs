//! The amounts that a simulation uses of each unit that AWS bills for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use precip_core::cost::{Amounts, Unit};

/// The units used so far. Clones share them, so that every service of a simulation adds to one bill.
///
/// ```
/// use precip_simulator::bill::{Bill, Unit};
///
/// let bill = Bill::default();
/// bill.clone().add_one(Unit::LambdaRequest);
/// bill.add(Unit::LambdaGbSecond, 0.5);
/// assert_eq!(bill.amount(Unit::LambdaRequest), 1.0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Bill(Arc<Mutex<Amounts>>);

impl Bill {
    fn lock(&self) -> MutexGuard<'_, Amounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an amount of a unit.
    pub fn add(&self, unit: Unit, amount: f64) {
        self.lock().add(unit, amount);
    }

    /// Adds one unit.
    pub fn add_one(&self, unit: Unit) {
        self.add(unit, 1.0);
    }

    /// Returns the amount of a unit used so far.
    pub fn amount(&self, unit: Unit) -> f64 {
        self.lock().get(unit)
    }

    /// Returns the amounts used so far.
    pub fn amounts(&self) -> Amounts {
        *self.lock()
    }
}
