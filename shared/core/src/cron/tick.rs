//! [`Tick`]: one moment of a schedule.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::LocalTime;

/// One moment of a schedule, and the local time that the schedule names for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    pub(crate) seconds: i64,
    pub(crate) local: LocalTime,
}

impl Tick {
    /// Returns the moment.
    pub fn at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.seconds, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Returns the local time as the schedule names it. In an hour that the clock skips, this is a
    /// time that never shows, and [`Self::at`] is the moment used instead.
    pub fn local_time(&self) -> NaiveDateTime {
        self.local.naive
    }
}
