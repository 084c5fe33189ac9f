//! Errors of time-window definitions.

use super::InvalidKeyFormat;
use crate::cron::{InvalidCron, InvalidTimeZone};

/// A time-window definition that Dagster, and so Precip, refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTimeWindows {
    /// An invalid cron string.
    #[error(transparent)]
    Cron(#[from] InvalidCron),
    /// An invalid cron string among the exclusions.
    #[error("exclusion: {0}")]
    Exclusion(InvalidCron),
    /// An invalid time zone.
    #[error(transparent)]
    TimeZone(#[from] InvalidTimeZone),
    /// An invalid format of keys.
    #[error(transparent)]
    Format(#[from] InvalidKeyFormat),
    /// A start, end or exclusion that does not match the format of keys.
    #[error("{field} `{text}` does not match the format `{fmt}`: write it like `{example}`")]
    Moment {
        /// `start`, `end` or `exclusion`.
        field: &'static str,
        /// The given text.
        text: String,
        /// The format of the keys.
        fmt: String,
        /// A moment in that format.
        example: String,
    },
    /// An offset that this cadence does not have.
    #[error("{cadence} windows have no {offset}: leave it out, or write a cron schedule")]
    NoSuchOffset {
        /// The cadence.
        cadence: super::Cadence,
        /// `minute_offset`, `hour_offset` or `day_offset`.
        offset: &'static str,
    },
    /// Different windows with the same key.
    #[error(
        "windows of `{cron}` that begin at different times have the same key, `{key}`: the format \
         `{fmt}` is too coarse; make it finer, like `%Y-%m-%d-%H:%M`"
    )]
    CoarseFormat {
        /// The cron string of the windows.
        cron: String,
        /// The key of both windows.
        key: String,
        /// The format of the keys.
        fmt: String,
    },
}
