//! What is tried again, and when.

use precip_core::spec::{Backoff, Jitter, OpSpec, RetryPolicy};

use crate::model::{JitterStrategy, Retry, STATES_ALL};

/// What an op's retry policy is for: an error of the op, a timeout that the function saw coming, and
/// a panic.
const RETRYABLE: [&str; 3] = ["Precip.Retryable", "Precip.Timeout", "Precip.Panic"];

/// What trying again does not change: the op says so, a check failed, what the item is made from
/// failed, or the run is to stop.
const FINAL: [&str; 4] = [
    "Precip.Terminal",
    "Precip.CheckFailed",
    "Precip.Held",
    "Precip.Canceled",
];

/// The same of the planner: input that cannot be right, and a run that ended with failures.
const FINAL_OF_PLANNER: [&str; 2] = ["Precip.BadInput", "Precip.RunFailed"];

/// There is no slot free in the op's pool.
const POOL_FULL: &str = "Precip.PoolFull";

/// How often an invocation that Lambda refused, lost or killed is tried again: after 1, 2, 4, 8 and
/// 16 s at the latest. Repeating it does no harm: what a run has made it does not make again.
const LOST_ATTEMPTS: u32 = 5;

/// The planner is waited for longer: without it nothing goes on.
const PLANNER_ATTEMPTS: u32 = 8;
const RECORD_ATTEMPTS: u32 = 10;

/// A pool is waited for up to a day, and asked at least every 30 s.
const POOL_LONGEST_WAIT_SECONDS: u32 = 30;
const POOL_ATTEMPTS: u32 = 2 * 60 * 24;

/// The longest wait that Step Functions takes.
const LONGEST_WAIT_SECONDS: f64 = 31_622_399.0;

/// The retriers of an op's task. Whatever is no error of Precip's own is Lambda's, of which there
/// are many names: throttled, out of memory, lost.
pub(super) fn of(op: &OpSpec) -> Vec<Retry> {
    let policy = op.retry.as_ref().and_then(by_policy);
    let mut last = FINAL.to_vec();
    if policy.is_none() {
        last.extend(RETRYABLE);
    }
    let pool = op.pool.as_ref().map(|_| Retry {
        interval_seconds: Some(2),
        backoff_rate: Some(1.5),
        max_delay_seconds: Some(POOL_LONGEST_WAIT_SECONDS),
        ..spread(&[POOL_FULL], POOL_ATTEMPTS)
    });
    let mut retriers = vec![never(&last)];
    retriers.extend(policy);
    retriers.extend(pool);
    retriers.push(spread(&[STATES_ALL], LOST_ATTEMPTS));
    retriers
}

/// The retriers of a call to the planner.
pub(super) fn of_planner() -> Vec<Retry> {
    let retry = Retry {
        max_delay_seconds: Some(60),
        ..spread(&[STATES_ALL], PLANNER_ATTEMPTS)
    };
    vec![never(&FINAL_OF_PLANNER), retry]
}

/// The retriers of writing a failure down, which must not get lost.
pub(super) fn of_record() -> Vec<Retry> {
    vec![Retry {
        max_delay_seconds: Some(30),
        ..spread(&[STATES_ALL], RECORD_ATTEMPTS)
    }]
}

/// Errors that are not tried again.
fn never(errors: &[&str]) -> Retry {
    Retry {
        jitter_strategy: None,
        ..spread(errors, 0)
    }
}

/// Errors that are tried again after a wait that doubles, and is spread.
fn spread(errors: &[&str], attempts: u32) -> Retry {
    Retry {
        error_equals: errors.iter().map(|error| (*error).to_owned()).collect(),
        interval_seconds: None,
        max_attempts: Some(attempts),
        backoff_rate: None,
        max_delay_seconds: None,
        jitter_strategy: Some(JitterStrategy::Full),
    }
}

/// The nearest that a state machine can come to a policy, of which it is the same where there is
/// only one retry, or the wait stays the same.
///
/// | policy | machine |
/// |---|---|
/// | a wait that grows (linear, exponential) | grows by a factor, such that the first and the last wait are the policy's |
/// | full jitter | the same |
/// | jitter around the wait | the same: anything from nothing to twice the wait |
/// | a wait under a second, or with a part of one | whole seconds, at least one |
fn by_policy(policy: &RetryPolicy) -> Option<Retry> {
    if policy.max_retries == 0 {
        return None;
    }
    let spread = match policy.jitter {
        Jitter::None | Jitter::Full => 1.0,
        Jitter::PlusMinus => 2.0,
    };
    let interval = (policy.delay.as_secs_f64() * spread).ceil();
    let rate = match policy.max_retries {
        1 => 1.0,
        retries => last_wait(policy.backoff, retries).powf(1.0 / f64::from(retries - 1)),
    };
    let rate = (rate * 100.0).round() / 100.0;
    Some(Retry {
        error_equals: RETRYABLE.map(str::to_owned).to_vec(),
        interval_seconds: Some(whole_seconds(interval)),
        max_attempts: Some(policy.max_retries),
        backoff_rate: Some(rate.clamp(1.0, 100.0)),
        max_delay_seconds: None,
        jitter_strategy: (policy.jitter != Jitter::None).then_some(JitterStrategy::Full),
    })
}

/// How long all retries of a policy may be waited for in a machine, in seconds.
pub(super) fn longest_waits(policy: &RetryPolicy) -> f64 {
    let Some(retry) = by_policy(policy) else {
        return 0.0;
    };
    let first = f64::from(retry.interval_seconds.unwrap_or(1));
    let rate = retry.backoff_rate.unwrap_or(1.0);
    let count = f64::from(policy.max_retries);
    match rate > 1.0 {
        true => first * (rate.powf(count) - 1.0) / (rate - 1.0),
        false => first * count,
    }
}

/// The wait before the last of several retries, in first waits.
fn last_wait(backoff: Backoff, retries: u32) -> f64 {
    match backoff {
        Backoff::Constant => 1.0,
        Backoff::Linear => f64::from(retries),
        Backoff::Exponential => 2_f64.powf(f64::from(retries)) - 1.0,
    }
}

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
