//! The cron schedules in conditions.

use chrono::{DateTime, Utc};

use crate::cron::{CronSchedule, parse_time_zone};

/// A cron schedule in a time zone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Schedule(CronSchedule);

impl Schedule {
    /// Parses a schedule. The error is a message.
    pub(super) fn new(cron: &str, timezone: &str) -> Result<Self, String> {
        let zone = parse_time_zone(timezone).map_err(|error| error.to_string())?;
        CronSchedule::new(cron, zone)
            .map(Self)
            .map_err(|error| error.to_string())
    }

    /// Returns the last tick at or before a moment.
    pub(super) fn last_tick(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.ticks_until(now).next().map(|tick| tick.at())
    }

    /// Returns the first tick after a moment.
    pub(super) fn next_tick(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let ticks = self.0.ticks_from(now).map(|tick| tick.at());
        ticks.into_iter().find(|tick| *tick > now)
    }
}
