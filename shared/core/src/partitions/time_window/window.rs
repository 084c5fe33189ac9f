//! [`TimeWindow`] and [`Cadence`].

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The time that one partition covers: start inclusive, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimeWindow {
    /// The first moment of the window.
    pub start: DateTime<Utc>,
    /// The first moment after the window.
    pub end: DateTime<Utc>,
}

/// The frequency of windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// Each hour.
    Hourly,
    /// Each day.
    Daily,
    /// Each week.
    Weekly,
    /// Each month.
    Monthly,
    /// At the ticks of a cron schedule.
    Cron,
}

impl Cadence {
    /// Returns the cadence of a cron string. As in Dagster's `schedule_type`, only strings of
    /// numbers and `*` have a plain cadence.
    pub(crate) fn from_cron(cron: &str) -> Self {
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        // For each field: true is a number, false is `*`.
        let parts: Vec<Option<bool>> = cron
            .split(' ')
            .map(|part| {
                if part == "*" {
                    Some(false)
                } else {
                    is_number(part).then_some(true)
                }
            })
            .collect();
        match parts[..] {
            [
                Some(true),
                Some(false),
                Some(false),
                Some(false),
                Some(false),
            ] => Self::Hourly,
            [
                Some(true),
                Some(true),
                Some(false),
                Some(false),
                Some(false),
            ] => Self::Daily,
            [Some(true), Some(true), Some(false), Some(false), Some(true)] => Self::Weekly,
            [Some(true), Some(true), Some(true), Some(false), Some(false)] => Self::Monthly,
            _ => Self::Cron,
        }
    }
}

impl fmt::Display for Cadence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Cron => "cron",
        })
    }
}
