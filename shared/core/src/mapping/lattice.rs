//! The windows of a schedule as an endless sequence. It includes windows before a definition's
//! start and after the present, because a mapping may need them and must report them as
//! nonexistent.

use std::ops::Range;

use chrono::{DateTime, Duration, Utc};

use crate::partitions::{PartitionKey, TimeWindow, TimeWindowPartitions};

/// A span of time, start inclusive, end exclusive.
pub(super) type Span = Range<DateTime<Utc>>;

/// The sequence of a definition's windows, without its excluded windows.
#[derive(Clone, Copy)]
pub(super) struct Lattice<'d>(pub(super) &'d TimeWindowPartitions);

impl Lattice<'_> {
    /// Returns true if both sequences have the same cron expression.
    pub(super) fn has_schedule_of(self, other: Lattice<'_>) -> bool {
        self.0.cron_expression().as_str() == other.0.cron_expression().as_str()
    }

    pub(super) fn is_basic_daily(self) -> bool {
        self.is_basic("0 0 * * *")
    }

    pub(super) fn is_basic_hourly(self) -> bool {
        self.is_basic("0 * * * *")
    }

    fn is_basic(self, cron: &str) -> bool {
        self.0.exclusions().is_empty() && self.0.cron_expression().as_str() == cron
    }

    /// Returns the time that a run of ordinals covers.
    pub(super) fn span_of(self, run: Range<u64>) -> Option<Span> {
        Some(self.0.window(run.start)?.start..self.0.window(run.end.checked_sub(1)?)?.end)
    }

    /// Returns the ordinals of the windows that begin in a span of time.
    pub(super) fn ordinals_beginning_in(self, span: Span) -> Range<u64> {
        let from = span.start;
        let touched = self.0.overlapping_ordinals(span);
        let Some((first, last)) = touched.first().zip(touched.last()) else {
            return 0..0;
        };
        // The first overlapping window may begin before the span.
        let begins_before = self
            .0
            .window(first)
            .is_some_and(|window| window.start < from);
        first + u64::from(begins_before)..last + 1
    }

    /// Returns the keys of the windows that begin in a span of time, existing or not.
    pub(super) fn keys_beginning_in(self, span: Span) -> impl Iterator<Item = PartitionKey> {
        let windows = self.0.windows_from(span.start);
        windows
            .take_while(move |window| window.start < span.end)
            .map(move |window| self.0.key_at(window.start))
    }

    /// Widens a span to the windows that its ends lie in.
    pub(super) fn widen_to_windows(self, span: Span) -> Option<Span> {
        let next = self.0.windows_from(span.start).next()?;
        let first = if next.start == span.start {
            next
        } else {
            self.window_before(next)?
        };
        let last = self.window_before(self.0.windows_from(span.end).next()?)?;
        Some(first.start..last.end)
    }

    fn window_before(self, window: TimeWindow) -> Option<TimeWindow> {
        self.0.windows_until(window.start).next()
    }

    /// Moves a boundary by whole windows.
    pub(super) fn shift_boundary(self, boundary: DateTime<Utc>, by: i64) -> Option<DateTime<Utc>> {
        if by == 0 {
            return Some(boundary);
        }
        if self.is_basic_hourly() {
            // Hourly windows last an elapsed hour, even where the clock is put back by half an
            // hour.
            return boundary.checked_add_signed(Duration::try_hours(by)?);
        }
        let steps = usize::try_from(by.unsigned_abs() - 1).ok()?;
        if by > 0 {
            self.0
                .windows_from(boundary)
                .nth(steps)
                .map(|window| window.end)
        } else {
            self.0
                .windows_until(boundary)
                .nth(steps)
                .map(|window| window.start)
        }
    }
}
