//! [`TimeWindowBuilder`]: a builder of [`TimeWindowPartitions`].

use chrono::{DateTime, NaiveDate, NaiveDateTime, Timelike, Utc};
use chrono_tz::Tz;

use super::{
    Cadence, Exclusion, InvalidTimeWindows, KeyFormat, TimeWindowPartitions, declared::Declared,
};
use crate::cron::{CronExpression, LocalTime, parse_time_zone};

const DATE_FORMAT: &str = "%Y-%m-%d";
const HOUR_FORMAT: &str = "%Y-%m-%d-%H:%M";

/// A declared moment: a text in the definition's key format, or a local time in its time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// A text in the definition's key format.
    Text(String),
    /// A local time in the definition's time zone.
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

/// A builder of [`TimeWindowPartitions`]. Everything is validated by [`Self::build`].
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
    pub(super) fn with_cadence(cadence: Cadence, start: Moment) -> Self {
        let fmt = if cadence == Cadence::Hourly {
            HOUR_FORMAT
        } else {
            DATE_FORMAT
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

    pub(super) fn with_cron(cron: String, start: Moment, fmt: String) -> Self {
        Self {
            cron,
            fmt,
            ..Self::with_cadence(Cadence::Cron, start)
        }
    }

    /// Sets the moment at or before which the last window ends. Without it, windows never end.
    pub fn end(mut self, end: impl Into<Moment>) -> Self {
        self.end = Some(end.into());
        self
    }

    /// Sets the time zone in which windows begin, by its IANA name. The default is `UTC`.
    pub fn timezone(mut self, name: impl Into<String>) -> Self {
        self.timezone = Some(name.into());
        self
    }

    /// Sets the format of keys. The default is `%Y-%m-%d`, for hourly windows `%Y-%m-%d-%H:%M`.
    pub fn fmt(mut self, fmt: impl Into<String>) -> Self {
        self.fmt = fmt.into();
        self
    }

    /// Sets the number of windows of the schedule, excluded ones included, that exist beyond the
    /// ended ones: `1` adds the one that has begun and not ended. Negative is fewer.
    pub fn end_offset(mut self, windows: i32) -> Self {
        self.end_offset = windows;
        self
    }

    /// Sets the minute of the hour at which a window begins.
    pub fn minute_offset(mut self, minute: u32) -> Self {
        self.minute_offset = minute;
        self
    }

    /// Sets the hour of the day at which a window begins.
    pub fn hour_offset(mut self, hour: u32) -> Self {
        self.hour_offset = hour;
        self
    }

    /// Sets the day on which a window begins: 0 (Sunday) to 6 for weeks, 1 to 31 for months.
    pub fn day_offset(mut self, day: u32) -> Self {
        self.day_offset = day;
        self
    }

    /// Excludes the windows that begin at a tick of a cron schedule.
    pub fn exclude(mut self, cron: impl Into<String>) -> Self {
        self.exclusions.push(ExclusionText::Cron(cron.into()));
        self
    }

    /// Excludes the window that begins at a moment.
    pub fn exclude_at(mut self, at: impl Into<Moment>) -> Self {
        self.exclusions.push(ExclusionText::At(at.into()));
        self
    }

    /// Validates everything and builds the definition. This is cheap: no window is computed.
    ///
    /// # Errors
    /// [`InvalidTimeWindows`] for every declaration that Dagster refuses.
    pub fn build(self) -> Result<TimeWindowPartitions, InvalidTimeWindows> {
        let timezone = self
            .timezone
            .as_deref()
            .map_or(Ok(Tz::UTC), parse_time_zone)?;
        let fmt = KeyFormat::new(&self.fmt)?;
        let cron = CronExpression::new(self.cron_text()?)?;
        // Texts are parsed by the format of the keys, so format and time zone come first.
        let to_utc = |field, moment: &Moment| resolve_moment(field, moment, &fmt, timezone);
        let exclusions = self
            .exclusions
            .iter()
            .map(|exclusion| match exclusion {
                ExclusionText::Cron(cron) => CronExpression::new(cron)
                    .map(Exclusion::Cron)
                    .map_err(InvalidTimeWindows::Exclusion),
                ExclusionText::At(at) => to_utc("exclusion", at).map(Exclusion::At),
            })
            .collect::<Result<_, _>>()?;
        let declared = Declared {
            start: to_utc("start", &self.start)?,
            end: self
                .end
                .as_ref()
                .map(|end| to_utc("end", end))
                .transpose()?,
            cron,
            timezone,
            fmt: fmt.clone(),
            end_offset: self.end_offset,
            exclusions,
        };
        Ok(TimeWindowPartitions::from(declared))
    }

    /// Returns the cron string of the cadence and its offsets.
    fn cron_text(&self) -> Result<String, InvalidTimeWindows> {
        let (minute, hour, day) = (self.minute_offset, self.hour_offset, self.day_offset);
        let no_such_offset = |offset| {
            Err(InvalidTimeWindows::NoSuchOffset {
                cadence: self.cadence,
                offset,
            })
        };
        // An offset that a cadence does not have is refused, even if the cron string could hold it.
        match self.cadence {
            Cadence::Cron if minute != 0 => no_such_offset("minute_offset"),
            Cadence::Hourly | Cadence::Cron if hour != 0 => no_such_offset("hour_offset"),
            Cadence::Hourly | Cadence::Daily | Cadence::Cron if day != 0 => {
                no_such_offset("day_offset")
            }
            Cadence::Hourly => Ok(format!("{minute} * * * *")),
            Cadence::Daily => Ok(format!("{minute} {hour} * * *")),
            Cadence::Weekly => Ok(format!("{minute} {hour} * * {day}")),
            Cadence::Monthly => Ok(format!("{minute} {hour} {} * *", day.max(1))),
            Cadence::Cron => Ok(self.cron.clone()),
        }
    }
}

/// Returns the moment in UTC; a local time that occurs twice means its first pass.
fn resolve_moment(
    field: &'static str,
    moment: &Moment,
    fmt: &KeyFormat,
    timezone: Tz,
) -> Result<DateTime<Utc>, InvalidTimeWindows> {
    let (naive, written_offset) = match moment {
        Moment::Local(local) => (*local, None),
        Moment::Text(text) => match fmt.parse_start(text) {
            Some(read) => (read.naive, read.offset_seconds),
            None => {
                let example = NaiveDate::from_ymd_opt(2024, 1, 31)
                    .unwrap_or_default()
                    .into();
                return Err(InvalidTimeWindows::Moment {
                    field,
                    text: text.clone(),
                    fmt: fmt.to_string(),
                    example: fmt.format_start(example, || 0, false),
                });
            }
        },
    };
    // The offset is looked up for whole seconds; a fraction is kept in the result.
    let whole = naive.with_nanosecond(0).unwrap_or(naive);
    let offset =
        written_offset.unwrap_or_else(|| LocalTime::first_pass(whole).offset_seconds(timezone));
    Ok(naive.and_utc() - chrono::Duration::seconds(offset))
}
