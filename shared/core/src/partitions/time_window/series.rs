//! The starts of a definition's windows, day by day.

use std::collections::BTreeSet;

use super::{Exclusion, declared::Declared};
use crate::cron::{Tick, Timetable};

/// The starts of a definition's windows, grouped by the days of its [`Timetable`].
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) table: Timetable,
    /// The first moment at which a window can begin, in Unix seconds.
    pub(super) start: i64,
    excluded: Vec<Timetable>,
    excluded_at: BTreeSet<i64>,
}

impl Series {
    pub(super) fn new(declared: &Declared) -> Self {
        let start =
            declared.start.timestamp() + i64::from(declared.start.timestamp_subsec_nanos() > 0);
        // A start within a second counts as the next second: ticks are whole seconds.
        let table = |cron| Timetable::new(cron, declared.timezone, start);
        let mut excluded = Vec::new();
        let mut excluded_at = BTreeSet::new();
        for exclusion in &declared.exclusions {
            match exclusion {
                Exclusion::Cron(cron) => excluded.push(table(cron)),
                Exclusion::At(at) => {
                    excluded_at.insert(at.timestamp());
                }
            }
        }
        Self {
            table: table(&declared.cron),
            start,
            excluded,
            excluded_at,
        }
    }

    pub(super) fn has_exclusions(&self) -> bool {
        !self.excluded.is_empty() || !self.excluded_at.is_empty()
    }

    /// Returns the first day on which a window can begin.
    pub(super) fn first_day(&self) -> i32 {
        self.table.day_of(self.start)
    }

    /// Returns the number of windows that begin on a day. `buffer` is scratch space.
    pub(super) fn count_starts(&self, day: i32, buffer: &mut Vec<Tick>) -> u64 {
        // Around the first day, ticks before the definition's start must be left out one by one.
        if day > self.first_day() + 1 && !self.has_exclusions() {
            return self.table.count_ticks(day, buffer) as u64;
        }
        buffer.clear();
        self.push_starts(day, buffer);
        buffer.len() as u64
    }

    /// Appends the starts of the windows that begin on a day to `out`.
    pub(super) fn push_starts(&self, day: i32, out: &mut Vec<Tick>) {
        let before = out.len();
        self.table.push_ticks(day, out);
        // Earlier entries of `out` stay, whatever they are.
        let mut index = 0;
        let excluded = self.excluded_among(&out[before..]);
        out.retain(|tick| {
            index += 1;
            index <= before || (tick.seconds >= self.start && !excluded.contains(&tick.seconds))
        });
    }

    /// Returns the moments of the excluded ticks among `ticks`.
    fn excluded_among(&self, ticks: &[Tick]) -> BTreeSet<i64> {
        let (Some(first), Some(last)) = (
            ticks.iter().map(|tick| tick.seconds).min(),
            ticks.iter().map(|tick| tick.seconds).max(),
        ) else {
            return BTreeSet::new();
        };
        let mut excluded: BTreeSet<i64> = self.excluded_at.range(first..=last).copied().collect();
        for table in &self.excluded {
            let ticks = table.clone().ticks_from(first).map(|tick| tick.seconds);
            excluded.extend(ticks.take_while(|seconds| *seconds <= last));
        }
        excluded
    }

    /// Returns the first tick after a moment, excluded or not, at which the window of that moment
    /// ends.
    pub(super) fn end_after(&self, seconds: i64) -> Option<i64> {
        match self.table.first_elapsed_tick(seconds + 1) {
            Some(next) => Some(next),
            None => self
                .table
                .clone()
                .ticks_from(seconds + 1)
                .next()
                .map(|tick| tick.seconds),
        }
    }
}
