//! The ticks of one expression in one time zone, day by day.

use chrono::{NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;

use super::{
    CronExpression, LocalTime, Tick,
    expression::Fields,
    field::set_bits,
    local::{Occurrence, naive_utc},
    recurrence::{Recurrence, has_minute_offset},
};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
/// The days that have ticks, 0001-01-01 to 9999-12-31, counted from 1970-01-01.
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

/// The ticks of one expression in one time zone, day by day. A *day* is a date of the local
/// calendar or a day of UTC, depending on the recurrence, counted from 1970-01-01.
#[derive(Debug, Clone)]
pub(crate) struct Timetable {
    fields: Fields,
    tz: Tz,
    recurrence: Recurrence,
    /// For [`Recurrence::Elapsed`]: the ticks are at `phase` modulo 3600 s.
    phase: i64,
    minute_offset: bool,
}

impl Timetable {
    /// Creates the ticks as counted from a moment. The moment matters only for ticks every elapsed
    /// hour: if the clock changes by half an hour, later ticks show another minute.
    pub(crate) fn new(expression: &CronExpression, tz: Tz, from: i64) -> Self {
        let fields = expression.fields;
        let recurrence = Recurrence::from_fields(&fields);
        let minute_offset = has_minute_offset(tz);
        let phase = match recurrence {
            // If `from` is itself a tick, hours are counted from it; otherwise from the named
            // minute.
            Recurrence::Elapsed { minute } => {
                let local = LocalTime::from_seconds(from, tz).naive;
                if local.minute() == minute && local.second() == 0 {
                    from.rem_euclid(HOUR)
                } else {
                    let offset = if minute_offset {
                        utc_offset(from.div_euclid(MINUTE) * MINUTE, tz)
                    } else {
                        0
                    };
                    (i64::from(minute) * MINUTE - offset).rem_euclid(HOUR)
                }
            }
            _ => 0,
        };
        Self {
            fields,
            tz,
            recurrence,
            phase,
            minute_offset,
        }
    }

    /// Returns the first tick at or after a moment, if ticks are always 3600 s apart.
    pub(crate) fn first_elapsed_tick(&self, from: i64) -> Option<i64> {
        matches!(self.recurrence, Recurrence::Elapsed { .. })
            .then(|| from + (self.phase - from).rem_euclid(HOUR))
    }

    /// Returns true unless this ticks every elapsed hour, and a change of the clock by half an hour
    /// has moved the tick off the minute that the expression names.
    pub(crate) fn shows_named_minute(&self, tick: Tick) -> bool {
        match self.recurrence {
            Recurrence::Elapsed { minute } => tick.local.naive.minute() == minute,
            _ => true,
        }
    }

    /// Returns the day that a moment belongs to.
    pub(crate) fn day_of(&self, seconds: i64) -> i32 {
        if self.recurrence.by_utc_day() {
            return i32::try_from(seconds.div_euclid(DAY)).unwrap_or(i32::MAX);
        }
        LocalTime::from_seconds(seconds, self.tz)
            .naive
            .date()
            .to_epoch_days()
    }

    /// Returns true if no change of the clock is near a day.
    pub(crate) fn is_steady(&self, day: i32) -> bool {
        self.recurrence.by_utc_day() || self.steady_local_offset(day).is_some()
    }

    /// Returns the number of ticks of a day. `buffer` is scratch space.
    pub(crate) fn count_ticks(&self, day: i32, buffer: &mut Vec<Tick>) -> usize {
        // Count without listing where the clock does not change.
        match self.recurrence {
            Recurrence::Elapsed { .. } => return 24,
            Recurrence::Minutes { mask } if self.steady_utc_offset(day).is_some() => {
                return 24 * mask.count_ones() as usize;
            }
            Recurrence::OncePerDay { .. } => return usize::from(self.named_date(day).is_some()),
            Recurrence::Times if self.named_date(day).is_none() => return 0,
            Recurrence::Times if self.steady_local_offset(day).is_some() => {
                let hours = self.fields.hour.value_mask(24).count_ones();
                let minutes = self.fields.minute.value_mask(60).count_ones();
                return (hours * minutes) as usize;
            }
            _ => {}
        }
        buffer.clear();
        self.push_ticks(day, buffer);
        buffer.len()
    }

    /// Appends the ticks of a day to `out`, oldest first.
    pub(crate) fn push_ticks(&self, day: i32, out: &mut Vec<Tick>) {
        match self.recurrence {
            // The phase is constant, so each UTC day has 24 ticks.
            Recurrence::Elapsed { .. } => {
                let start = i64::from(day) * DAY;
                let steady = self.steady_utc_offset(day);
                let first = start + (self.phase - start).rem_euclid(HOUR);
                out.extend((0..24).map(|hour| self.tick_at(first + hour * HOUR, steady)));
            }
            Recurrence::Minutes { mask } => self.push_minute_ticks(day, mask, out),
            // A skipped time moves to the end of the gap, a repeated one to its second pass.
            Recurrence::OncePerDay { hour, minute } => {
                if let Some(naive) = self
                    .named_date(day)
                    .and_then(|date| date.and_hms_opt(hour, minute, 0))
                {
                    let local = LocalTime::first_pass(naive)
                        .past_gap(self.tz)
                        .later_pass(self.tz);
                    out.push(Tick {
                        seconds: local.to_seconds(self.tz),
                        local,
                    });
                }
            }
            Recurrence::WallClock => self.push_wall_clock_ticks(day, out),
            Recurrence::Times => self.push_times(day, out),
        }
    }

    /// Returns the ticks at or after a moment, oldest first.
    pub(crate) fn ticks_from(self, from: i64) -> impl Iterator<Item = Tick> {
        let by_times = self.recurrence == Recurrence::Times;
        let mut day = self.day_of(from);
        let mut earliest = NaiveDateTime::MIN;
        if by_times && !self.is_steady(day) {
            // Near a change of the clock, start an hour before the last tick, as Dagster does.
            let last = self
                .clone()
                .ticks_until(from - 1)
                .next()
                .map_or(LocalTime::from_seconds(from, self.tz), |tick| tick.local);
            earliest = last.naive - TimeDelta::hours(1);
            day = earliest.date().to_epoch_days();
        }
        // Walk day by day; `buffer` holds the ticks of the current one.
        let mut buffer = Vec::new();
        let mut next = 0;
        let mut latest = i64::MIN;
        let ticks = std::iter::from_fn(move || {
            while next == buffer.len() {
                if !DAYS.contains(&day) {
                    return None;
                }
                buffer.clear();
                next = 0;
                self.push_candidates(day, &mut buffer);
                day += 1;
            }
            next += 1;
            buffer.get(next - 1).copied()
        });
        // Ticks out of order, or before the starting time, are superseded.
        ticks.filter(move |tick| {
            let counts = !by_times || (tick.seconds > latest && tick.local.naive >= earliest);
            if counts {
                latest = tick.seconds;
            }
            counts && tick.seconds >= from
        })
    }

    /// Returns the ticks at or before a moment, newest first.
    pub(crate) fn ticks_until(self, to: i64) -> impl Iterator<Item = Tick> {
        let by_times = self.recurrence == Recurrence::Times;
        // A tick near midnight can belong to the next day's date.
        let mut day = self.day_of(to).saturating_add(i32::from(by_times));
        let latest = LocalTime::from_seconds(to, self.tz).naive + TimeDelta::hours(1);
        let mut buffer: Vec<Tick> = Vec::new();
        let mut earliest = i64::MAX;
        let ticks = std::iter::from_fn(move || {
            loop {
                if let Some(tick) = buffer.pop() {
                    return Some(tick);
                }
                if !DAYS.contains(&day) {
                    return None;
                }
                self.push_candidates(day, &mut buffer);
                day -= 1;
            }
        });
        ticks.filter(move |tick| {
            let counts = !by_times || (tick.seconds < earliest && tick.local.naive <= latest);
            if counts {
                earliest = tick.seconds;
            }
            counts && tick.seconds <= to
        })
    }

    /// Appends the ticks of a day, including those that ticks of earlier days supersede.
    fn push_candidates(&self, day: i32, out: &mut Vec<Tick>) {
        match self.recurrence {
            Recurrence::Times => self.push_raw_times(day, self.steady_local_offset(day), out),
            _ => self.push_ticks(day, out),
        }
    }

    fn push_minute_ticks(&self, day: i32, mask: u64, out: &mut Vec<Tick>) {
        let start = i64::from(day) * DAY;
        let steady = self.steady_utc_offset(day);
        // In a zone like India's, `mask` names minutes of the local clock, not of UTC.
        if let (Some(offset), true) = (steady, self.minute_offset) {
            let wanted = |minute: &i64| {
                mask & (1 << (minute + offset.div_euclid(MINUTE)).rem_euclid(60)) != 0
            };
            let ticks = (0..1440).filter(wanted);
            out.extend(ticks.map(|minute| self.tick_at(start + minute * MINUTE, steady)));
        } else if self.minute_offset {
            // Near a change, match the minutes that the clock shows by the offset a minute earlier.
            let shown = |at: i64| (at + utc_offset(at - MINUTE, self.tz)).div_euclid(MINUTE);
            let ticks = (0..1440)
                .map(|minute| start + minute * MINUTE)
                .filter(|at| mask & (1 << shown(*at).rem_euclid(60)) != 0);
            out.extend(ticks.map(|at| self.tick_at(at, None)));
        } else {
            for hour in 0..24 {
                out.extend(set_bits(mask).map(|minute| {
                    self.tick_at(start + hour * HOUR + i64::from(minute) * MINUTE, steady)
                }));
            }
        }
    }

    fn push_wall_clock_ticks(&self, day: i32, out: &mut Vec<Tick>) {
        let start = i64::from(day) * DAY;
        let Some(offset) = self.steady_utc_offset(day) else {
            // The clock changes: look at every minute of the day.
            let moments = (0..1440).map(|minute| start + minute * MINUTE);
            let ticks = moments.map(|at| self.tick_at(at, None));
            out.extend(ticks.filter(|tick| {
                let naive = tick.local.naive;
                naive.second() == 0
                    && self.fields.minute.allows(naive.minute())
                    && self.fields.names_day(naive.date())
            }));
            return;
        };
        // The offset is constant: enumerate local hours and minutes, and subtract the offset.
        let end = start + DAY + offset;
        let mut hour = (start + offset).div_euclid(HOUR) * HOUR;
        while hour < end {
            if self.fields.names_day(naive_utc(hour).date()) {
                let times = set_bits(self.fields.minute.value_mask(60))
                    .map(|minute| hour + i64::from(minute) * MINUTE)
                    .filter(|local| (start + offset..end).contains(local));
                out.extend(times.map(|local| self.tick_at(local - offset, Some(offset))));
            }
            hour += HOUR;
        }
    }

    fn push_times(&self, day: i32, out: &mut Vec<Tick>) {
        if self.named_date(day).is_none() {
            return;
        }
        let steady = self.steady_local_offset(day);
        if steady.is_some() {
            return self.push_raw_times(day, steady, out);
        }
        // Near a change of the clock, drop ticks that are not later than every tick before them.
        // Ticks of the two preceding days can reach into this one.
        let mut before = Vec::new();
        self.push_raw_times(day - 2, None, &mut before);
        self.push_raw_times(day - 1, None, &mut before);
        let mut latest = before
            .iter()
            .map(|tick| tick.seconds)
            .max()
            .unwrap_or(i64::MIN);
        let mut ticks = Vec::new();
        self.push_raw_times(day, None, &mut ticks);
        out.extend(ticks.into_iter().filter(|tick| {
            let later = tick.seconds > latest;
            latest = latest.max(tick.seconds);
            later
        }));
    }

    /// Appends every named time of a day, even if a change of the clock puts them out of order.
    fn push_raw_times(&self, day: i32, steady: Option<i64>, out: &mut Vec<Tick>) {
        let Some(date) = self.named_date(day) else {
            return;
        };
        for hour in set_bits(self.fields.hour.value_mask(24)) {
            for minute in set_bits(self.fields.minute.value_mask(60)) {
                let Some(naive) = date.and_hms_opt(hour, minute, 0) else {
                    continue;
                };
                // Without a change of the clock the offset is constant, and each time shows once.
                let mut local = LocalTime::first_pass(naive);
                if let Some(offset) = steady {
                    out.push(Tick {
                        seconds: naive.and_utc().timestamp() - offset,
                        local,
                    });
                    continue;
                }
                match local.occurrence(self.tz) {
                    Occurrence::Once => {}
                    Occurrence::Twice => local.second_pass = true,
                    Occurrence::Never => local = local.past_gap(self.tz),
                }
                out.push(Tick {
                    seconds: local.to_seconds(self.tz),
                    local,
                });
            }
        }
    }

    fn tick_at(&self, seconds: i64, steady: Option<i64>) -> Tick {
        let local = match steady {
            Some(offset) => LocalTime::first_pass(naive_utc(seconds + offset)),
            None => LocalTime::from_seconds(seconds, self.tz),
        };
        Tick { seconds, local }
    }

    fn named_date(&self, day: i32) -> Option<NaiveDate> {
        NaiveDate::from_epoch_days(day).filter(|date| self.fields.names_day(*date))
    }

    /// Returns the UTC offset of a local date in seconds, if no change of the clock is near.
    fn steady_local_offset(&self, day: i32) -> Option<i64> {
        self.steady_offset(
            i64::from(day) * DAY - 15 * HOUR,
            i64::from(day) * DAY + 37 * HOUR,
        )
    }

    /// Returns the UTC offset of a day of UTC in seconds, if the clock does not change on that day
    /// or the day before.
    fn steady_utc_offset(&self, day: i32) -> Option<i64> {
        self.steady_offset(i64::from(day) * DAY - 26 * HOUR, (i64::from(day) + 1) * DAY)
    }

    /// Returns the UTC offset of a span in seconds, if both ends have the same.
    fn steady_offset(&self, from: i64, to: i64) -> Option<i64> {
        if self.tz == Tz::UTC {
            return Some(0);
        }
        let offset = utc_offset(from, self.tz);
        (offset == utc_offset(to, self.tz)).then_some(offset)
    }
}

/// Returns the offset of a zone from UTC at a moment, in seconds; east is positive.
fn utc_offset(seconds: i64, tz: Tz) -> i64 {
    i64::from(
        tz.offset_from_utc_datetime(&naive_utc(seconds))
            .fix()
            .local_minus_utc(),
    )
}
