//! Windows of the schedule whether or not the definition holds them: before its start, after its end,
//! in the future. Partition mappings are made of these.

use chrono::{DateTime, Utc};

use super::{Exclusion, TimeWindow, TimeWindowPartitions};
use crate::{
    cron::{LocalTime, Tick, Timetable},
    partitions::PartitionKey,
};

impl TimeWindowPartitions {
    /// The windows that begin at or after a moment, in their order and without end, whether or not
    /// the definition holds them; those that are excluded are not there.
    pub fn windows_from(&self, at: DateTime<Utc>) -> impl Iterator<Item = TimeWindow> + use<> {
        let from = at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0);
        let mut ticks = self.table_at(from).forward(from).peekable();
        let mut excluded = self.exclusions_at(from, Timetable::forward);
        std::iter::from_fn(move || {
            loop {
                let tick = ticks.next()?;
                let next = ticks.peek()?;
                if !excluded.holds(tick.seconds, |other, tick| other < tick) {
                    return Some(window(tick, *next));
                }
            }
        })
    }

    /// The windows that end at or before a moment, newest first, whether or not the definition holds
    /// them; those that are excluded are not there.
    pub fn windows_until(&self, at: DateTime<Utc>) -> impl Iterator<Item = TimeWindow> + use<> {
        let to = at.timestamp();
        let mut ticks = self.table_at(to).backward(to);
        let mut excluded = self.exclusions_at(to, Timetable::backward);
        let mut end = ticks.next();
        std::iter::from_fn(move || {
            loop {
                let next = end?;
                let tick = ticks.next()?;
                end = Some(tick);
                if !excluded.holds(tick.seconds, |other, tick| other > tick) {
                    return Some(window(tick, next));
                }
            }
        })
    }

    /// The key of the window that begins at a moment, whether or not the definition holds it.
    pub fn key_at(&self, start: DateTime<Utc>) -> PartitionKey {
        let seconds = start.timestamp();
        self.key_of(Tick {
            seconds,
            local: LocalTime::at(seconds, self.timezone()),
        })
    }

    /// The key of a window that begins with a tick.
    pub(super) fn key_of(&self, tick: Tick) -> PartitionKey {
        let tz = self.timezone();
        let every_hour = self.declared.cron.every_hour() && !self.fmt().has_offset();
        let append = every_hour && tick.local.is_repeated(tz);
        let offset = || tick.local.offset_seconds(tz);
        PartitionKey::from(self.fmt().write(tick.local.naive, offset, append))
    }

    /// The moment that a text in the format of the keys names, whether or not a window begins then:
    /// Dagster's start of the window of a key is the first tick at or after it.
    pub fn moment(&self, text: &str) -> Option<DateTime<Utc>> {
        self.moments(text).map(|[first, _]| first)
    }

    /// The moments that a text in the format of the keys names: those of the first and of the second
    /// pass, where the clock shows the time twice.
    pub(super) fn moments(&self, text: &str) -> Option<[DateTime<Utc>; 2]> {
        let read = self.fmt().read(text)?;
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

    fn table_at(&self, seconds: i64) -> Timetable {
        Timetable::new(&self.declared.cron, self.timezone(), seconds)
    }

    fn exclusions_at<I: Iterator<Item = Tick>>(
        &self,
        seconds: i64,
        direction: impl Fn(Timetable, i64) -> I,
    ) -> Excluded<I> {
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

fn window(start: Tick, end: Tick) -> TimeWindow {
    TimeWindow {
        start: start.at(),
        end: end.at(),
    }
}

/// The exclusions, walked beside the ticks.
struct Excluded<I: Iterator<Item = Tick>> {
    at: Vec<i64>,
    tables: Vec<std::iter::Peekable<I>>,
}

impl<I: Iterator<Item = Tick>> Excluded<I> {
    fn holds(&mut self, seconds: i64, passed: impl Fn(i64, i64) -> bool) -> bool {
        let mut held = self.at.contains(&seconds);
        for table in &mut self.tables {
            while table
                .next_if(|tick| passed(tick.seconds, seconds))
                .is_some()
            {}
            held |= table.peek().is_some_and(|tick| tick.seconds == seconds);
        }
        held
    }
}
