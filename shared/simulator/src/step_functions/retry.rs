//! Retriers: which errors are retried, how often and after which wait.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>

use std::time::Duration;

use precip_asl::model::{JitterStrategy, Retry, STATES_ALL};

/// Returns whether a list of errors matches an error. `States.ALL` does not match two errors, and
/// `States.TaskFailed` not a timeout.
pub(super) fn matches_error(names: &[String], error: &str) -> bool {
    names.iter().any(|name| match name.as_str() {
        STATES_ALL => !matches!(error, "States.DataLimitExceeded" | "States.Runtime"),
        "States.TaskFailed" => {
            !error.starts_with("States.")
                || error == "States.TaskFailed"
                || error == "States.Permissions"
        }
        name => name == error,
    })
}

/// The attempts of a state, counted for each retrier.
#[derive(Debug)]
pub(super) struct Attempts<'a> {
    retriers: &'a [Retry],
    used: Vec<u32>,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(retriers: &'a [Retry]) -> Self {
        Self {
            retriers,
            used: vec![0; retriers.len()],
        }
    }

    /// Returns the number of retries so far.
    pub(super) fn retries(&self) -> u32 {
        self.used.iter().sum()
    }

    /// Returns how long to wait before the next attempt after an error; `None` when there is none. The
    /// first retrier that matches decides.
    pub(super) fn wait_after(
        &mut self,
        error: &str,
        random: &mut fastrand::Rng,
    ) -> Option<Duration> {
        let matching = |retry: &Retry| matches_error(&retry.error_equals, error);
        let place = self.retriers.iter().position(matching)?;
        let retrier = &self.retriers[place];
        if self.used[place] >= retrier.max_attempts.unwrap_or(3) {
            return None;
        }
        let interval = f64::from(retrier.interval_seconds.unwrap_or(1));
        let rate = retrier.backoff_rate.unwrap_or(2.0);
        let exponent = i32::try_from(self.used[place]).unwrap_or(i32::MAX);
        self.used[place] += 1;
        let mut wait = interval * rate.powi(exponent);
        if let Some(longest) = retrier.max_delay_seconds {
            wait = wait.min(f64::from(longest));
        }
        if retrier.jitter_strategy == Some(JitterStrategy::Full) {
            wait *= random.f64();
        }
        // A year is longer than any execution.
        Some(Duration::from_secs_f64(wait.min(31_536_000.0)))
    }
}
