//! Retriers: the errors that are retried, and the waits between.

use precip_core::{
    machine::POOL_RETRIES,
    spec::{Backoff, Jitter, OpSpec, RetryPolicy},
};

use crate::model::{JitterStrategy, Retry, STATES_ALL};

/// Errors that an op's retry policy covers: an error of the op, a timeout that the function
/// reported itself, and a panic.
const RETRYABLE: [&str; 3] = ["Precip.Retryable", "Precip.Timeout", "Precip.Panic"];

/// Errors that a retry cannot change: the op says so, or a check failed.
const FINAL: [&str; 2] = ["Precip.Terminal", "Precip.CheckFailed"];

/// The error of a step whose upstream failed in the run, which a retry cannot change either.
const HELD: &str = "Precip.Held";

/// Errors of the planner that a retry cannot change: invalid input, and a run that ended with
/// failures.
const FINAL_OF_PLANNER: [&str; 2] = ["Precip.BadInput", "Precip.RunFailed"];

/// The error of an op that found no free slot in its pool.
const POOL_FULL: &str = "Precip.PoolFull";

/// Errors that pass: the account has no free concurrency, and the table or the bucket is throttled. They
/// end with the work of others, so they are retried for long, and apart from the op's policy.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>
const THROTTLED: [&str; 2] = ["Lambda.TooManyRequestsException", "Precip.Platform"];

/// Retries of every other error of Lambda: an invocation that was lost or killed, such as one without
/// enough memory. Repeating it is harmless, since an item that the run has published is not made again. The
/// waits double, and take a minute at most.
const LAMBDA_ATTEMPTS: u32 = 6;

/// Retries of the planner: more, since nothing continues without it.
const PLANNER_ATTEMPTS: u32 = 8;
/// Retries of the call that records a failure.
const RECORD_ATTEMPTS: u32 = 10;

/// Longest wait between two requests for a slot in a pool, in seconds. A run takes no more functions than
/// its pool has slots, so only another run makes an item wait: with full jitter, for up to 20 hours.
const POOL_LONGEST_WAIT_SECONDS: u32 = 900;

/// The longest wait that Step Functions accepts, in seconds.
const LONGEST_WAIT_SECONDS: f64 = 31_622_399.0;

/// The time that a task waits for throttled calls, at most, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Patience(f64);

impl Patience {
    /// The patience of a Standard execution.
    pub(super) const STANDARD: Self = Self(1_800.0);

    /// Returns the patience of an Express execution: the part of its five minutes that its ops do not
    /// declare.
    pub(super) fn express(declared_seconds: f64) -> Self {
        Self(EXPRESS_LIMIT_SECONDS - declared_seconds)
    }

    /// Returns the retrier of throttled calls. Its waits double, from a second on.
    fn retrier(self) -> Retry {
        let Self(seconds) = self;
        // So many waits add up to 2^attempts - 1 seconds.
        let attempts = (1..32).take_while(|attempts| 2_f64.powi(*attempts) - 1.0 <= seconds);
        let attempts = attempts.last().unwrap_or_default();
        jittered_retry(&THROTTLED, attempts.unsigned_abs())
    }
}

/// Seconds after which an Express execution ends. The last ten are for its own states.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
const EXPRESS_LIMIT_SECONDS: f64 = 290.0;

/// Returns the retriers of an op's task. Errors without a `Precip.` name are Lambda's, which has
/// many: throttled, out of memory, lost.
///
/// A step can be held back where the machine itself does not leave out what follows a failure.
pub(super) fn op_retriers(op: &OpSpec, patience: Patience, can_be_held: bool) -> Vec<Retry> {
    let policy = op.retry.as_ref().and_then(policy_retrier);
    // The first retrier that matches wins, and `States.ALL` matches everything: without a policy
    // its errors have to be named as final, and the catch-all has to come last.
    let mut last = FINAL.to_vec();
    if can_be_held {
        last.push(HELD);
    }
    if policy.is_none() {
        last.extend(RETRYABLE);
    }
    let pool = op.pool.as_ref().map(|_| Retry {
        interval_seconds: Some(2),
        backoff_rate: Some(1.5),
        max_delay_seconds: Some(POOL_LONGEST_WAIT_SECONDS),
        ..jittered_retry(&[POOL_FULL], POOL_RETRIES)
    });
    let mut retriers = vec![no_retry(&last)];
    retriers.extend(policy);
    retriers.extend(pool);
    retriers.push(patience.retrier());
    retriers.push(Retry {
        jitter_strategy: None,
        ..jittered_retry(&[STATES_ALL], LAMBDA_ATTEMPTS)
    });
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
