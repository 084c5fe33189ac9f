//! Parsing of a key by its format, as Python's `strptime` does it.

use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

use super::{
    format::{Item, KeyFormat},
    strftime::{MONTHS, WEEKDAYS},
};

/// A parsed key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ParsedKey {
    /// The local time.
    pub(crate) naive: NaiveDateTime,
    /// The offset from UTC in seconds, if the text has one.
    pub(crate) offset_seconds: Option<i64>,
}

impl KeyFormat {
    /// Parses a key. If the format has no `%z`, an offset may follow, which marks the second pass
    /// of an hour.
    pub(crate) fn parse_start(&self, text: &str) -> Option<ParsedKey> {
        self.parse_with(&self.items, text).or_else(|| {
            if self.has_offset() {
                return None;
            }
            let mut items = self.items.clone();
            items.push(Item::Offset);
            self.parse_with(&items, text)
        })
    }

    fn parse_with(&self, items: &[Item], text: &str) -> Option<ParsedKey> {
        // Backtracking is bounded by the length of the text.
        if text.len() > 256 {
            return None;
        }
        Parts::default().parse_items(items, text)?.into_key()
    }
}

/// The values parsed so far.
#[derive(Debug, Clone, Copy, Default)]
struct Parts {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: Option<u32>,
    hour12: Option<u32>,
    pm: Option<bool>,
    minute: u32,
    second: u32,
    microsecond: u32,
    offset: Option<i64>,
    iso_year: Option<i32>,
    iso_week: Option<u32>,
    weekday: Option<Weekday>,
}

impl Parts {
    /// Parses the items one by one. Where a number can have fewer digits, takes the longest that
    /// lets the rest match.
    fn parse_items(self, items: &[Item], text: &str) -> Option<Self> {
        let Some((item, rest)) = items.split_first() else {
            return text.is_empty().then_some(self);
        };
        match item {
            Item::Literal(wanted) => {
                let found = text.chars().next()?;
                let same = found == *wanted || found.to_lowercase().eq(wanted.to_lowercase());
                same.then(|| self.parse_items(rest, &text[found.len_utf8()..]))
                    .flatten()
            }
            Item::Space(_) => {
                // A run of spaces in the format matches any run of spaces.
                let next = rest.iter().position(|item| !matches!(item, Item::Space(_)));
                let after_spaces = &rest[next.unwrap_or(rest.len())..];
                let trimmed = text.trim_start();
                (trimmed.len() < text.len())
                    .then(|| self.parse_items(after_spaces, trimmed))
                    .flatten()
            }
            Item::AmPm => self.parse_name(rest, text, &["AM", "PM"], |parts, index| {
                parts.pm = Some(index == 1);
            }),
            Item::MonthName { short } => {
                let names = MONTHS.map(|name| if *short { &name[..3] } else { name });
                self.parse_name(rest, text, &names, |parts, index| {
                    parts.month = Some(index + 1)
                })
            }
            Item::WeekdayName { short } => {
                let names = WEEKDAYS.map(|name| if *short { &name[..3] } else { name });
                self.parse_name(rest, text, &names, |parts, index| parts.set_weekday(index))
            }
            Item::Offset => self.parse_offset(rest, text),
            number => self.parse_number(*number, rest, text),
        }
    }

    fn parse_name(
        mut self,
        rest: &[Item],
        text: &str,
        names: &[&str],
        set: impl Fn(&mut Self, u32),
    ) -> Option<Self> {
        let begins_text = |name: &&str| {
            text.get(..name.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(name))
        };
        let index = names.iter().position(begins_text)?;
        set(&mut self, u32::try_from(index).ok()?);
        self.parse_items(rest, &text[names[index].len()..])
    }

    fn parse_number(self, item: Item, rest: &[Item], text: &str) -> Option<Self> {
        let (longest, range) = match item {
            Item::Year | Item::IsoYear => (4, 1..=9999),
            Item::YearOfCentury => (2, 0..=99),
            Item::Month => (2, 1..=12),
            Item::Day => (2, 1..=31),
            Item::DayOfYear => (3, 1..=366),
            Item::Hour => (2, 0..=23),
            Item::Hour12 => (2, 1..=12),
            Item::Minute | Item::Second => (2, 0..=59),
            Item::Microsecond => (6, 0..=999_999),
            Item::IsoWeek => (2, 1..=53),
            Item::IsoWeekday => (1, 1..=7),
            _ => (1, 0..=6),
        };
        let shortest = match item {
            Item::Year | Item::IsoYear => 4,
            Item::YearOfCentury => 2,
            _ => 1,
        };
        let digits = text
            .bytes()
            .take(longest)
            .take_while(u8::is_ascii_digit)
            .count();
        // Longest first; a shorter number is tried if the rest does not match after a longer one.
        (shortest..=digits).rev().find_map(|length| {
            let value: u32 = text[..length].parse().ok()?;
            let scale = 10u32.pow(u32::try_from(longest - length).ok()?);
            if !range.contains(&value) {
                return None;
            }
            let mut parts = self;
            parts.set_value(item, value, scale);
            parts.parse_items(rest, &text[length..])
        })
    }

    fn set_value(&mut self, item: Item, value: u32, scale: u32) {
        let year = i32::try_from(value).ok();
        match item {
            Item::Year => self.year = year,
            // POSIX and Python: 69 to 99 are in the 20th century.
            Item::YearOfCentury => {
                self.year = year.map(|year| if year <= 68 { 2000 + year } else { 1900 + year });
            }
            Item::IsoYear => self.iso_year = year,
            Item::IsoWeek => self.iso_week = Some(value),
            Item::Month => self.month = Some(value),
            Item::Day => self.day = Some(value),
            Item::DayOfYear => self.day_of_year = Some(value),
            Item::Hour => self.hour = Some(value),
            Item::Hour12 => self.hour12 = Some(value),
            Item::Minute => self.minute = value,
            Item::Second => self.second = value,
            Item::Microsecond => self.microsecond = value * scale,
            _ => self.set_weekday(value),
        }
    }

    /// Sets the day of the week, counted from Sunday; 7 is Sunday again.
    fn set_weekday(&mut self, from_sunday: u32) {
        let days = [
            Weekday::Sun,
            Weekday::Mon,
            Weekday::Tue,
            Weekday::Wed,
            Weekday::Thu,
            Weekday::Fri,
            Weekday::Sat,
        ];
        self.weekday = Some(days[from_sunday as usize % 7]);
    }

    /// Parses an offset: `+0530` or `+05:30`, either with optional seconds, or `Z`.
    fn parse_offset(mut self, rest: &[Item], text: &str) -> Option<Self> {
        if let Some(tail) = text.strip_prefix('Z') {
            self.offset = Some(0);
            return self.parse_items(rest, tail);
        }
        let sign = match text.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let pair = |text: &str| {
            let digits = text
                .get(..2)
                .filter(|pair| pair.bytes().all(|b| b.is_ascii_digit()))?;
            digits.parse::<i64>().ok()
        };
        let without_colon = |text: &'_ str| text.strip_prefix(':').map_or(0, |_| 1);
        let hours = pair(&text[1..])?;
        let after_hours = &text[3..];
        let minutes_text = &after_hours[without_colon(after_hours)..];
        let minutes = pair(minutes_text).filter(|minutes| *minutes < 60)?;
        let tail = &minutes_text[2..];
        let seconds_at = without_colon(tail);
        let seconds = pair(&tail[seconds_at..]).filter(|seconds| *seconds < 60);
        // Two more digits are seconds if the rest matches after them.
        if let Some(seconds) = seconds {
            let mut parts = self;
            parts.offset = Some(sign * (hours * 3600 + minutes * 60 + seconds));
            if let Some(parts) = parts.parse_items(rest, &tail[seconds_at + 2..]) {
                return Some(parts);
            }
        }
        self.offset = Some(sign * (hours * 3600 + minutes * 60));
        self.parse_items(rest, tail)
    }

    /// Combines the values to a date and time; absent ones default to 1900-01-01 00:00.
    fn into_key(self) -> Option<ParsedKey> {
        let year = self.year.unwrap_or(1900);
        // A week date or a day of the year takes precedence over month and day, as in Python.
        let date = match (self.iso_year, self.iso_week, self.weekday, self.day_of_year) {
            (Some(year), Some(week), Some(weekday), _) => {
                NaiveDate::from_isoywd_opt(year, week, weekday)?
            }
            (.., Some(day)) => {
                NaiveDate::from_ymd_opt(year, 1, 1)? + Duration::days(i64::from(day) - 1)
            }
            _ => NaiveDate::from_ymd_opt(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?,
        };
        let hour = match (self.hour, self.hour12) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour % 12 + if self.pm == Some(true) { 12 } else { 0 },
            (None, None) => 0,
        };
        let time = NaiveTime::from_hms_micro_opt(hour, self.minute, self.second, self.microsecond)?;
        Some(ParsedKey {
            naive: date.and_time(time),
            offset_seconds: self.offset,
        })
    }
}
