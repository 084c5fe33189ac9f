//! [`TimeWindowPartitions`]: one key per window between two ticks of a cron schedule.

use std::ops::Range;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{PartitionKey, PartitionSet};

/// The part of time that one partition covers: start inclusive, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimeWindow {
    /// The first moment of the window.
    pub start: DateTime<Utc>,
    /// The first moment after the window.
    pub end: DateTime<Utc>,
}

/// How often a window begins.
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

/// Windows between the ticks of a cron schedule in a time zone, from a start, perhaps to an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeWindowPartitions {
    // owned by the time-window work
}

impl TimeWindowPartitions {
    /// How many windows exist at `now`: their ordinals are `0..count`.
    pub fn count(&self, now: DateTime<Utc>) -> u64 {
        let _ = now;
        todo!()
    }

    /// The key of the window with this ordinal, whether or not the window exists yet.
    pub fn key(&self, ordinal: u64) -> Option<PartitionKey> {
        let _ = ordinal;
        todo!()
    }

    /// The window with this ordinal, whether or not it exists yet.
    pub fn window(&self, ordinal: u64) -> Option<TimeWindow> {
        let _ = ordinal;
        todo!()
    }

    /// The ordinal that a key names, whether or not the window exists yet; `None` for a string that
    /// names no window of this definition.
    pub fn ordinal(&self, key: &str) -> Option<u64> {
        let _ = key;
        todo!()
    }

    /// The ordinals of the windows that share a moment with `span`, from the definition's start on,
    /// whether or not they exist yet.
    pub fn overlapping(&self, span: Range<DateTime<Utc>>) -> PartitionSet {
        let _ = span;
        todo!()
    }
}

/// A time-window definition that Dagster refuses, and Precip with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTimeWindows {}
