//! The windows that exist at a moment.

use chrono::{DateTime, Utc};

use super::{TimeWindow, TimeWindowPartitions};

impl TimeWindowPartitions {
    /// Returns the number of windows that exist at `now`: their ordinals are `0..count`. A window
    /// exists once it has ended, or earlier by a positive `end_offset`: `1` adds the window that
    /// has begun and not ended. Offsets count the windows of the schedule, so an excluded window
    /// takes the place of none that is yet to begin. No window ends after the definition's end.
    pub fn count(&self, now: DateTime<Utc>) -> u64 {
        match self.last_window(now) {
            Some(last) => self.ordinals_before(last.start.timestamp()) + 1,
            None => 0,
        }
    }

    /// Returns the first window, if it exists at `now`.
    pub fn first_window(&self, now: DateTime<Utc>) -> Option<TimeWindow> {
        self.last_window(now)?;
        self.windows_from(self.start()).next()
    }

    /// Returns the last window that exists at `now`.
    pub fn last_window(&self, now: DateTime<Utc>) -> Option<TimeWindow> {
        let offset = usize::try_from(self.end_offset().unsigned_abs()).ok()?;
        let last = if self.end_offset() > 0 {
            self.windows_until(self.tick_ahead(now, offset)?).next()?
        } else {
            self.windows_until(now).nth(offset)?
        };
        // Neither the present nor an offset leads past the definition's end or before its start.
        let last = match self.end() {
            Some(end) if end < last.end => self.windows_until(end).next()?,
            _ => last,
        };
        (last.start >= self.start()).then_some(last)
    }

    /// Returns the number of windows that have ended at `now`, whether or not `end_offset` lets
    /// them exist.
    pub(crate) fn count_ended(&self, now: DateTime<Utc>) -> u64 {
        let limit = self.end().map_or(now, |end| end.min(now));
        match self.windows_until(limit).next() {
            Some(last) if last.start >= self.start() => {
                self.ordinals_before(last.start.timestamp()) + 1
            }
            _ => 0,
        }
    }

    /// Returns the tick of the schedule that lies `count` ticks after the last one at or before a
    /// moment. Ticks of excluded windows count.
    fn tick_ahead(&self, now: DateTime<Utc>, count: usize) -> Option<DateTime<Utc>> {
        let last = self
            .table_at(now.timestamp())
            .ticks_until(now.timestamp())
            .next()?;
        let after = last.seconds + 1;
        let ahead = self
            .table_at(after)
            .ticks_from(after)
            .nth(count.checked_sub(1)?)?;
        Some(ahead.at())
    }
}
