//! From ordinals to windows and keys, and back.

use std::ops::Range;

use chrono::{DateTime, Utc};

use super::{TimeWindow, TimeWindowPartitions};
use crate::{
    cron::Tick,
    partitions::{PartitionKey, PartitionSet},
};

impl TimeWindowPartitions {
    /// The key of the window with this ordinal, whether or not the window exists yet.
    pub fn key(&self, ordinal: u64) -> Option<PartitionKey> {
        Some(self.key_of(self.tick(ordinal)?))
    }

    /// The window with this ordinal, whether or not it exists yet.
    pub fn window(&self, ordinal: u64) -> Option<TimeWindow> {
        Some(self.window_of(self.tick(ordinal)?))
    }

    /// The ordinal that a key names, whether or not the window exists yet; `None` for a string that
    /// names no window of this definition.
    pub fn ordinal(&self, key: &str) -> Option<u64> {
        self.moments(key)?.into_iter().find_map(|from| {
            let seconds = from.timestamp() + i64::from(from.timestamp_subsec_nanos() > 0);
            let place = self.ordinals_before(seconds);
            // Beside the first window from there: dates that the calendar leaves out share a moment
            // with others.
            let near = [place, place + 1, place + 2];
            let before = [place.checked_sub(1), place.checked_sub(2)];
            near.into_iter()
                .chain(before.into_iter().flatten())
                .find(|ordinal| {
                    self.key(*ordinal)
                        .is_some_and(|found| found.as_str() == key)
                })
        })
    }

    /// The ordinal of the window that begins at a moment, whether or not the window exists yet.
    pub fn ordinal_at(&self, start: DateTime<Utc>) -> Option<u64> {
        let seconds = start.timestamp();
        let ordinal = self.ordinals_before(seconds);
        self.tick(ordinal)
            .filter(|tick| tick.at() == start)
            .map(|_| ordinal)
    }

    /// The ordinals of the windows that share a moment with `span`, from the definition's start on,
    /// whether or not they exist yet.
    pub fn overlapping(&self, span: Range<DateTime<Utc>>) -> PartitionSet {
        if span.is_empty() {
            return PartitionSet::empty();
        }
        let ceil = |at: DateTime<Utc>| at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0);
        let end = self.ordinals_before(ceil(span.end));
        let first = self.ordinals_before(ceil(span.start));
        // The window before goes on into the span, unless the windows between are excluded.
        let goes_on = first.checked_sub(1).filter(|before| {
            self.window(*before)
                .is_some_and(|window| window.end > span.start)
        });
        PartitionSet::from(goes_on.unwrap_or(first)..end)
    }

    /// The keys of a run of ordinals, in their order.
    pub fn keys(&self, ordinals: Range<u64>) -> impl Iterator<Item = PartitionKey> + '_ {
        self.ticks(ordinals).map(|tick| self.key_of(tick))
    }

    /// The windows of a run of ordinals, in their order.
    pub fn windows(&self, ordinals: Range<u64>) -> impl Iterator<Item = TimeWindow> + '_ {
        let count = ordinals.end.saturating_sub(ordinals.start);
        let mut ticks = self
            .ticks(ordinals.start..ordinals.end.saturating_add(1))
            .peekable();
        let adjoin = !self.series.has_exclusions();
        let windows = std::iter::from_fn(move || {
            let tick = ticks.next()?;
            // Where nothing is left out, a window ends where the next begins.
            let next = ticks
                .peek()
                .filter(|next| adjoin && next.seconds > tick.seconds);
            Some(match next {
                Some(next) if tick.local.is_shown_once(self.timezone()) => TimeWindow {
                    start: tick.at(),
                    end: next.at(),
                },
                _ => self.window_of(tick),
            })
        });
        windows.take(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// How many windows begin before a moment.
    pub(super) fn ordinals_before(&self, seconds: i64) -> u64 {
        if seconds <= self.series.start {
            return 0;
        }
        if let Some(ordinal) = self.elapsed(|first| (seconds - first + 3599).div_euclid(3600)) {
            return u64::try_from(ordinal).unwrap_or(0);
        }
        let mut day = self.series.table.day_of(seconds);
        let mut starts = Vec::new();
        // Near a change of the clock, a window that the day before names can begin later.
        if !self.series.table.is_steady(day) && day > self.series.first_day() {
            day -= 1;
            self.series.starts(day, &mut starts);
            self.series.starts(day + 1, &mut starts);
        } else {
            self.series.starts(day, &mut starts);
        }
        let within = starts.iter().position(|tick| tick.seconds >= seconds);
        self.index.before(&self.series, day) + within.unwrap_or(starts.len()) as u64
    }

    fn tick(&self, ordinal: u64) -> Option<Tick> {
        self.ticks(ordinal..ordinal.checked_add(1)?).next()
    }

    fn ticks(&self, ordinals: Range<u64>) -> impl Iterator<Item = Tick> + '_ {
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
            self.series.starts(day, &mut starts);
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
                self.series.starts(day, &mut starts);
            }
            left -= 1;
            next += 1;
            Some(starts[next - 1])
        })
    }

    /// The day on which a window begins, and how many begin before that day.
    fn day_of(&self, ordinal: u64) -> Option<(i32, u64)> {
        let elapsed = self.elapsed(|first| {
            let start = i64::try_from(ordinal)
                .ok()?
                .checked_mul(3600)?
                .checked_add(first)?;
            let day = i32::try_from(start.div_euclid(86_400)).ok()?;
            // The first day's windows begin with the definition.
            let of_day = (start.rem_euclid(86_400) / 3600).min(i64::try_from(ordinal).ok()?);
            (day <= super::index::LAST_DAY).then_some((day, ordinal - u64::try_from(of_day).ok()?))
        });
        elapsed.unwrap_or_else(|| self.index.day_of(&self.series, ordinal))
    }

    /// Reckons from the first window where windows are 3600 s apart and none is left out.
    fn elapsed<T>(&self, reckon: impl Fn(i64) -> T) -> Option<T> {
        let first = self.series.table.elapsed(self.series.start)?;
        (!self.series.has_exclusions()).then(|| reckon(first))
    }

    /// The window that begins with a tick. Where the clock shows the time twice or never, the window
    /// is the first one from the moment that the key names, of two passes the first.
    fn window_of(&self, tick: Tick) -> TimeWindow {
        let window = |start: i64| TimeWindow {
            start: DateTime::from_timestamp(start, 0).unwrap_or_default(),
            end: self
                .series
                .end_after(start)
                .and_then(|end| DateTime::from_timestamp(end, 0))
                .unwrap_or(DateTime::<Utc>::MAX_UTC),
        };
        if tick.local.is_shown_once(self.timezone()) {
            return window(tick.seconds);
        }
        self.moment(self.key_of(tick).as_str())
            .and_then(|from| self.windows_from(from).next())
            .unwrap_or_else(|| window(tick.seconds))
    }
}
