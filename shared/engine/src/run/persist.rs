//! Retries of calls to the state store.

use std::time::Duration;

use crate::{run::RunSession, state::StateResult};

/// Number of attempts in all, of a call that fails with transient errors.
const ATTEMPTS: u32 = 6;
/// The wait before the first retry; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(50);

impl RunSession {
    /// Calls the state store, and retries while it fails with transient errors. Every call of the
    /// port is safe to repeat.
    ///
    /// # Errors
    /// The error of the last attempt.
    pub async fn with_state_retries<T, F: Future<Output = StateResult<T>>>(
        &self,
        call: impl Fn() -> F,
    ) -> StateResult<T> {
        let mut wait = FIRST_WAIT;
        for _ in 1..ATTEMPTS {
            match call().await {
                Err(error) if error.kind().is_retryable() => {
                    // Jitter from half to one and a half: concurrent callers do not retry together.
                    let spread = 0.5 + self.ports.randomness.random_unit();
                    self.ports.sleeper.sleep(wait.mul_f64(spread)).await;
                    wait *= 2;
                }
                answer => return answer,
            }
        }
        call().await
    }
}
