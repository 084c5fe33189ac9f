//! The moments at which windows come into existence.

use chrono::{DateTime, Utc};

use super::TimeWindowPartitions;
use crate::cron::CronSchedule;

/// The number of ticks of a cadence that are examined for the next window.
const LOOKED_AT: usize = 50;

impl TimeWindowPartitions {
    /// Returns the moment after `now` at which the next window exists; `None` once the definition has
    /// ended. The moment may be early, and is never late.
    pub fn next_growth(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let count = self.count(now);
        let cadence =
            CronSchedule::from_expression(self.cron_expression().clone(), self.timezone());
        let grown = |moment: &DateTime<Utc>| *moment > now && self.count(*moment) > count;
        // With an end offset, the first window may exist before its start: begin that much earlier.
        let ahead = usize::try_from(self.end_offset().max(0)).unwrap_or_default() + 1;
        let first = cadence.ticks_until(self.start()).nth(ahead);
        let from = first.map_or(now, |first| now.max(first.at()));
        let mut last = None;
        for tick in cadence.ticks_from(from).take(LOOKED_AT) {
            // Windows come to exist at ticks, whatever the offset.
            if grown(&tick.at()) {
                return Some(tick.at());
            }
            last = Some(tick.at());
        }
        // Many windows in a row are excluded: look again later, unless the definition has ended.
        last.filter(|last| self.end().is_none_or(|end| end > *last))
    }
}
