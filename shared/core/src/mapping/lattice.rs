//! The windows of a definition as a row without ends: those before its start and after the present
//! included, because a mapping may need them and has to say that they do not exist.

use std::ops::Range;

use chrono::{DateTime, Duration, Utc};

use crate::partitions::{PartitionKey, TimeWindow, TimeWindowPartitions};

/// A definition's windows by position; ordinals are the positions from 0 on. Windows that the
/// definition excludes are no part of the row.
#[derive(Clone, Copy)]
pub(super) struct Lattice<'d>(pub(super) &'d TimeWindowPartitions);

impl Lattice<'_> {
    pub(super) fn window(self, position: i64) -> Option<TimeWindow> {
        self.0.window(u64::try_from(position).ok()?)
    }

    pub(super) fn key(self, position: i64) -> Option<PartitionKey> {
        self.0.key(u64::try_from(position).ok()?)
    }

    /// The last window that begins at or before a moment.
    fn at_or_before(self, moment: DateTime<Utc>) -> Option<i64> {
        let touched = self.0.overlapping(moment..moment + Duration::seconds(1));
        touched
            .last()
            .and_then(|ordinal| i64::try_from(ordinal).ok())
    }

    pub(super) fn same_schedule(self, other: Lattice<'_>) -> bool {
        self.0 == other.0
    }

    pub(super) fn is_basic_daily(self) -> bool {
        false
    }

    pub(super) fn is_basic_hourly(self) -> bool {
        false
    }

    /// The first window that begins at or after a moment.
    fn at_or_after(self, moment: DateTime<Utc>) -> Option<i64> {
        let mut position = self.at_or_before(moment)?;
        if self.window(position)?.start < moment {
            return Some(position + 1);
        }
        // A calendar day that a zone skipped has a window that begins when the next day's does.
        while self
            .window(position - 1)
            .is_some_and(|before| before.start == moment)
        {
            position -= 1;
        }
        Some(position)
    }

    /// The windows that begin in a span of time.
    pub(super) fn beginning_in(self, span: Range<DateTime<Utc>>) -> Range<i64> {
        match (self.at_or_after(span.start), self.at_or_after(span.end)) {
            (Some(start), Some(end)) if start < end => start..end,
            _ => 0..0,
        }
    }

    /// The span widened to the windows that its ends lie in.
    pub(super) fn outward(self, span: Range<DateTime<Utc>>) -> Option<Range<DateTime<Utc>>> {
        let first = self.window(self.at_or_before(span.start)?)?;
        let last = self.window(self.at_or_after(span.end)? - 1)?;
        Some(first.start..last.end)
    }

    /// A boundary moved by whole windows.
    pub(super) fn shift(self, moment: DateTime<Utc>, by: i64) -> Option<DateTime<Utc>> {
        if by == 0 {
            return Some(moment);
        }
        if self.is_basic_hourly() {
            // An hour is an hour that passes, also where the clock is put back by half of one.
            return moment.checked_add_signed(Duration::try_hours(by)?);
        }
        let next = self.at_or_after(moment)?;
        if by > 0 {
            return Some(self.window(next + by - 1)?.end);
        }
        let before = next - 1;
        let ended = if self.window(before)?.end > moment {
            before - 1
        } else {
            before
        };
        Some(self.window(ended + by + 1)?.start)
    }
}
