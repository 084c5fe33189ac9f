//! The windows that exist at a moment.

use chrono::{DateTime, Utc};

use super::{TimeWindow, TimeWindowPartitions};

impl TimeWindowPartitions {
    /// Returns the number of windows that exist at `now`: their ordinals are `0..count`. A window
    /// exists once it has ended, shifted by `end_offset` windows, and none ends after the
    /// definition's end.
    pub fn count(&self, now: DateTime<Utc>) -> u64 {
        match self.last_window(now) {
            Some(last) => self.ordinals_before(last.start.timestamp()) + 1,
            None => 0,
        }
    }

    /// Returns the first window, if it exists at `now`.
    pub fn first_window(&self, now: DateTime<Utc>) -> Option<TimeWindow> {
        let first = self.windows_from(self.start()).next()?;
        if self.end().is_some_and(|end| end <= self.start()) {
            return None;
        }
        let offset = usize::try_from(self.end_offset().unsigned_abs()).ok()?;
        // The first window exists if it ends by this moment.
        let limit = match self.end_offset() {
            0 => now,
            1.. => self.windows_from(now).nth(offset)?.start,
            _ => self.windows_until(now).nth(offset - 1)?.start,
        };
        (first.end <= limit).then_some(first)
    }

    /// Returns the last window that exists at `now`.
    pub fn last_window(&self, now: DateTime<Utc>) -> Option<TimeWindow> {
        let first = self.first_window(now)?;
        let offset = usize::try_from(self.end_offset().unsigned_abs()).ok()?;
        let last = match self.end_offset() {
            0 => {
                let limit = self.end().map_or(now, |end| end.min(now));
                return self.windows_until(limit).next();
            }
            1.. => {
                let ended = self.windows_until(now).next()?;
                self.windows_from(ended.end).nth(offset - 1)?
            }
            _ => self.windows_until(now).nth(offset)?,
        };
        // An offset leads neither past the definition's end nor before its first window.
        let before_end = self.end().and_then(|end| self.windows_until(end).next());
        match before_end {
            Some(bound) if bound.start <= last.start => Some(bound),
            _ if last.start < first.start => Some(first),
            _ => Some(last),
        }
    }
}
