//! [`Tick`]: one moment of a schedule.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::LocalTime;

/// One moment of a schedule, and what the clock on the wall is said to show then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    pub(crate) seconds: i64,
    pub(crate) local: LocalTime,
}

impl Tick {
    /// The moment.
    pub fn at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.seconds, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// What the clock shows, as the schedule names it: for a day or an hour that the clock leaves
    /// out this is a time that never shows, and [`Self::at`] is the moment that stands for it.
    pub fn local(&self) -> NaiveDateTime {
        self.local.naive
    }
}
