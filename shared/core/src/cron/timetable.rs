//! The ticks of one expression in one time zone, day by day.

use chrono::{NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;

use super::{
    CronExpression, LocalTime, Tick,
    expression::Fields,
    field::bits,
    local::{Shown, naive_utc},
    recurrence::{Recurrence, has_minute_offset},
};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
/// 0001-01-01 and 9999-12-31 as days from 1970-01-01: there is no tick outside.
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

/// The ticks of one expression in one time zone, day by day. A *day* is a date of the local calendar
/// or a day of UTC, whichever lays out the recurrence, counted from 1970-01-01.
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
    /// The ticks as they are counted from a moment. The moment matters where they come each hour
    /// that passes: there, and only there, a change of the clock by half an hour shifts what the
    /// clock shows at later ticks.
    pub(crate) fn new(expression: &CronExpression, tz: Tz, from: i64) -> Self {
        let fields = expression.fields;
        let recurrence = Recurrence::of(&fields);
        let minute_offset = has_minute_offset(tz);
        let phase = match recurrence {
            Recurrence::Elapsed { minute } => {
                let local = LocalTime::at(from, tz).naive;
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

    /// If ticks are 3600 s apart: the first at or after a moment.
    pub(crate) fn elapsed(&self, from: i64) -> Option<i64> {
        matches!(self.recurrence, Recurrence::Elapsed { .. })
            .then(|| from + (self.phase - from).rem_euclid(HOUR))
    }

    /// The day that a moment belongs to.
    pub(crate) fn day_of(&self, seconds: i64) -> i32 {
        if self.recurrence.by_utc_day() {
            return i32::try_from(seconds.div_euclid(DAY)).unwrap_or(i32::MAX);
        }
        LocalTime::at(seconds, self.tz).naive.date().to_epoch_days()
    }

    /// Whether no change of the clock is near a day.
    pub(crate) fn is_steady(&self, day: i32) -> bool {
        self.recurrence.by_utc_day() || self.steady_local(day).is_some()
    }

    /// How many ticks a day has.
    pub(crate) fn count(&self, day: i32, buffer: &mut Vec<Tick>) -> usize {
        match self.recurrence {
            Recurrence::Elapsed { .. } => return 24,
            Recurrence::Minutes { mask } if self.steady_utc(day).is_some() => {
                return 24 * mask.count_ones() as usize;
            }
            Recurrence::OncePerDay { .. } => return usize::from(self.named(day).is_some()),
            Recurrence::Times if self.named(day).is_none() => return 0,
            Recurrence::Times if self.steady_local(day).is_some() => {
                let hours = self.fields.hour.mask(24).count_ones();
                let minutes = self.fields.minute.mask(60).count_ones();
                return (hours * minutes) as usize;
            }
            _ => {}
        }
        buffer.clear();
        self.ticks(day, buffer);
        buffer.len()
    }

    /// Puts the ticks of a day behind those in `out`, in their order.
    pub(crate) fn ticks(&self, day: i32, out: &mut Vec<Tick>) {
        match self.recurrence {
            Recurrence::Elapsed { .. } => {
                let start = i64::from(day) * DAY;
                let steady = self.steady_utc(day);
                let first = start + (self.phase - start).rem_euclid(HOUR);
                out.extend((0..24).map(|hour| self.tick_at(first + hour * HOUR, steady)));
            }
            Recurrence::Minutes { mask } => self.minutes(day, mask, out),
            Recurrence::OncePerDay { hour, minute } => {
                if let Some(naive) = self
                    .named(day)
                    .and_then(|date| date.and_hms_opt(hour, minute, 0))
                {
                    let local = LocalTime::first_pass(naive)
                        .past_gap(self.tz)
                        .later_pass(self.tz);
                    out.push(Tick {
                        seconds: local.seconds(self.tz),
                        local,
                    });
                }
            }
            Recurrence::Shown => self.shown(day, out),
            Recurrence::Times => self.times(day, out),
        }
    }

    /// The ticks at or after a moment, in their order.
    pub(crate) fn forward(self, from: i64) -> impl Iterator<Item = Tick> {
        let by_times = self.recurrence == Recurrence::Times;
        let mut day = self.day_of(from);
        let mut earliest = NaiveDateTime::MIN;
        if by_times && !self.is_steady(day) {
            // Times are counted on from an hour before the last tick.
            let last = self.clone().backward(from - 1).next();
            let last = last.map_or(LocalTime::at(from, self.tz), |tick| tick.local);
            earliest = last.naive - TimeDelta::hours(1);
            day = earliest.date().to_epoch_days();
        }
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
                self.unordered(day, &mut buffer);
                day += 1;
            }
            next += 1;
            buffer.get(next - 1).copied()
        });
        ticks.filter(move |tick| {
            let counts = !by_times || (tick.seconds > latest && tick.local.naive >= earliest);
            if counts {
                latest = tick.seconds;
            }
            counts && tick.seconds >= from
        })
    }

    /// The ticks at or before a moment, newest first.
    pub(crate) fn backward(self, to: i64) -> impl Iterator<Item = Tick> {
        let by_times = self.recurrence == Recurrence::Times;
        // The first pass of an hour can be named by the day after.
        let mut day = self.day_of(to).saturating_add(i32::from(by_times));
        let latest = LocalTime::at(to, self.tz).naive + TimeDelta::hours(1);
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
                self.unordered(day, &mut buffer);
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

    /// The ticks of a day, with those that the days before would take the place of.
    fn unordered(&self, day: i32, out: &mut Vec<Tick>) {
        match self.recurrence {
            Recurrence::Times => self.raw_times(day, self.steady_local(day), out),
            _ => self.ticks(day, out),
        }
    }

    fn minutes(&self, day: i32, mask: u64, out: &mut Vec<Tick>) {
        let start = i64::from(day) * DAY;
        let steady = self.steady_utc(day);
        if let (Some(offset), true) = (steady, self.minute_offset) {
            let wanted = |minute: &i64| {
                mask & (1 << (minute + offset.div_euclid(MINUTE)).rem_euclid(60)) != 0
            };
            let ticks = (0..1440).filter(wanted);
            out.extend(ticks.map(|minute| self.tick_at(start + minute * MINUTE, steady)));
        } else if self.minute_offset {
            // The minutes that the clock shows, by the offset at the minute before.
            let shown = |at: i64| (at + utc_offset(at - MINUTE, self.tz)).div_euclid(MINUTE);
            let ticks = (0..1440).map(|minute| start + minute * MINUTE);
            let ticks = ticks.filter(|at| mask & (1 << shown(*at).rem_euclid(60)) != 0);
            out.extend(ticks.map(|at| self.tick_at(at, None)));
        } else {
            for hour in 0..24 {
                out.extend(bits(mask).map(|minute| {
                    self.tick_at(start + hour * HOUR + i64::from(minute) * MINUTE, steady)
                }));
            }
        }
    }

    fn shown(&self, day: i32, out: &mut Vec<Tick>) {
        let start = i64::from(day) * DAY;
        let Some(offset) = self.steady_utc(day) else {
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
        let end = start + DAY + offset;
        let mut hour = (start + offset).div_euclid(HOUR) * HOUR;
        while hour < end {
            let named = self.fields.names_day(naive_utc(hour).date());
            if named {
                let times = bits(self.fields.minute.mask(60));
                let times = times.map(|minute| hour + i64::from(minute) * MINUTE);
                let times = times.filter(|local| (start + offset..end).contains(local));
                out.extend(times.map(|local| self.tick_at(local - offset, Some(offset))));
            }
            hour += HOUR;
        }
    }

    fn times(&self, day: i32, out: &mut Vec<Tick>) {
        if self.named(day).is_none() {
            return;
        }
        let steady = self.steady_local(day);
        if steady.is_some() {
            return self.raw_times(day, steady, out);
        }
        // Where the clock changes, ticks that would not come after those before them fall away.
        let mut before = Vec::new();
        self.raw_times(day - 2, None, &mut before);
        self.raw_times(day - 1, None, &mut before);
        let mut latest = before
            .iter()
            .map(|tick| tick.seconds)
            .max()
            .unwrap_or(i64::MIN);
        let mut ticks = Vec::new();
        self.raw_times(day, None, &mut ticks);
        out.extend(ticks.into_iter().filter(|tick| {
            let later = tick.seconds > latest;
            latest = latest.max(tick.seconds);
            later
        }));
    }

    fn raw_times(&self, day: i32, steady: Option<i64>, out: &mut Vec<Tick>) {
        let Some(date) = self.named(day) else { return };
        for hour in bits(self.fields.hour.mask(24)) {
            for minute in bits(self.fields.minute.mask(60)) {
                let Some(naive) = date.and_hms_opt(hour, minute, 0) else {
                    continue;
                };
                let mut local = LocalTime::first_pass(naive);
                if let Some(offset) = steady {
                    out.push(Tick {
                        seconds: naive.and_utc().timestamp() - offset,
                        local,
                    });
                    continue;
                }
                match local.shown(self.tz) {
                    Shown::Once => {}
                    Shown::Twice => local.second_pass = true,
                    Shown::Never => local = local.past_gap(self.tz),
                }
                out.push(Tick {
                    seconds: local.seconds(self.tz),
                    local,
                });
            }
        }
    }

    fn tick_at(&self, seconds: i64, steady: Option<i64>) -> Tick {
        let local = match steady {
            Some(offset) => LocalTime::first_pass(naive_utc(seconds + offset)),
            None => LocalTime::at(seconds, self.tz),
        };
        Tick { seconds, local }
    }

    fn named(&self, day: i32) -> Option<NaiveDate> {
        NaiveDate::from_epoch_days(day).filter(|date| self.fields.names_day(*date))
    }

    /// The offset of a date of the local calendar, if no change of the clock is near.
    fn steady_local(&self, day: i32) -> Option<i64> {
        self.steady(
            i64::from(day) * DAY - 15 * HOUR,
            i64::from(day) * DAY + 37 * HOUR,
        )
    }

    /// The offset of a day of UTC, if no change of the clock is in it or a day before.
    fn steady_utc(&self, day: i32) -> Option<i64> {
        self.steady(i64::from(day) * DAY - 26 * HOUR, (i64::from(day) + 1) * DAY)
    }

    fn steady(&self, from: i64, to: i64) -> Option<i64> {
        if self.tz == Tz::UTC {
            return Some(0);
        }
        let offset = utc_offset(from, self.tz);
        (offset == utc_offset(to, self.tz)).then_some(offset)
    }
}

/// Seconds by which the clocks of a zone are ahead of UTC at a moment.
fn utc_offset(seconds: i64, tz: Tz) -> i64 {
    i64::from(
        tz.offset_from_utc_datetime(&naive_utc(seconds))
            .fix()
            .local_minus_utc(),
    )
}
