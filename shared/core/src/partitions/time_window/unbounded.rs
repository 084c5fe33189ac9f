//! Windows of the schedule outside the definition too: before its start, after its end, in the
//! future. Partition mappings need them.

use chrono::{DateTime, Utc};

use super::{Exclusion, TimeWindow, TimeWindowPartitions};
use crate::{
    cron::{LocalTime, Tick, Timetable},
    partitions::PartitionKey,
};

impl TimeWindowPartitions {
    /// Returns the windows that begin at or after a moment, oldest first and without end, inside
    /// the definition or not, except excluded ones.
    pub fn windows_from(&self, at: DateTime<Utc>) -> impl Iterator<Item = TimeWindow> + use<> {
        let from = at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0);
        let mut ticks = self.table_at(from).ticks_from(from).peekable();
        let mut excluded = self.exclusions_at(from, Timetable::ticks_from);
        std::iter::from_fn(move || {
            // A window ends at the next tick, even if that tick begins an excluded window.
            loop {
                let tick = ticks.next()?;
                let next = ticks.peek()?;
                if !excluded.contains_tick(tick.seconds, |other, tick| other < tick) {
                    return Some(window_between(tick, *next));
                }
            }
        })
    }

    /// Returns the windows that end at or before a moment, newest first, inside the definition or
    /// not, except excluded ones.
    pub fn windows_until(&self, at: DateTime<Utc>) -> impl Iterator<Item = TimeWindow> + use<> {
        let to = at.timestamp();
        let mut ticks = self.table_at(to).ticks_until(to);
        let mut excluded = self.exclusions_at(to, Timetable::ticks_until);
        // Each tick ends the window that begins at the next older one.
        let mut end = ticks.next();
        std::iter::from_fn(move || {
            loop {
                let next = end?;
                let tick = ticks.next()?;
                end = Some(tick);
                if !excluded.contains_tick(tick.seconds, |other, tick| other > tick) {
                    return Some(window_between(tick, next));
                }
            }
        })
    }

    /// Returns the key of the window that begins at a moment, inside the definition or not.
    pub fn key_at(&self, start: DateTime<Utc>) -> PartitionKey {
        let seconds = start.timestamp();
        self.key_of(Tick {
            seconds,
            local: LocalTime::from_seconds(seconds, self.timezone()),
        })
    }

    /// Returns the key of a window that begins with a tick.
    pub(super) fn key_of(&self, tick: Tick) -> PartitionKey {
        let tz = self.timezone();
        // Other schedules never tick in both passes, so their keys stay unique.
        let every_hour = self.declared.cron.every_hour() && !self.fmt().has_offset();
        let append = every_hour && tick.local.is_repeated(tz);
        let offset = || tick.local.offset_seconds(tz);
        PartitionKey::from(self.fmt().format_start(tick.local.naive, offset, append))
    }

    /// Returns the moment that a text in the format of keys names, even if no window begins then.
    /// In Dagster, the window of a key starts at the first tick at or after this moment.
    pub fn parse_moment(&self, text: &str) -> Option<DateTime<Utc>> {
        self.both_passes(text).map(|[first, _]| first)
    }

    /// Returns the moments of the first and the second pass of the local time that a text in the
    /// format of keys names. They differ only if the clock shows that time twice.
    pub(super) fn both_passes(&self, text: &str) -> Option<[DateTime<Utc>; 2]> {
        let read = self.fmt().parse_start(text)?;
        Some([false, true].map(|second_pass| {
            let local = LocalTime {
                naive: read.naive,
                second_pass,
            };
            let counted = || local.offset_seconds(self.timezone());
            let offset = read.offset_seconds.unwrap_or_else(counted);
            read.naive.and_utc() - chrono::Duration::seconds(offset)
        }))
    }

    pub(super) fn table_at(&self, seconds: i64) -> Timetable {
        Timetable::new(&self.declared.cron, self.timezone(), seconds)
    }

    fn exclusions_at<I: Iterator<Item = Tick>>(
        &self,
        seconds: i64,
        direction: impl Fn(Timetable, i64) -> I,
    ) -> Excluded<I> {
        // Schedules are walked lazily in the given direction, because they have no end.
        let mut at = Vec::new();
        let mut tables = Vec::new();
        for exclusion in &self.declared.exclusions {
            match exclusion {
                Exclusion::At(moment) => at.push(moment.timestamp()),
                Exclusion::Cron(cron) => {
                    let table = Timetable::new(cron, self.timezone(), seconds);
                    tables.push(direction(table, seconds).peekable());
                }
            }
        }
        Excluded { at, tables }
    }
}

fn window_between(start: Tick, end: Tick) -> TimeWindow {
    TimeWindow {
        start: start.at(),
        end: end.at(),
    }
}

/// The exclusions, advanced in step with the ticks.
struct Excluded<I: Iterator<Item = Tick>> {
    at: Vec<i64>,
    tables: Vec<std::iter::Peekable<I>>,
}

impl<I: Iterator<Item = Tick>> Excluded<I> {
    /// Returns true if a tick is excluded. Ticks must be given in order.
    fn contains_tick(&mut self, seconds: i64, passed: impl Fn(i64, i64) -> bool) -> bool {
        let mut excluded = self.at.contains(&seconds);
        for table in &mut self.tables {
            while table
                .next_if(|tick| passed(tick.seconds, seconds))
                .is_some()
            {}
            excluded |= table.peek().is_some_and(|tick| tick.seconds == seconds);
        }
        excluded
    }
}
