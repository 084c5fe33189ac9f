//! [`TimeWindowBuilder`]: declares a [`TimeWindowPartitions`].

use chrono::{DateTime, NaiveDate, NaiveDateTime, Timelike, Utc};
use chrono_tz::Tz;

use super::{
    Cadence, Exclusion, InvalidTimeWindows, KeyFormat, TimeWindowPartitions, declared::Declared,
};
use crate::cron::{CronExpression, LocalTime, parse_time_zone};

const DATE: &str = "%Y-%m-%d";
const HOUR: &str = "%Y-%m-%d-%H:%M";

/// A moment as it is declared: a text in the definition's format, or a reading of the clock in its
/// time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// In the definition's format.
    Text(String),
    /// In the definition's time zone.
    Local(NaiveDateTime),
}

impl From<&str> for Moment {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Moment {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<NaiveDate> for Moment {
    fn from(date: NaiveDate) -> Self {
        Self::Local(date.into())
    }
}

impl From<NaiveDateTime> for Moment {
    fn from(local: NaiveDateTime) -> Self {
        Self::Local(local)
    }
}

/// Declares a [`TimeWindowPartitions`]; everything is checked by [`Self::build`].
#[derive(Debug, Clone)]
#[must_use = "nothing is declared before `build`"]
pub struct TimeWindowBuilder {
    cadence: Cadence,
    cron: String,
    start: Moment,
    end: Option<Moment>,
    timezone: Option<String>,
    fmt: String,
    end_offset: i32,
    minute_offset: u32,
    hour_offset: u32,
    day_offset: u32,
    exclusions: Vec<ExclusionText>,
}

#[derive(Debug, Clone)]
enum ExclusionText {
    Cron(String),
    At(Moment),
}

impl TimeWindowBuilder {
    pub(super) fn plain(cadence: Cadence, start: Moment) -> Self {
        let fmt = if cadence == Cadence::Hourly {
            HOUR
        } else {
            DATE
        };
        Self {
            cadence,
            cron: String::new(),
            start,
            end: None,
            timezone: None,
            fmt: fmt.to_owned(),
            end_offset: 0,
            minute_offset: 0,
            hour_offset: 0,
            day_offset: 0,
            exclusions: Vec::new(),
        }
    }

    pub(super) fn cron(cron: String, start: Moment, fmt: String) -> Self {
        Self {
            cron,
            fmt,
            ..Self::plain(Cadence::Cron, start)
        }
    }

    /// The moment at or before which the last window ends. Without it there is always a next window.
    pub fn end(mut self, end: impl Into<Moment>) -> Self {
        self.end = Some(end.into());
        self
    }

    /// The time zone in which windows begin, by its IANA name; `UTC` unless given.
    pub fn timezone(mut self, name: impl Into<String>) -> Self {
        self.timezone = Some(name.into());
        self
    }

    /// How keys are written; `%Y-%m-%d` unless given, for hourly windows `%Y-%m-%d-%H:%M`.
    pub fn fmt(mut self, fmt: impl Into<String>) -> Self {
        self.fmt = fmt.into();
        self
    }

    /// Lets so many windows exist beyond those that have ended; negative is fewer.
    pub fn end_offset(mut self, windows: i32) -> Self {
        self.end_offset = windows;
        self
    }

    /// The minute of the hour at which a window begins.
    pub fn minute_offset(mut self, minute: u32) -> Self {
        self.minute_offset = minute;
        self
    }

    /// The hour of the day at which a window begins.
    pub fn hour_offset(mut self, hour: u32) -> Self {
        self.hour_offset = hour;
        self
    }

    /// The day on which a window begins: for weeks 0 (Sunday) to 6, for months 1 to 31.
    pub fn day_offset(mut self, day: u32) -> Self {
        self.day_offset = day;
        self
    }

    /// Leaves out the windows that begin at a tick of a cron schedule.
    pub fn exclude(mut self, cron: impl Into<String>) -> Self {
        self.exclusions.push(ExclusionText::Cron(cron.into()));
        self
    }

    /// Leaves out the window that begins at this moment.
    pub fn exclude_at(mut self, at: impl Into<Moment>) -> Self {
        self.exclusions.push(ExclusionText::At(at.into()));
        self
    }

    /// Checks everything. Costs next to nothing: no window is computed.
    ///
    /// # Errors
    /// [`InvalidTimeWindows`] for what Dagster refuses.
    pub fn build(self) -> Result<TimeWindowPartitions, InvalidTimeWindows> {
        let timezone = self
            .timezone
            .as_deref()
            .map_or(Ok(Tz::UTC), parse_time_zone)?;
        let fmt = KeyFormat::new(&self.fmt)?;
        let cron = CronExpression::new(self.cron_text()?)?;
        let moment = |field, moment: &Moment| resolve(field, moment, &fmt, timezone);
        let exclusions = self
            .exclusions
            .iter()
            .map(|exclusion| match exclusion {
                ExclusionText::Cron(cron) => CronExpression::new(cron)
                    .map(Exclusion::Cron)
                    .map_err(InvalidTimeWindows::Exclusion),
                ExclusionText::At(at) => moment("exclusion", at).map(Exclusion::At),
            })
            .collect::<Result<_, _>>()?;
        let declared = Declared {
            start: moment("start", &self.start)?,
            end: self
                .end
                .as_ref()
                .map(|end| moment("end", end))
                .transpose()?,
            cron,
            timezone,
            fmt: fmt.clone(),
            end_offset: self.end_offset,
            exclusions,
        };
        Ok(TimeWindowPartitions::from(declared))
    }

    fn cron_text(&self) -> Result<String, InvalidTimeWindows> {
        let (minute, hour, day) = (self.minute_offset, self.hour_offset, self.day_offset);
        let refuse = |offset| {
            Err(InvalidTimeWindows::NoSuchOffset {
                cadence: self.cadence,
                offset,
            })
        };
        match self.cadence {
            Cadence::Cron if minute != 0 => refuse("minute_offset"),
            Cadence::Hourly | Cadence::Cron if hour != 0 => refuse("hour_offset"),
            Cadence::Hourly | Cadence::Daily | Cadence::Cron if day != 0 => refuse("day_offset"),
            Cadence::Hourly => Ok(format!("{minute} * * * *")),
            Cadence::Daily => Ok(format!("{minute} {hour} * * *")),
            Cadence::Weekly => Ok(format!("{minute} {hour} * * {day}")),
            Cadence::Monthly => Ok(format!("{minute} {hour} {} * *", day.max(1))),
            Cadence::Cron => Ok(self.cron.clone()),
        }
    }
}

/// The moment that is meant, of two passes the first.
fn resolve(
    field: &'static str,
    moment: &Moment,
    fmt: &KeyFormat,
    timezone: Tz,
) -> Result<DateTime<Utc>, InvalidTimeWindows> {
    let (naive, offset) = match moment {
        Moment::Local(naive) => (*naive, None),
        Moment::Text(text) => match fmt.read(text) {
            Some(read) => (read.naive, read.offset_seconds),
            None => {
                let example = NaiveDate::from_ymd_opt(2024, 1, 31)
                    .unwrap_or_default()
                    .into();
                return Err(InvalidTimeWindows::Moment {
                    field,
                    text: text.clone(),
                    fmt: fmt.to_string(),
                    example: fmt.write(example, || 0, false),
                });
            }
        },
    };
    let whole = naive.with_nanosecond(0).unwrap_or(naive);
    let offset = offset.unwrap_or_else(|| LocalTime::first_pass(whole).offset_seconds(timezone));
    Ok(naive.and_utc() - chrono::Duration::seconds(offset))
}
