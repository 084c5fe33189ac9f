//! Time windows that cannot be.

use super::InvalidKeyFormat;
use crate::cron::{InvalidCron, InvalidTimeZone};

/// A time-window definition that Dagster refuses, and Precip with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTimeWindows {
    /// The cron string of the windows.
    #[error(transparent)]
    Cron(#[from] InvalidCron),
    /// A cron string among the exclusions.
    #[error("exclusion: {0}")]
    Exclusion(InvalidCron),
    /// The time zone.
    #[error(transparent)]
    TimeZone(#[from] InvalidTimeZone),
    /// The format of the keys.
    #[error(transparent)]
    Format(#[from] InvalidKeyFormat),
    /// A start, end or exclusion that is not written in the format of the keys.
    #[error("{field} `{text}` is not written as `{fmt}` says: write it like `{example}`")]
    Moment {
        /// `start`, `end` or `exclusion`.
        field: &'static str,
        /// What was given.
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
        /// `hour_offset` or `day_offset`.
        offset: &'static str,
    },
    /// Two windows with one key.
    #[error(
        "windows of `{cron}` that begin at different times have one key, `{key}`: the format `{fmt}` \
         leaves out what tells them apart; add it, like `%Y-%m-%d-%H:%M`"
    )]
    CoarseFormat {
        /// The cron string of the windows.
        cron: String,
        /// The key that two windows have.
        key: String,
        /// The format of the keys.
        fmt: String,
    },
}
