//! [`Backoff`].

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use precip_engine::{run::Sleeper, state::StateResult};

use super::super::error::contention_error;

/// The most repetitions of a call that conflicts with others.
const MAX_WAITS: u32 = 30;

/// Waits between attempts at a call: longer each time, up to a number of attempts.
#[derive(Debug)]
pub(in super::super) struct Backoff {
    /// The attempted action, to complete "could not ..".
    action: &'static str,
    sleeper: Arc<dyn Sleeper>,
    waits: u32,
}

impl Backoff {
    pub(super) fn new(action: &'static str, sleeper: Arc<dyn Sleeper>) -> Self {
        Self {
            action,
            sleeper,
            waits: 0,
        }
    }

    /// Waits for a random time, so that callers that collided do not collide again.
    ///
    /// # Errors
    /// `Retry` after too many waits.
    pub(in super::super) async fn wait(&mut self) -> StateResult<()> {
        self.waits += 1;
        if self.waits > MAX_WAITS {
            return Err(contention_error(self.action));
        }
        // Full jitter over a bound that doubles from 10 ms to 320 ms.
        let longest_ms = 5_u64 << self.waits.min(6);
        let wait = Duration::from_millis(fastrand::u64(1..=longest_ms));
        self.sleeper.sleep(wait).await;
        Ok(())
    }
}

/// Waits in real time.
#[derive(Debug)]
pub(super) struct TokioSleeper;

#[async_trait]
impl Sleeper for TokioSleeper {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
