//! Cron schedules in the words of EventBridge Scheduler.
//!
//! Its expressions have six fields, the year last: `cron(minute hour day-of-month month day-of-week
//! year)`. One of the two day fields has to be `?`; Sunday is 1; the n-th weekday of a month is
//! `6#2`, the last one `6L`. (EventBridge Scheduler User Guide, "Schedule types".)

use std::{collections::BTreeMap, fmt};

use chrono::{Datelike, TimeDelta, Timelike};
use chrono_tz::Tz;

use super::zone;
use crate::cron::{CronExpression, CronSchedule};

/// An expression of EventBridge Scheduler, with the time zone whose clocks it speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchedulerExpression {
    /// Such as `cron(0 6 ? * MON-FRI *)`.
    pub expression: String,
    /// The time zone, by its IANA name.
    pub timezone: String,
}

/// A second look on the days around a change of the clock. EventBridge Scheduler leaves out what
/// falls where the clock is put forward, and takes the first of two passes where it is put back,
/// while the ticks come when the clock goes on, and in the second pass. Invoked once more at the
/// end of the change, a schedule finds what is due; on other days it finds that nothing is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guard(pub SchedulerExpression);

/// A schedule in the words of EventBridge Scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulerExpressions {
    /// Together these are the ticks: each is a schedule of its own there.
    pub expressions: Vec<SchedulerExpression>,
    /// What makes good for what EventBridge Scheduler does around changes of the clock.
    pub guards: Vec<Guard>,
}

/// A cron expression that EventBridge Scheduler has no words for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{cron}` cannot be put to EventBridge Scheduler: it wants a day of the month and a counted day \
     of the week at once; write the days of the month alone, or the counted day alone, like \
     `0 6 * * 5#2`"
)]
pub struct Untranslatable {
    /// The expression.
    pub cron: String,
}

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A cron schedule in the words of EventBridge Scheduler.
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
/// [`Untranslatable`], which says what to write instead.
pub fn scheduler_expressions(
    schedule: &CronSchedule,
) -> Result<SchedulerExpressions, Untranslatable> {
    let tz = schedule.timezone();
    let mut expressions = Vec::new();
    let mut local = Vec::new();
    for cron in schedule.expressions() {
        // What comes in every hour that passes is the same in UTC, where no clock changes.
        let utc = ticks_each_hour(cron) && zone::has_whole_hours(tz);
        let timezone = if utc { Tz::UTC } else { tz };
        for expression in translated(cron)? {
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
        guards: guards(&local, tz),
    })
}

fn ticks_each_hour(cron: &CronExpression) -> bool {
    let fields = &cron.fields;
    fields.hour.wildcard
        && fields.day.wildcard
        && fields.month.wildcard
        && fields.weekday.wildcard
        && !fields.has_nth()
}

fn translated(cron: &CronExpression) -> Result<Vec<String>, Untranslatable> {
    let fields = &cron.fields;
    let minute = list(fields.minute.mask(60), 0..60, |value| value.to_string());
    let hour = list(fields.hour.mask(24), 0..24, |value| value.to_string());
    let month = list(fields.month.mask(13), 1..13, |value| value.to_string());
    let write =
        |day: &str, weekday: &str| format!("cron({minute} {hour} {day} {month} {weekday} *)");
    let mut days = Vec::new();
    if !fields.day.any {
        if fields.day.bits != 0 {
            days.push(list(fields.day.mask(32), 1..32, |value| value.to_string()));
        }
        if fields.day.last {
            days.push("L".to_owned());
        }
    }
    let by_day = || days.iter().map(|day| write(day, "?"));
    let by_weekday = || {
        let weekdays = list(fields.weekday.mask(7), 0..7, |value| {
            DAYS[value as usize].to_owned()
        });
        write("?", &weekdays)
    };
    Ok(
        match (fields.has_nth(), fields.day.any, fields.weekday.any) {
            (true, false, true) => {
                return Err(Untranslatable {
                    cron: cron.to_string(),
                });
            }
            (true, ..) => counted(fields.nth).map(|day| write("?", &day)).collect(),
            (false, true, true) => vec![write("*", "?")],
            (false, true, false) => vec![by_weekday()],
            (false, false, true) => by_day().collect(),
            // Either one is enough: that takes a schedule for each.
            (false, false, false) => by_day().chain([by_weekday()]).collect(),
        },
    )
}

/// The counted days of the week, one by one: bit n is the n-th, bit 0 the last.
fn counted(nth: [u8; 7]) -> impl Iterator<Item = String> {
    (1..).zip(nth).flat_map(|(day, counts)| {
        let which = (0..8).filter(move |count| counts & (1 << count) != 0);
        which.map(move |count| match count {
            0 => format!("{day}L"),
            count => format!("{day}#{count}"),
        })
    })
}

/// The set bits of a mask as a list of values and ranges; `*` when all are set.
fn list(mask: u64, all: std::ops::Range<u32>, name: impl Fn(u32) -> String) -> String {
    let set = |value: u32| value < all.end && mask & (1 << value) != 0;
    if all.clone().all(set) {
        return "*".to_owned();
    }
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

/// A look at the end of each change of the clock that covers a time that is named.
fn guards(crons: &[&CronExpression], tz: Tz) -> Vec<Guard> {
    let mut months: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for change in zone::changes(tz) {
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
            let months = list(months, 1..13, |month| month.to_string());
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
