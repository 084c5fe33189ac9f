//! The wait between attempts.

use std::time::Duration;

use precip_core::spec::{Backoff, Jitter, RetryPolicy};

/// Returns the wait before the next attempt, after `attempt` attempts have failed. `chance` is a
/// random number from 0 to 1. The rule is that of Dagster's `RetryPolicy`.
///
/// ```
/// use std::time::Duration;
/// use precip_core::spec::{Backoff, Jitter, RetryPolicy};
/// use precip_engine::run::wait_before_retry;
///
/// let policy = RetryPolicy {
///     max_retries: 3,
///     delay: Duration::from_secs(2),
///     backoff: Backoff::Exponential,
///     jitter: Jitter::None,
/// };
/// let waits = [1, 2, 3].map(|attempt| wait_before_retry(&policy, attempt, 0.5).as_secs());
/// assert_eq!(waits, [2, 6, 14]);
/// ```
pub fn wait_before_retry(policy: &RetryPolicy, attempt: u32, chance: f64) -> Duration {
    // At most one day, in seconds.
    const LONGEST: f64 = 86_400.0;
    let times = match policy.backoff {
        Backoff::Constant => 1.0,
        Backoff::Linear => f64::from(attempt),
        Backoff::Exponential => 2_f64.powi(i32::try_from(attempt).unwrap_or(i32::MAX)) - 1.0,
    };
    let delay = policy.delay.as_secs_f64();
    let wait = delay * times;
    let seconds = match policy.jitter {
        Jitter::None => wait,
        Jitter::Full => chance * wait,
        Jitter::PlusMinus => wait + (2.0 * chance - 1.0) * delay,
    };
    Duration::from_secs_f64(seconds.clamp(0.0, LONGEST))
}
