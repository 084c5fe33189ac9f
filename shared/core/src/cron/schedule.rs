//! [`CronSchedule`]: cron expressions in a time zone.

use std::fmt;

use chrono::{DateTime, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use serde::{Deserialize, Serialize};

use super::{CronExpression, InvalidCron, Tick, Timetable};

/// One or more cron expressions in a time zone. The schedule ticks whenever one of them does.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use precip_core::cron::CronSchedule;
///
/// let nightly = CronSchedule::new("30 2 * * *", chrono_tz::America::New_York)?;
/// let from: DateTime<Utc> = "2024-03-09T12:00:00Z".parse()?;
/// let ticks: Vec<String> =
///     nightly.ticks_from(from).take(2).map(|tick| tick.at().to_rfc3339()).collect();
/// // On 10 March the clock skips from 2 to 3 o'clock: the tick comes at the end of the gap.
/// assert_eq!(ticks, ["2024-03-10T07:00:00+00:00", "2024-03-11T06:30:00+00:00"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Fields")]
pub struct CronSchedule {
    cron: Vec<CronExpression>,
    timezone: Tz,
}

/// The serialized form of a schedule, before validation.
#[derive(Deserialize)]
struct Fields {
    cron: Vec<CronExpression>,
    timezone: Tz,
}

impl TryFrom<Fields> for CronSchedule {
    type Error = InvalidCron;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        Self::union(fields.cron, fields.timezone)
    }
}

impl CronSchedule {
    /// Parses a schedule of one expression.
    ///
    /// # Errors
    /// [`InvalidCron`] as for [`CronExpression::new`].
    pub fn new(cron: impl AsRef<str>, timezone: Tz) -> Result<Self, InvalidCron> {
        Ok(Self {
            cron: vec![CronExpression::new(cron)?],
            timezone,
        })
    }

    /// Creates a schedule of one parsed expression.
    pub fn from_expression(cron: CronExpression, timezone: Tz) -> Self {
        Self {
            cron: vec![cron],
            timezone,
        }
    }

    /// Creates a schedule that ticks whenever one of the expressions does.
    ///
    /// # Errors
    /// [`InvalidCron::Empty`] if there are no expressions.
    pub fn union(
        expressions: impl IntoIterator<Item = CronExpression>,
        timezone: Tz,
    ) -> Result<Self, InvalidCron> {
        let cron: Vec<CronExpression> = expressions.into_iter().collect();
        if cron.is_empty() {
            Err(InvalidCron::Empty)
        } else {
            Ok(Self { cron, timezone })
        }
    }

    /// Returns the expressions. There is always at least one.
    pub fn expressions(&self) -> &[CronExpression] {
        &self.cron
    }

    /// Returns the time zone of the expressions.
    pub fn timezone(&self) -> Tz {
        self.timezone
    }

    /// Returns the ticks at or after a moment, oldest first, up to the year 9999.
    pub fn ticks_from(&self, from: DateTime<Utc>) -> impl Iterator<Item = Tick> + use<> {
        // Ticks are whole seconds: round up to the first possible one.
        let seconds = from.timestamp() + i64::from(from.timestamp_subsec_nanos() > 0);
        let ticks = self
            .timetables_at(seconds)
            .map(|table| table.ticks_from(seconds));
        Merged::new(ticks, |one, other| one < other)
    }

    /// Returns the ticks at or before a moment, newest first, back to the year 1.
    pub fn ticks_until(&self, to: DateTime<Utc>) -> impl Iterator<Item = Tick> + use<> {
        let seconds = to.timestamp();
        let ticks = self
            .timetables_at(seconds)
            .map(|table| table.ticks_until(seconds));
        Merged::new(ticks, |one, other| one > other)
    }

    /// Returns true if a moment is a tick.
    pub fn ticks_at(&self, at: DateTime<Utc>) -> bool {
        self.ticks_from(at)
            .next()
            .is_some_and(|tick| tick.at() == at)
    }

    fn timetables_at(&self, seconds: i64) -> impl Iterator<Item = Timetable> {
        self.cron
            .iter()
            .map(move |cron| Timetable::new(cron, self.timezone, seconds))
    }
}

impl fmt::Display for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, cron) in self.cron.iter().enumerate() {
            if index > 0 {
                f.write_str(" or ")?;
            }
            write!(f, "{cron}")?;
        }
        write!(f, " ({})", self.timezone)
    }
}

/// A merge of several sequences of ticks, in which simultaneous ticks count once.
struct Merged<I: Iterator<Item = Tick>, F> {
    sources: Vec<std::iter::Peekable<I>>,
    comes_first: F,
}

impl<I: Iterator<Item = Tick>, F: Fn(i64, i64) -> bool> Merged<I, F> {
    fn new(sources: impl Iterator<Item = I>, comes_first: F) -> Self {
        Self {
            sources: sources.map(Iterator::peekable).collect(),
            comes_first,
        }
    }
}

impl<I: Iterator<Item = Tick>, F: Fn(i64, i64) -> bool> Iterator for Merged<I, F> {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        // The common case of one expression needs no merge.
        if let [only] = &mut self.sources[..] {
            return only.next();
        }
        // Choose the next tick of all sources, then advance each source that ticks at that moment.
        let mut first: Option<Tick> = None;
        for source in &mut self.sources {
            let Some(tick) = source.peek() else { continue };
            if first.is_none_or(|other| (self.comes_first)(tick.seconds, other.seconds)) {
                first = Some(*tick);
            }
        }
        let chosen = first?;
        for source in &mut self.sources {
            source.next_if(|tick| tick.seconds == chosen.seconds);
        }
        Some(chosen)
    }
}

/// Parses the name of a time zone in the IANA database, such as `Europe/London`.
///
/// # Errors
/// [`InvalidTimeZone`] for an unknown name, with a similar one if there is one.
pub fn parse_time_zone(name: &str) -> Result<Tz, InvalidTimeZone> {
    name.parse().map_err(|_| {
        // Suggest the single most similar name.
        let likeness =
            |zone: &Tz| strsim::jaro_winkler(&zone.name().to_lowercase(), &name.to_lowercase());
        let hint = TZ_VARIANTS
            .iter()
            .map(|zone| (likeness(zone), zone.name()))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|one, other| one.0.total_cmp(&other.0))
            .map(|(_, zone)| zone);
        InvalidTimeZone {
            name: name.to_owned(),
            hint,
        }
    })
}

/// An unknown time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is not a time zone: write a name of the IANA database, like `{}`",
    hint.unwrap_or("Europe/London")
)]
pub struct InvalidTimeZone {
    /// The rejected name.
    pub name: String,
    /// The zone with the most similar name.
    pub hint: Option<&'static str>,
}
