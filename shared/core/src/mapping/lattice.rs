//! The windows of a schedule as a row without ends: those before a definition's start and after the
//! present included, because a mapping may need them and has to say that they do not exist.

use std::ops::Range;

use chrono::{DateTime, Duration, Utc};

use crate::partitions::{PartitionKey, TimeWindow, TimeWindowPartitions};

/// A span of time, start inclusive, end exclusive.
pub(super) type Span = Range<DateTime<Utc>>;

/// The row of a definition's windows. Windows that the definition excludes are no part of it.
#[derive(Clone, Copy)]
pub(super) struct Lattice<'d>(pub(super) &'d TimeWindowPartitions);

impl Lattice<'_> {
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

    /// The time that a run of ordinals covers.
    pub(super) fn span(self, run: Range<u64>) -> Option<Span> {
        Some(self.0.window(run.start)?.start..self.0.window(run.end.checked_sub(1)?)?.end)
    }

    /// The ordinals of the windows that begin in a span of time, from the definition's start on.
    pub(super) fn ordinals_beginning_in(self, span: Span) -> Range<u64> {
        let from = span.start;
        let touched = self.0.overlapping(span);
        let Some((first, last)) = touched.first().zip(touched.last()) else {
            return 0..0;
        };
        let goes_on = self
            .0
            .window(first)
            .is_some_and(|window| window.start < from);
        first + u64::from(goes_on)..last + 1
    }

    /// The keys of the windows that begin in a span of time, wherever it lies.
    pub(super) fn keys_beginning_in(self, span: Span) -> impl Iterator<Item = PartitionKey> {
        let windows = self.0.windows_from(span.start);
        windows
            .take_while(move |window| window.start < span.end)
            .map(move |window| self.0.key_at(window.start))
    }

    /// The span widened to the windows that its ends lie in.
    pub(super) fn outward(self, span: Span) -> Option<Span> {
        let next = self.0.windows_from(span.start).next()?;
        let first = if next.start == span.start {
            next
        } else {
            self.before(next)?
        };
        let last = self.before(self.0.windows_from(span.end).next()?)?;
        Some(first.start..last.end)
    }

    fn before(self, window: TimeWindow) -> Option<TimeWindow> {
        self.0.windows_until(window.start).next()
    }

    /// A boundary moved by whole windows.
    pub(super) fn shift(self, boundary: DateTime<Utc>, by: i64) -> Option<DateTime<Utc>> {
        if by == 0 {
            return Some(boundary);
        }
        if self.is_basic_hourly() {
            // An hour is an hour that passes, also where the clock is put back by half of one.
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
