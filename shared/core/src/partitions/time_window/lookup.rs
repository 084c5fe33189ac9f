//! Conversions between ordinals, windows and keys.

use std::ops::Range;

use chrono::{DateTime, Utc};

use super::{TimeWindow, TimeWindowPartitions};
use crate::{
    cron::Tick,
    partitions::{PartitionKey, PartitionSet},
};

impl TimeWindowPartitions {
    /// Returns the key of an ordinal, even if its window does not exist yet.
    pub fn key(&self, ordinal: u64) -> Option<PartitionKey> {
        Some(self.key_of(self.tick_of(ordinal)?))
    }

    /// Returns the window of an ordinal, even if it does not exist yet.
    pub fn window(&self, ordinal: u64) -> Option<TimeWindow> {
        Some(self.window_of(self.tick_of(ordinal)?))
    }

    /// Returns the ordinal of a key, even if its window does not exist yet, or `None` if the string
    /// names no window of this definition.
    pub fn ordinal(&self, key: &str) -> Option<u64> {
        self.both_passes(key)?.into_iter().find_map(|from| {
            let seconds = from.timestamp() + i64::from(from.timestamp_subsec_nanos() > 0);
            let ordinal = self.ordinals_before(seconds);
            // Search the neighbours too: a date that the calendar skips shares its moment with
            // others.
            let at_or_after = [ordinal, ordinal + 1, ordinal + 2];
            let before = [ordinal.checked_sub(1), ordinal.checked_sub(2)];
            at_or_after
                .into_iter()
                .chain(before.into_iter().flatten())
                .find(|candidate| {
                    self.key(*candidate)
                        .is_some_and(|found| found.as_str() == key)
                })
        })
    }

    /// Returns the ordinal of the window that begins at a moment, even if it does not exist yet.
    pub fn ordinal_at(&self, start: DateTime<Utc>) -> Option<u64> {
        let seconds = start.timestamp();
        let ordinal = self.ordinals_before(seconds);
        self.tick_of(ordinal)
            .filter(|tick| tick.at() == start)
            .map(|_| ordinal)
    }

    /// Returns the ordinals of the windows that overlap `span`, from the definition's start on,
    /// even if they do not exist yet.
    pub fn overlapping_ordinals(&self, span: Range<DateTime<Utc>>) -> PartitionSet {
        if span.is_empty() {
            return PartitionSet::empty();
        }
        let ceil = |at: DateTime<Utc>| at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0);
        let end = self.ordinals_before(ceil(span.end));
        let first = self.ordinals_before(ceil(span.start));
        // The preceding window reaches into the span, unless excluded windows lie between.
        let reaching_in = first.checked_sub(1).filter(|before| {
            self.window(*before)
                .is_some_and(|window| window.end > span.start)
        });
        PartitionSet::from(reaching_in.unwrap_or(first)..end)
    }

    /// Returns the keys of a run of ordinals, in order.
    pub fn keys(&self, ordinals: Range<u64>) -> impl Iterator<Item = PartitionKey> + '_ {
        self.ticks_of(ordinals).map(|tick| self.key_of(tick))
    }

    /// Returns the windows of a run of ordinals, in order.
    pub fn windows(&self, ordinals: Range<u64>) -> impl Iterator<Item = TimeWindow> + '_ {
        let count = ordinals.end.saturating_sub(ordinals.start);
        let mut ticks = self
            .ticks_of(ordinals.start..ordinals.end.saturating_add(1))
            .peekable();
        let adjoin = !self.series.has_exclusions();
        let windows = std::iter::from_fn(move || {
            let tick = ticks.next()?;
            // Without exclusions, a window ends where the next one begins.
            let next = ticks
                .peek()
                .filter(|next| adjoin && next.seconds > tick.seconds);
            Some(match next {
                Some(next) if self.starts_at_its_key(tick) => TimeWindow {
                    start: tick.at(),
                    end: next.at(),
                },
                _ => self.window_of(tick),
            })
        });
        windows.take(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Returns the number of windows that begin before a moment.
    pub(super) fn ordinals_before(&self, seconds: i64) -> u64 {
        if seconds <= self.series.start {
            return 0;
        }
        if let Some(ordinal) =
            self.by_elapsed_hours(|first| (seconds - first + 3599).div_euclid(3600))
        {
            return u64::try_from(ordinal).unwrap_or(0);
        }
        let mut day = self.series.table.day_of(seconds);
        let mut starts = Vec::new();
        // Near a change of the clock, a window of the previous day can begin on this one.
        if !self.series.table.is_steady(day) && day > self.series.first_day() {
            day -= 1;
            self.series.push_starts(day, &mut starts);
            self.series.push_starts(day + 1, &mut starts);
        } else {
            self.series.push_starts(day, &mut starts);
        }
        let within = starts.iter().position(|tick| tick.seconds >= seconds);
        self.index.count_before(&self.series, day) + within.unwrap_or(starts.len()) as u64
    }

    fn tick_of(&self, ordinal: u64) -> Option<Tick> {
        self.ticks_of(ordinal..ordinal.checked_add(1)?).next()
    }

    fn ticks_of(&self, ordinals: Range<u64>) -> impl Iterator<Item = Tick> + '_ {
        // Find the first day once, then list the starts of one day after the other.
        let mut starts = Vec::new();
        let mut left = ordinals.end.saturating_sub(ordinals.start);
        let (mut day, skipped) = match self.day_of(ordinals.start) {
            Some((day, before)) => (day, ordinals.start - before),
            None => {
                left = 0;
                (i32::MAX, 0)
            }
        };
        let mut next = usize::try_from(skipped).unwrap_or(usize::MAX);
        if left > 0 {
            self.series.push_starts(day, &mut starts);
        }
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            while next >= starts.len() {
                starts.clear();
                next = 0;
                day = day
                    .checked_add(1)
                    .filter(|day| *day <= super::index::LAST_DAY)?;
                self.series.push_starts(day, &mut starts);
            }
            left -= 1;
            next += 1;
            Some(starts[next - 1])
        })
    }

    /// Returns the day on which a window begins, and the number of windows that begin before that
    /// day.
    fn day_of(&self, ordinal: u64) -> Option<(i32, u64)> {
        let elapsed = self.by_elapsed_hours(|first| {
            let start = i64::try_from(ordinal)
                .ok()?
                .checked_mul(3600)?
                .checked_add(first)?;
            let day = i32::try_from(start.div_euclid(86_400)).ok()?;
            // The first day can begin in the middle, with the definition's start.
            let of_day = (start.rem_euclid(86_400) / 3600).min(i64::try_from(ordinal).ok()?);
            (day <= super::index::LAST_DAY).then_some((day, ordinal - u64::try_from(of_day).ok()?))
        });
        elapsed.unwrap_or_else(|| self.index.day_of(&self.series, ordinal))
    }

    /// Computes by arithmetic from the start of the first window (in Unix seconds), if windows are
    /// 3600 s apart and none is excluded.
    fn by_elapsed_hours<T>(&self, compute: impl Fn(i64) -> T) -> Option<T> {
        let first = self.series.table.first_elapsed_tick(self.series.start)?;
        (!self.series.has_exclusions()).then(|| compute(first))
    }

    /// Returns true if the window of a tick's key begins with that tick. It may not if the clock
    /// shows the local time twice or never, nor once a change of half an hour has moved an hourly
    /// schedule off its minute: the key, read by itself, counts from the named minute again.
    fn starts_at_its_key(&self, tick: Tick) -> bool {
        tick.local.is_shown_once(self.timezone()) && self.series.table.shows_named_minute(tick)
    }

    /// Returns the window that begins with a tick; where that differs, the first window at or after
    /// the moment that the key names (the first pass of two).
    fn window_of(&self, tick: Tick) -> TimeWindow {
        let starting_at = |start: i64| TimeWindow {
            start: DateTime::from_timestamp(start, 0).unwrap_or_default(),
            end: self
                .series
                .end_after(start)
                .and_then(|end| DateTime::from_timestamp(end, 0))
                .unwrap_or(DateTime::<Utc>::MAX_UTC),
        };
        if self.starts_at_its_key(tick) {
            return starting_at(tick.seconds);
        }
        // As in Dagster, the window follows from its key, not from the tick.
        self.parse_moment(self.key_of(tick).as_str())
            .and_then(|from| self.windows_from(from).next())
            .unwrap_or_else(|| starting_at(tick.seconds))
    }
}
