//! Writes a moment as a format says.

use std::fmt::Write;

use chrono::{Datelike, NaiveDateTime, Timelike};

use super::format::{Item, KeyFormat};

/// The names of months, as Python's `strptime` knows them outside any locale.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The names of days of the week, Sunday first.
pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

impl KeyFormat {
    /// Writes what the clock shows, and how many seconds it is ahead of UTC where `%z` stands or
    /// `append_offset` asks for it at the end.
    pub(crate) fn write(
        &self,
        naive: NaiveDateTime,
        offset_seconds: impl Fn() -> i64,
        append_offset: bool,
    ) -> String {
        let mut out = String::with_capacity(24);
        for item in &self.items {
            write_item(*item, naive, &offset_seconds, &mut out);
        }
        if append_offset {
            write_offset(offset_seconds(), &mut out);
        }
        out
    }
}

fn write_item(item: Item, at: NaiveDateTime, offset: &impl Fn() -> i64, out: &mut String) {
    let month = MONTHS[at.month0() as usize];
    let weekday = WEEKDAYS[at.weekday().num_days_from_sunday() as usize];
    match item {
        Item::Literal(character) | Item::Space(character) => out.push(character),
        Item::Year => pad(at.year().unsigned_abs(), 4, out),
        Item::YearOfCentury => pad(at.year().rem_euclid(100).unsigned_abs(), 2, out),
        Item::Month => pad(at.month(), 2, out),
        Item::Day => pad(at.day(), 2, out),
        Item::DayOfYear => pad(at.ordinal(), 3, out),
        Item::Hour => pad(at.hour(), 2, out),
        Item::Hour12 => pad(at.hour12().1, 2, out),
        Item::AmPm => out.push_str(if at.hour12().0 { "PM" } else { "AM" }),
        Item::Minute => pad(at.minute(), 2, out),
        Item::Second => pad(at.second(), 2, out),
        Item::Microsecond => pad(at.nanosecond() / 1000, 6, out),
        Item::Offset => write_offset(offset(), out),
        Item::MonthName { short } => out.push_str(if short { &month[..3] } else { month }),
        Item::WeekdayName { short } => out.push_str(if short { &weekday[..3] } else { weekday }),
        Item::IsoYear => pad(at.iso_week().year().unsigned_abs(), 4, out),
        Item::IsoWeek => pad(at.iso_week().week(), 2, out),
        Item::IsoWeekday => pad(at.weekday().number_from_monday(), 1, out),
        Item::Weekday => pad(at.weekday().num_days_from_sunday(), 1, out),
    }
}

fn write_offset(seconds: i64, out: &mut String) {
    out.push(if seconds < 0 { '-' } else { '+' });
    let seconds = u32::try_from(seconds.abs()).unwrap_or_default();
    pad(seconds / 3600, 2, out);
    pad(seconds / 60 % 60, 2, out);
    if seconds % 60 != 0 {
        pad(seconds % 60, 2, out);
    }
}

fn pad(number: u32, width: usize, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{number:0width$}");
}
