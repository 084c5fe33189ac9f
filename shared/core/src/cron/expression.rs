//! [`CronExpression`]: one parsed cron string.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{InvalidCron, Timetable, field::Field, parse::parse_fields};

/// One parsed cron string: the minutes, hours and days at which it ticks. The time zone belongs to
/// the [`CronSchedule`](super::CronSchedule).
///
/// ```
/// use precip_core::cron::CronExpression;
///
/// let weekdays: CronExpression = "30 6 * * mon-fri".parse()?;
/// assert_eq!(weekdays.as_str(), "30 6 * * mon-fri");
///
/// let fault = "30 25 * * *".parse::<CronExpression>().unwrap_err();
/// assert_eq!(
///     fault.to_string(),
///     "`30 25 * * *` is not a cron schedule: hour `25` is out of range; write 0 to 23, a list \
///      `0,12`, a range `9-17` or a step `*/6`"
/// );
/// assert_eq!(fault.span(), Some(3..5));
/// # Ok::<(), precip_core::cron::InvalidCron>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CronExpression {
    text: Arc<str>,
    pub(crate) fields: Fields,
}

/// The five fields of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) minute: Field,
    pub(crate) hour: Field,
    pub(crate) day: Field,
    pub(crate) month: Field,
    pub(crate) weekday: Field,
    /// For each day of the week: bit n is set for the n-th of the month, bit 0 for the last.
    pub(crate) nth: [u8; 7],
}

impl CronExpression {
    /// Parses a cron string.
    ///
    /// # Errors
    /// [`InvalidCron`] if Dagster refuses it for a schedule, or if it names a day that no year has
    /// or a random time (`R`).
    pub fn new(expression: impl AsRef<str>) -> Result<Self, InvalidCron> {
        let text = expression.as_ref();
        let fields = parse_fields(text)?;
        // The calendar repeats after 400 years, so these days hold every pair of date and weekday.
        let first = NaiveDate::default();
        let ticks_at_all = first
            .iter_days()
            .take(146_097)
            .any(|day| fields.names_day(day));
        if !ticks_at_all {
            return Err(InvalidCron::Never {
                expression: text.to_owned(),
            });
        }
        // As in Dagster, whatever the weekday: one half of the expression can never tick.
        let only_february = fields.month.single_value() == Some(2);
        if let Some(day @ 30..) = fields.day.single_value().filter(|_| only_february) {
            return Err(InvalidCron::DayOfFebruary {
                expression: text.to_owned(),
                day,
            });
        }
        Ok(Self {
            text: text.into(),
            fields,
        })
    }

    /// Returns the string as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns true if the expression names every hour (`*` in the hour field). Such a schedule
    /// ticks in both passes of an hour that occurs twice.
    pub fn every_hour(&self) -> bool {
        self.fields.hour.wildcard
    }
}

impl CronExpression {
    /// Returns the shortest time from one tick to the next in UTC, among 1000 ticks or 20 years,
    /// whichever is less. Dagster samples as much starting a year before the current time; this
    /// samples from the year 2000, so that the answer does not change.
    pub fn smallest_interval(&self) -> Option<Duration> {
        // 2000-01-01 and 2020-01-01.
        let (from, to) = (946_684_800, 1_577_836_800);
        let ticks: Vec<i64> = Timetable::new(self, Tz::UTC, from)
            .ticks_from(from)
            .take(1000)
            .map(|tick| tick.seconds)
            .take_while(|seconds| *seconds <= to)
            .collect();
        let gaps = ticks
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).unsigned_abs());
        gaps.min().map(Duration::from_secs)
    }
}

impl Fields {
    pub(crate) fn has_nth(&self) -> bool {
        self.nth.iter().any(|nth| *nth != 0)
    }

    /// Returns true if ticks fall on this date.
    pub(crate) fn names_day(&self, date: NaiveDate) -> bool {
        if !self.month.allows(date.month()) {
            return false;
        }
        let by_day = || {
            self.day.allows(date.day())
                || (self.day.last && date.day() == u32::from(date.num_days_in_month()))
        };
        let by_weekday = || self.weekday.allows(date.weekday().num_days_from_sunday());
        match (self.has_nth(), self.day.any, self.weekday.any) {
            // Next to a counted weekday (`5#2`) the day of month is ignored, except where the
            // weekday field is a star.
            (true, true, _) | (true, false, false) => self.names_nth(date),
            (true, false, true) => by_day() && self.names_nth(date),
            (false, false, false) => by_day() || by_weekday(),
            (false, ..) => by_day() && by_weekday(),
        }
    }

    fn names_nth(&self, date: NaiveDate) -> bool {
        let nth = self.nth[date.weekday().num_days_from_sunday() as usize];
        let count = (date.day() - 1) / 7 + 1;
        // It is the last of the month if the same weekday a week later is in the next month.
        let last = date.day() + 7 > u32::from(date.num_days_in_month());
        nth & (1 << count) != 0 || (last && nth & 1 != 0)
    }
}

impl PartialEq for CronExpression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for CronExpression {}

impl std::hash::Hash for CronExpression {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for CronExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for CronExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CronExpression({})", self.text)
    }
}

impl FromStr for CronExpression {
    type Err = InvalidCron;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for CronExpression {
    type Error = InvalidCron;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<CronExpression> for String {
    fn from(expression: CronExpression) -> Self {
        expression.as_str().to_owned()
    }
}
