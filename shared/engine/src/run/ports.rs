//! Ports to time and randomness.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use ulid::Ulid;

use crate::{
    run_id::RunId,
    state::{StateResult, StateStore},
};

/// The source of the current time.
pub trait Clock: Send + Sync + Debug {
    /// Returns the current time.
    fn now(&self) -> DateTime<Utc>;
}

/// Waits for a duration, in real or simulated time.
#[async_trait]
pub trait Sleeper: Send + Sync + Debug {
    /// Returns once the duration has passed.
    async fn sleep(&self, duration: Duration);
}

/// The source of randomness.
pub trait Randomness: Send + Sync + Debug {
    /// Returns 128 random bits.
    fn random_bits(&self) -> u128;

    /// Returns a random number from 0 (included) to 1 (excluded).
    fn random_unit(&self) -> f64 {
        // An f64 holds at most 53 bits exactly.
        let bits = u64::try_from(self.random_bits() >> (128 - 53)).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
        let unit = bits as f64 / (1_u64 << 53) as f64;
        unit
    }
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .ok()
            .and_then(|since| chrono::TimeDelta::from_std(since).ok());
        DateTime::UNIX_EPOCH + since.unwrap_or_default()
    }
}

/// The randomness of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn random_bits(&self) -> u128 {
        fastrand::u128(..)
    }
}

/// Creates an id from the time, in milliseconds, and randomness. It names a process or an attempt to
/// start something; the id of a run comes from [`next_run_id`].
pub fn new_run_id(clock: &dyn Clock, randomness: &dyn Randomness) -> RunId {
    let milliseconds = u64::try_from(clock.now().timestamp_millis()).unwrap_or_default();
    RunId::new(Ulid::from_parts(milliseconds, randomness.random_bits()))
}

/// Creates the id of a new run: greater than that of every recorded run, so that a clock that is
/// behind, or another one that was ahead, does not make the new run the older one.
///
/// # Errors
/// When the state store cannot be read.
pub async fn next_run_id(
    state: &dyn StateStore,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> StateResult<RunId> {
    let newest = state.newest_run().await?;
    Ok(new_run_id(clock, randomness).made_newer_than(newest))
}
