//! Formatting of a key by its format.

use std::fmt::Write;

use chrono::{Datelike, NaiveDateTime, Timelike};

use super::format::{Item, KeyFormat};

/// The names of months in Python's `strptime` without a locale.
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
    /// Formats a local time, with its offset from UTC (in seconds) in place of `%z` and, if
    /// `append_offset`, at the end.
    pub(crate) fn format_start(
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
        Item::Year => push_padded(at.year().unsigned_abs(), 4, out),
        Item::YearOfCentury => push_padded(at.year().rem_euclid(100).unsigned_abs(), 2, out),
        Item::Month => push_padded(at.month(), 2, out),
        Item::Day => push_padded(at.day(), 2, out),
        Item::DayOfYear => push_padded(at.ordinal(), 3, out),
        Item::Hour => push_padded(at.hour(), 2, out),
        Item::Hour12 => push_padded(at.hour12().1, 2, out),
        Item::AmPm => out.push_str(if at.hour12().0 { "PM" } else { "AM" }),
        Item::Minute => push_padded(at.minute(), 2, out),
        Item::Second => push_padded(at.second(), 2, out),
        Item::Microsecond => push_padded(at.nanosecond() / 1000, 6, out),
        Item::Offset => write_offset(offset(), out),
        Item::MonthName { short } => out.push_str(if short { &month[..3] } else { month }),
        Item::WeekdayName { short } => out.push_str(if short { &weekday[..3] } else { weekday }),
        Item::IsoYear => push_padded(at.iso_week().year().unsigned_abs(), 4, out),
        Item::IsoWeek => push_padded(at.iso_week().week(), 2, out),
        Item::IsoWeekday => push_padded(at.weekday().number_from_monday(), 1, out),
        Item::Weekday => push_padded(at.weekday().num_days_from_sunday(), 1, out),
    }
}

/// Writes an offset as `+0530`, with seconds only if there are any.
fn write_offset(seconds: i64, out: &mut String) {
    out.push(if seconds < 0 { '-' } else { '+' });
    let absolute = u32::try_from(seconds.abs()).unwrap_or_default();
    push_padded(absolute / 3600, 2, out);
    push_padded(absolute / 60 % 60, 2, out);
    if absolute % 60 != 0 {
        push_padded(absolute % 60, 2, out);
    }
}

fn push_padded(number: u32, width: usize, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{number:0width$}");
}
