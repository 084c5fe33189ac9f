//! Trying calls of the record again.

use std::time::Duration;

use crate::{run::RunSession, state::StateResult};

/// How often a call that met a passing trouble is made in all.
const ATTEMPTS: u32 = 6;
/// How long is waited before the first repetition; twice as long before each one after.
const FIRST_WAIT: Duration = Duration::from_millis(50);

impl RunSession {
    /// Makes a call of the record, again while it meets passing troubles. Every call of the port may
    /// be repeated.
    ///
    /// # Errors
    /// The last error, when it does not pass.
    pub async fn persist<T, F: Future<Output = StateResult<T>>>(
        &self,
        call: impl Fn() -> F,
    ) -> StateResult<T> {
        let mut wait = FIRST_WAIT;
        for _ in 1..ATTEMPTS {
            match call().await {
                Err(error) if error.kind().is_retryable() => {
                    let spread = 0.5 + self.ports.randomness.unit();
                    self.ports.sleeper.sleep(wait.mul_f64(spread)).await;
                    wait *= 2;
                }
                answer => return answer,
            }
        }
        call().await
    }
}
