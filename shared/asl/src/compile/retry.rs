//! Retriers: the errors that are retried, and the waits between.

use precip_core::spec::{Backoff, Jitter, OpSpec, RetryPolicy};

use crate::model::{JitterStrategy, Retry, STATES_ALL};

/// Errors that an op's retry policy covers: an error of the op, a timeout that the function
/// reported itself, and a panic.
const RETRYABLE: [&str; 3] = ["Precip.Retryable", "Precip.Timeout", "Precip.Panic"];

/// Errors that a retry cannot change: the op says so, a check failed, an upstream of the item
/// failed, or the run is canceled.
const FINAL: [&str; 4] = [
    "Precip.Terminal",
    "Precip.CheckFailed",
    "Precip.Held",
    "Precip.Canceled",
];

/// Errors of the planner that a retry cannot change: invalid input, and a run that ended with
/// failures.
const FINAL_OF_PLANNER: [&str; 2] = ["Precip.BadInput", "Precip.RunFailed"];

/// The error of an op that found no free slot in its pool.
const POOL_FULL: &str = "Precip.PoolFull";

/// Retries of what is the fault of the platform: an invocation that Lambda refused, lost or killed, and a
/// throttled table (`Precip.Platform`). Repeating it is harmless, since an item that the run has published
/// is not made again. The waits double up to 32 s and take a minute at most, which leaves an Express child
/// its time. Each task has them: a retrier of its own for each kind would not fit machines of a thousand
/// assets.
const PLATFORM_ATTEMPTS: u32 = 6;

/// Retries of the planner: more, since nothing continues without it.
const PLANNER_ATTEMPTS: u32 = 8;
/// Retries of the call that records a failure.
const RECORD_ATTEMPTS: u32 = 10;

/// Longest wait between two requests for a slot in a pool, in seconds.
const POOL_LONGEST_WAIT_SECONDS: u32 = 30;
/// Retries of a task that waits for its pool: enough for a day.
const POOL_ATTEMPTS: u32 = 2 * 60 * 24;

/// The longest wait that Step Functions accepts, in seconds.
const LONGEST_WAIT_SECONDS: f64 = 31_622_399.0;

/// Returns the retriers of an op's task. Errors without a `Precip.` name are Lambda's, which has
/// many: throttled, out of memory, lost.
pub(super) fn op_retriers(op: &OpSpec) -> Vec<Retry> {
    let policy = op.retry.as_ref().and_then(policy_retrier);
    // The first retrier that matches wins, and `States.ALL` matches everything: without a policy
    // its errors have to be named as final, and the catch-all has to come last.
    let mut last = FINAL.to_vec();
    if policy.is_none() {
        last.extend(RETRYABLE);
    }
    let pool = op.pool.as_ref().map(|_| Retry {
        interval_seconds: Some(2),
        backoff_rate: Some(1.5),
        max_delay_seconds: Some(POOL_LONGEST_WAIT_SECONDS),
        ..jittered_retry(&[POOL_FULL], POOL_ATTEMPTS)
    });
    let mut retriers = vec![no_retry(&last)];
    retriers.extend(policy);
    retriers.extend(pool);
    retriers.push(jittered_retry(&[STATES_ALL], PLATFORM_ATTEMPTS));
    retriers
}

/// Returns the retriers of a call to the planner.
pub(super) fn planner_retriers() -> Vec<Retry> {
    let retry = Retry {
        max_delay_seconds: Some(60),
        ..jittered_retry(&[STATES_ALL], PLANNER_ATTEMPTS)
    };
    vec![no_retry(&FINAL_OF_PLANNER), retry]
}

/// Returns the retriers of the call that records a failure, which must not be lost.
pub(super) fn record_retriers() -> Vec<Retry> {
    vec![Retry {
        max_delay_seconds: Some(30),
        ..jittered_retry(&[STATES_ALL], RECORD_ATTEMPTS)
    }]
}

/// Returns a retrier that never retries these errors.
fn no_retry(errors: &[&str]) -> Retry {
    Retry {
        jitter_strategy: None,
        ..jittered_retry(errors, 0)
    }
}

/// Returns a retrier with full jitter, whose wait doubles.
fn jittered_retry(errors: &[&str], attempts: u32) -> Retry {
    Retry {
        error_equals: errors.iter().map(|error| (*error).to_owned()).collect(),
        interval_seconds: None,
        max_attempts: Some(attempts),
        backoff_rate: None,
        max_delay_seconds: None,
        jitter_strategy: Some(JitterStrategy::Full),
    }
}

/// Returns the retrier closest to a policy. It is exact for a single retry, and for a constant
/// wait.
///
/// | policy | machine |
/// |---|---|
/// | a wait that grows (linear, exponential) | grows by a factor, such that the first and the last wait are the policy's |
/// | full jitter | full jitter |
/// | jitter around the wait | full jitter over twice the wait |
/// | a wait under a second, or with a part of one | whole seconds, at least one |
fn policy_retrier(policy: &RetryPolicy) -> Option<Retry> {
    if policy.max_retries == 0 {
        return None;
    }
    // Full jitter draws from zero to the wait; twice the wait keeps the mean of plus-or-minus
    // jitter.
    let spread = match policy.jitter {
        Jitter::None | Jitter::Full => 1.0,
        Jitter::PlusMinus => 2.0,
    };
    let interval = (policy.delay.as_secs_f64() * spread).ceil();
    // The n-th wait is `first * rate^(n-1)`: this rate makes the last one the policy's.
    let rate = match policy.max_retries {
        1 => 1.0,
        retries => last_wait(policy.backoff, retries).powf(1.0 / f64::from(retries - 1)),
    };
    Some(Retry {
        error_equals: RETRYABLE.map(str::to_owned).to_vec(),
        interval_seconds: Some(whole_seconds(interval)),
        max_attempts: Some(policy.max_retries),
        // Waits are whole seconds, so two decimals are exact enough.
        backoff_rate: Some(((rate * 100.0).round() / 100.0).clamp(1.0, 100.0)),
        max_delay_seconds: None,
        jitter_strategy: (policy.jitter != Jitter::None).then_some(JitterStrategy::Full),
    })
}

/// Returns the longest total wait of a policy's retries in a machine, in seconds.
pub(super) fn total_wait_seconds(policy: &RetryPolicy) -> f64 {
    let Some(retry) = policy_retrier(policy) else {
        return 0.0;
    };
    let first = f64::from(retry.interval_seconds.unwrap_or(1));
    let rate = retry.backoff_rate.unwrap_or(1.0);
    let count = f64::from(policy.max_retries);
    if rate > 1.0 {
        // The sum of a geometric series.
        first * (rate.powf(count) - 1.0) / (rate - 1.0)
    } else {
        first * count
    }
}

/// Returns the wait before the last of several retries, as a multiple of the first wait.
fn last_wait(backoff: Backoff, retries: u32) -> f64 {
    match backoff {
        Backoff::Constant => 1.0,
        Backoff::Linear => f64::from(retries),
        Backoff::Exponential => 2_f64.powf(f64::from(retries)) - 1.0,
    }
}

/// Returns a wait as whole seconds within the range of Step Functions.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is whole, and between the two ends"
)]
fn whole_seconds(seconds: f64) -> u32 {
    seconds.clamp(1.0, LONGEST_WAIT_SECONDS) as u32
}

#[cfg(test)]
mod tests;
