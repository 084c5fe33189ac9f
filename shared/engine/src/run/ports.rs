//! What a run needs of the world beside data and record: time, waiting and chance.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use ulid::Ulid;

use crate::run_id::RunId;

/// Tells the time.
pub trait Clock: Send + Sync + Debug {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;
}

/// Waits.
#[async_trait]
pub trait Sleeper: Send + Sync + Debug {
    /// Returns when the time has passed.
    async fn sleep(&self, duration: Duration);
}

/// Chance.
pub trait Randomness: Send + Sync + Debug {
    /// 128 bits that nobody can foresee.
    fn bits(&self) -> u128;

    /// A number from 0 (included) to 1 (not included).
    fn unit(&self) -> f64 {
        // 53 bits are as many as an f64 holds exactly.
        let bits = u64::try_from(self.bits() >> (128 - 53)).unwrap_or_default();
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
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let since = since
            .ok()
            .and_then(|since| chrono::TimeDelta::from_std(since).ok());
        DateTime::UNIX_EPOCH + since.unwrap_or_default()
    }
}

/// The random numbers of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn bits(&self) -> u128 {
        fastrand::u128(..)
    }
}

/// Makes the id of a new run: it sorts after the ids that were made at earlier moments.
pub fn new_run_id(clock: &dyn Clock, randomness: &dyn Randomness) -> RunId {
    let milliseconds = u64::try_from(clock.now().timestamp_millis()).unwrap_or_default();
    RunId::new(Ulid::from_parts(milliseconds, randomness.bits()))
}
