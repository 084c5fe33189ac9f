//! Errors of freshness policies.

use std::time::Duration;

use crate::cron::{InvalidCron, InvalidTimeZone};

/// A freshness policy that Dagster, and so Precip, refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFreshness {
    /// A window shorter than a minute.
    #[error("{field} is {}: it cannot be less than a minute, write 60 s or more", format_seconds(*.given))]
    TooShort {
        /// `fail_window`, `warn_window` or `lower_bound_delta`.
        field: &'static str,
        /// The given window.
        given: Duration,
    },
    /// A warning that does not come before the failure.
    #[error(
        "warn_window ({}) is not less than fail_window ({}): a warning has to come first, swap them \
         or leave the warning out",
        format_seconds(*.warn), format_seconds(*.fail)
    )]
    WarnAfterFail {
        /// The `warn_window`.
        warn: Duration,
        /// The `fail_window`.
        fail: Duration,
    },
    /// Deadlines whose windows overlap.
    #[error(
        "lower_bound_delta ({}) is longer than the shortest time between two deadlines of `{cron}` \
         ({}): write that or less",
        format_seconds(*.given), format_seconds(*.interval)
    )]
    LongerThanInterval {
        /// The given `lower_bound_delta`.
        given: Duration,
        /// The shortest time between two deadlines.
        interval: Duration,
        /// The cron string of the deadlines.
        cron: String,
    },
    /// An invalid cron string.
    #[error("deadline_cron: {0}")]
    Cron(#[from] InvalidCron),
    /// An invalid time zone.
    #[error(transparent)]
    TimeZone(#[from] InvalidTimeZone),
}

fn format_seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
