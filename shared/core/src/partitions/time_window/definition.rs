//! [`TimeWindowPartitions`] and its declared properties.

use std::fmt;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Cadence, Exclusion, InvalidTimeWindows, KeyFormat, Moment, TimeWindowBuilder,
    declared::Declared, index::Index, series::Series,
};
use crate::cron::CronExpression;

/// Windows between the ticks of a cron schedule in a time zone, from a start to an optional end.
/// The key of a window is the local time of its start; a window exists once it has ended.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use precip_core::partitions::TimeWindowPartitions;
///
/// let days = TimeWindowPartitions::daily("2024-03-09").timezone("America/New_York").build()?;
/// let now: DateTime<Utc> = "2024-03-11T12:00:00Z".parse()?;
/// assert_eq!(days.count(now), 2);
/// assert_eq!(days.ordinal("2024-03-10"), Some(1));
///
/// // The day on which the clock is put forward has 23 hours.
/// let window = days.window(1).expect("the second day");
/// assert_eq!((window.end - window.start).num_hours(), 23);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Ordinals
/// The ordinal of a window is its position from the definition's start, not counting excluded
/// windows. It does not change as time passes.
///
/// # Keys
/// As in Dagster: if an hour occurs twice, a schedule that ticks every hour appends the offset from
/// UTC to the key of the second pass (`2024-11-03-01:00-0500`), unless the format has `%z`. A date
/// that the calendar skips (30 December 2011 on Samoa) still has a key, with the window of the next
/// date.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Declared", into = "Declared")]
pub struct TimeWindowPartitions {
    pub(super) declared: Declared,
    pub(super) series: Series,
    pub(super) index: Index,
}

impl TimeWindowPartitions {
    /// Declares windows of an hour each, from a start like `2024-01-31-00:00` (or as [`fmt`] says).
    ///
    /// [`fmt`]: TimeWindowBuilder::fmt
    pub fn hourly(start: impl Into<Moment>) -> TimeWindowBuilder {
        TimeWindowBuilder::with_cadence(Cadence::Hourly, start.into())
    }

    /// Declares windows of a day each, from a start like `2024-01-31` (or as [`fmt`] says).
    ///
    /// [`fmt`]: TimeWindowBuilder::fmt
    pub fn daily(start: impl Into<Moment>) -> TimeWindowBuilder {
        TimeWindowBuilder::with_cadence(Cadence::Daily, start.into())
    }

    /// Declares windows of a week each, beginning on Sunday unless [`day_offset`] says otherwise.
    ///
    /// [`day_offset`]: TimeWindowBuilder::day_offset
    pub fn weekly(start: impl Into<Moment>) -> TimeWindowBuilder {
        TimeWindowBuilder::with_cadence(Cadence::Weekly, start.into())
    }

    /// Declares windows of a month each, beginning on the first unless [`day_offset`] says
    /// otherwise.
    ///
    /// [`day_offset`]: TimeWindowBuilder::day_offset
    pub fn monthly(start: impl Into<Moment>) -> TimeWindowBuilder {
        TimeWindowBuilder::with_cadence(Cadence::Monthly, start.into())
    }

    /// Declares windows from each tick of a cron schedule to the next, with keys in the given
    /// format.
    pub fn cron(
        cron: impl Into<String>,
        start: impl Into<Moment>,
        fmt: impl Into<String>,
    ) -> TimeWindowBuilder {
        TimeWindowBuilder::with_cron(cron.into(), start.into(), fmt.into())
    }

    /// Returns the cadence of the windows. A plain cron schedule like `0 0 * * *` counts as daily.
    pub fn cadence(&self) -> Cadence {
        Cadence::from_cron(self.declared.cron.as_str())
    }

    /// Returns the schedule at whose ticks windows begin.
    pub fn cron_expression(&self) -> &CronExpression {
        &self.declared.cron
    }

    /// Returns the time zone of windows and keys.
    pub fn timezone(&self) -> Tz {
        self.declared.timezone
    }

    /// Returns the moment at or after which the first window begins.
    pub fn start(&self) -> DateTime<Utc> {
        self.declared.start
    }

    /// Returns the moment at or before which the last window ends, or `None` if windows never end.
    pub fn end(&self) -> Option<DateTime<Utc>> {
        self.declared.end
    }

    /// Returns the format of keys.
    pub fn fmt(&self) -> &KeyFormat {
        &self.declared.fmt
    }

    /// Returns the number of windows of the schedule that exist beyond the ended ones; negative is
    /// fewer.
    pub fn end_offset(&self) -> i32 {
        self.declared.end_offset
    }

    /// Returns the exclusions.
    pub fn exclusions(&self) -> &[Exclusion] {
        &self.declared.exclusions
    }

    /// Returns the key of the first window, as an example of a key.
    pub fn example_key(&self) -> String {
        self.key(0)
            .map_or_else(|| self.fmt().to_string(), |key| key.to_string())
    }

    /// Returns true if this definition equals another except for start and end.
    pub fn equal_except_for_start_or_end(&self, other: &Self) -> bool {
        let unbounded = |definition: &Self| Declared {
            start: DateTime::UNIX_EPOCH,
            end: None,
            ..definition.declared.clone()
        };
        unbounded(self) == unbounded(other)
    }

    /// Checks that different windows have different keys. Like Dagster, Precip requires this of a
    /// definition that an asset uses, not of one that is only built.
    ///
    /// # Errors
    /// [`InvalidTimeWindows::CoarseFormat`] if the first two windows have the same key.
    pub fn check_keys(&self) -> Result<(), InvalidTimeWindows> {
        match (self.key(0), self.key(1)) {
            (Some(first), Some(second)) if first == second => {
                Err(InvalidTimeWindows::CoarseFormat {
                    cron: self.declared.cron.to_string(),
                    key: first.to_string(),
                    fmt: self.fmt().to_string(),
                })
            }
            _ => Ok(()),
        }
    }
}

impl From<Declared> for TimeWindowPartitions {
    fn from(declared: Declared) -> Self {
        let series = Series::new(&declared);
        Self {
            declared,
            series,
            index: Index::default(),
        }
    }
}

impl From<TimeWindowPartitions> for Declared {
    fn from(definition: TimeWindowPartitions) -> Self {
        definition.declared
    }
}

impl PartialEq for TimeWindowPartitions {
    fn eq(&self, other: &Self) -> bool {
        self.declared == other.declared
    }
}

impl Eq for TimeWindowPartitions {}

impl fmt::Debug for TimeWindowPartitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TimeWindowPartitions")
            .field(&self.declared)
            .finish()
    }
}

impl fmt::Display for TimeWindowPartitions {
    /// Formats as `daily windows in UTC from 2024-01-01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cadence() {
            Cadence::Cron => write!(f, "windows of `{}`", self.declared.cron)?,
            cadence => write!(f, "{cadence} windows")?,
        }
        write!(f, " in {} from {}", self.timezone(), self.example_key())
    }
}
