//! Policies that cannot be.

use std::time::Duration;

use crate::cron::{InvalidCron, InvalidTimeZone};

/// A policy that Dagster refuses, and Precip with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFreshness {
    /// A span of less than a minute.
    #[error("{field} is {}: it cannot be less than a minute, write 60 s or more", seconds(*.given))]
    TooShort {
        /// `fail_window`, `warn_window` or `lower_bound_delta`.
        field: &'static str,
        /// What was given.
        given: Duration,
    },
    /// A warning that would not come before the failure.
    #[error(
        "warn_window ({}) is not less than fail_window ({}): a warning has to come first, swap them \
         or leave the warning out",
        seconds(*.warn), seconds(*.fail)
    )]
    WarnAfterFail {
        /// The `warn_window`.
        warn: Duration,
        /// The `fail_window`.
        fail: Duration,
    },
    /// A deadline whose windows would overlap.
    #[error(
        "lower_bound_delta ({}) is longer than the shortest time between two deadlines of `{cron}` \
         ({}): write that or less",
        seconds(*.given), seconds(*.interval)
    )]
    LongerThanInterval {
        /// What was given.
        given: Duration,
        /// The shortest time between two deadlines.
        interval: Duration,
        /// The deadlines.
        cron: String,
    },
    /// The cron string of the deadlines.
    #[error("deadline_cron: {0}")]
    Cron(#[from] InvalidCron),
    /// The time zone of the deadlines.
    #[error(transparent)]
    TimeZone(#[from] InvalidTimeZone),
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
