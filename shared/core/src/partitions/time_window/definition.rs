//! [`TimeWindowPartitions`] and what is known of it without asking for windows.

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

/// Windows between the ticks of a cron schedule in a time zone, from a start, perhaps to an end. A
/// window is named by what the clock shows at its start; it exists once it has ended.
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
/// The ordinal of a window is its place from the definition's start, windows that are excluded not
/// counted. It does not change as time passes.
///
/// # Keys
/// As in Dagster: where the clock shows an hour twice, the second pass of a schedule that ticks every
/// hour has the offset from UTC at the end of its key (`2024-11-03-01:00-0500`), unless the format
/// has `%z`; and a date that the calendar leaves out (30 December 2011 on Samoa) still has a key,
/// with the window of the next date.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Declared", into = "Declared")]
pub struct TimeWindowPartitions {
    pub(super) declared: Declared,
    pub(super) series: Series,
    pub(super) index: Index,
}

impl TimeWindowPartitions {
    /// Windows of an hour each, from a start written as `2024-01-31-00:00` (or as [`fmt`] says).
    ///
    /// [`fmt`]: TimeWindowBuilder::fmt
    pub fn hourly(start: impl Into<Moment>) -> TimeWindowBuilder {
        TimeWindowBuilder::plain(Cadence::Hourly, start.into())
    }

    /// Windows of a day each, from a start written as `2024-01-31` (or as [`fmt`] says).
    ///
    /// [`fmt`]: TimeWindowBuilder::fmt
    pub fn daily(start: impl Into<Moment>) -> TimeWindowBuilder {
        TimeWindowBuilder::plain(Cadence::Daily, start.into())
    }

    /// Windows of a week each, beginning on Sunday unless [`day_offset`] says otherwise.
    ///
    /// [`day_offset`]: TimeWindowBuilder::day_offset
    pub fn weekly(start: impl Into<Moment>) -> TimeWindowBuilder {
        TimeWindowBuilder::plain(Cadence::Weekly, start.into())
    }

    /// Windows of a month each, beginning on the first unless [`day_offset`] says otherwise.
    ///
    /// [`day_offset`]: TimeWindowBuilder::day_offset
    pub fn monthly(start: impl Into<Moment>) -> TimeWindowBuilder {
        TimeWindowBuilder::plain(Cadence::Monthly, start.into())
    }

    /// Windows from each tick of a cron schedule to the next, with keys in the given format.
    pub fn cron(
        cron: impl Into<String>,
        start: impl Into<Moment>,
        fmt: impl Into<String>,
    ) -> TimeWindowBuilder {
        TimeWindowBuilder::cron(cron.into(), start.into(), fmt.into())
    }

    /// How often a window begins. A cron schedule that is a plain one (`0 0 * * *`) has its cadence.
    pub fn cadence(&self) -> Cadence {
        Cadence::of(self.declared.cron.as_str())
    }

    /// The schedule at whose ticks windows begin.
    pub fn cron_expression(&self) -> &CronExpression {
        &self.declared.cron
    }

    /// The time zone in which windows begin and keys are written.
    pub fn timezone(&self) -> Tz {
        self.declared.timezone
    }

    /// The first window begins at or after this moment.
    pub fn start(&self) -> DateTime<Utc> {
        self.declared.start
    }

    /// The last window ends at or before this moment; `None` is open.
    pub fn end(&self) -> Option<DateTime<Utc>> {
        self.declared.end
    }

    /// How keys are written.
    pub fn fmt(&self) -> &KeyFormat {
        &self.declared.fmt
    }

    /// How many windows exist beyond those that have ended; negative is fewer.
    pub fn end_offset(&self) -> i32 {
        self.declared.end_offset
    }

    /// Which windows are left out.
    pub fn exclusions(&self) -> &[Exclusion] {
        &self.declared.exclusions
    }

    /// The key of the first window, to show what a key looks like here.
    pub fn example_key(&self) -> String {
        self.key(0)
            .map_or_else(|| self.fmt().to_string(), |key| key.to_string())
    }

    /// Whether this definition is the other but for start and end.
    pub fn equal_except_for_start_or_end(&self, other: &Self) -> bool {
        let unbounded = |definition: &Self| Declared {
            start: DateTime::UNIX_EPOCH,
            end: None,
            ..definition.declared.clone()
        };
        unbounded(self) == unbounded(other)
    }

    /// Whether windows can be told apart by their keys. Dagster asks this of a definition that is
    /// used by an asset, not of one that is only built, and so does Precip.
    ///
    /// # Errors
    /// [`InvalidTimeWindows::CoarseFormat`] when the first two windows have one key.
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
    /// `daily windows in UTC from 2024-01-01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cadence() {
            Cadence::Cron => write!(f, "windows of `{}`", self.declared.cron)?,
            cadence => write!(f, "{cadence} windows")?,
        }
        write!(f, " in {} from {}", self.timezone(), self.example_key())
    }
}
