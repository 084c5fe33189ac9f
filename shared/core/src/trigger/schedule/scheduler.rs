//! Translating cron schedules for EventBridge Scheduler.
//!
//! Its expressions have six fields, the year last: `cron(minute hour day-of-month month day-of-week
//! year)`. One of the two day fields has to be `?`; Sunday is 1; the n-th weekday of a month is
//! `6#2`, the last one `6L`. (EventBridge Scheduler User Guide, "Schedule types".)

use std::{collections::BTreeMap, fmt};

use chrono::{Datelike, TimeDelta, Timelike};
use chrono_tz::Tz;

use super::zone;
use crate::cron::{CronExpression, CronSchedule};

/// An expression of EventBridge Scheduler, with its time zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchedulerExpression {
    /// The expression, such as `cron(0 6 ? * MON-FRI *)`.
    pub expression: String,
    /// The time zone, by its IANA name.
    pub timezone: String,
}

/// An additional invocation on the days around a clock change. EventBridge Scheduler skips times
/// that a forward change skips, and uses the first pass of times that a backward change repeats.
/// Ticks come right after the skipped hour, and in the second pass. Invoked once more at the end of
/// the change, a schedule finds the tick that is due; on other days it finds none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guard(pub SchedulerExpression);

/// A schedule as EventBridge Scheduler expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulerExpressions {
    /// The expressions whose union is the ticks: each needs a schedule of its own.
    pub expressions: Vec<SchedulerExpression>,
    /// The additional invocations around clock changes.
    pub guards: Vec<Guard>,
}

/// A cron expression that EventBridge Scheduler cannot express.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{cron}` has no EventBridge Scheduler expression: it requires a day of the month and a counted \
     day of the week at once; write the days of the month alone, or the counted day alone, like \
     `0 6 * * 5#2`"
)]
pub struct UnsupportedCronError {
    /// The expression.
    pub cron: String,
}

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Translates a cron schedule into EventBridge Scheduler expressions.
///
/// ```
/// use precip_core::{cron::CronSchedule, trigger::scheduler_expressions};
///
/// let weekdays = CronSchedule::new("30 6 * * mon-fri", chrono_tz::Europe::Berlin)?;
/// let translated = scheduler_expressions(&weekdays)?;
/// assert_eq!(translated.expressions[0].expression, "cron(30 6 ? * MON-FRI *)");
/// assert!(translated.guards.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`UnsupportedCronError`], which says what to write instead.
pub fn scheduler_expressions(
    schedule: &CronSchedule,
) -> Result<SchedulerExpressions, UnsupportedCronError> {
    let tz = schedule.timezone();
    let mut expressions = Vec::new();
    let mut local = Vec::new();
    for cron in schedule.expressions() {
        // A schedule that ticks every hour is the same in UTC, which has no clock changes.
        let utc = ticks_each_hour(cron) && zone::has_whole_hours(tz);
        let timezone = if utc { Tz::UTC } else { tz };
        for expression in translate_cron(cron)? {
            expressions.push(SchedulerExpression {
                expression,
                timezone: timezone.name().to_owned(),
            });
        }
        if !utc {
            local.push(cron);
        }
    }
    Ok(SchedulerExpressions {
        expressions,
        guards: clock_change_guards(&local, tz),
    })
}

/// Returns `true` if an expression ticks at the same minutes of every hour of every day.
fn ticks_each_hour(cron: &CronExpression) -> bool {
    let fields = &cron.fields;
    fields.hour.wildcard
        && fields.day.wildcard
        && fields.month.wildcard
        && fields.weekday.wildcard
        && !fields.has_nth()
}

/// Translates one cron expression.
fn translate_cron(cron: &CronExpression) -> Result<Vec<String>, UnsupportedCronError> {
    let fields = &cron.fields;
    let minute = format_mask(fields.minute.value_mask(60), 0..60, |value| {
        value.to_string()
    });
    let hour = format_mask(fields.hour.value_mask(24), 0..24, |value| value.to_string());
    let month = format_mask(fields.month.value_mask(13), 1..13, |value| {
        value.to_string()
    });
    // The six fields of EventBridge Scheduler; the year is always open.
    let write =
        |day: &str, weekday: &str| format!("cron({minute} {hour} {day} {month} {weekday} *)");
    // `L` cannot be combined with other days in one field: it takes an expression of its own.
    let mut days = Vec::new();
    if !fields.day.any {
        if fields.day.bits != 0 {
            days.push(format_mask(fields.day.value_mask(32), 1..32, |value| {
                value.to_string()
            }));
        }
        if fields.day.last {
            days.push("L".to_owned());
        }
    }
    let by_day = || days.iter().map(|day| write(day, "?"));
    let by_weekday = || {
        let weekdays = format_mask(fields.weekday.value_mask(7), 0..7, |value| {
            DAYS[value as usize].to_owned()
        });
        write("?", &weekdays)
    };
    Ok(
        match (fields.has_nth(), fields.day.any, fields.weekday.any) {
            (true, false, true) => {
                return Err(UnsupportedCronError {
                    cron: cron.to_string(),
                });
            }
            (true, ..) => counted_weekdays(fields.nth)
                .map(|day| write("?", &day))
                .collect(),
            (false, true, true) => vec![write("*", "?")],
            (false, true, false) => vec![by_weekday()],
            (false, false, true) => by_day().collect(),
            // In cron either day field is enough; here that takes an expression for each.
            (false, false, false) => by_day().chain([by_weekday()]).collect(),
        },
    )
}

/// Returns each counted day of the week. Bit n of a day is its n-th in the month, bit 0 the last.
fn counted_weekdays(nth: [u8; 7]) -> impl Iterator<Item = String> {
    (1..).zip(nth).flat_map(|(day, counts)| {
        let which = (0..8).filter(move |count| counts & (1 << count) != 0);
        which.map(move |count| match count {
            0 => format!("{day}L"),
            count => format!("{day}#{count}"),
        })
    })
}

/// Formats the set bits of a mask as a list of values and ranges; `*` when all are set.
fn format_mask(mask: u64, all: std::ops::Range<u32>, name: impl Fn(u32) -> String) -> String {
    let set = |value: u32| value < all.end && mask & (1 << value) != 0;
    if all.clone().all(set) {
        return "*".to_owned();
    }
    // Consecutive values become ranges; two alone are shorter as a list.
    let mut parts = Vec::new();
    let mut value = all.start;
    while value < all.end {
        if !set(value) {
            value += 1;
            continue;
        }
        let first = value;
        while set(value) {
            value += 1;
        }
        parts.push(match value - first {
            1 => name(first),
            2 => format!("{},{}", name(first), name(first + 1)),
            _ => format!("{}-{}", name(first), name(value - 1)),
        });
    }
    parts.join(",")
}

/// Returns a guard at the end of each clock change that covers a time in the expressions.
fn clock_change_guards(crons: &[&CronExpression], tz: Tz) -> Vec<Guard> {
    let mut months: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    // Guards of several months at one time of day become one expression.
    for change in zone::clock_changes(tz) {
        // Local times between the two readings are skipped or repeated.
        let minutes = (change.to - change.from).num_minutes();
        let covered = (0..minutes).map(|minute| change.from + TimeDelta::minutes(minute));
        let named = covered.into_iter().any(|shown| {
            crons.iter().any(|cron| {
                let fields = &cron.fields;
                fields.hour.allows(shown.hour())
                    && fields.minute.allows(shown.minute())
                    && fields.month.allows(shown.month())
            })
        });
        if named {
            let at = (change.to.hour(), change.to.minute());
            *months.entry(at).or_default() |= 1 << change.to.month();
        }
    }
    months
        .into_iter()
        .map(|((hour, minute), months)| {
            let months = format_mask(months, 1..13, |month| month.to_string());
            Guard(SchedulerExpression {
                expression: format!("cron({minute} {hour} * {months} ? *)"),
                timezone: tz.name().to_owned(),
            })
        })
        .collect()
}

impl fmt::Display for SchedulerExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.expression, self.timezone)
    }
}
