//! Cron schedules in a time zone: [`CronExpression`] and [`CronSchedule`].
//!
//! Grammar and ticks are Dagster's, which parses cron like `croniter` and corrects its ticks around
//! changes of the clock:
//!
//! - five fields: minute, hour, day of month, month, day of week; or `@hourly`, `@daily`,
//!   `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`;
//! - `*`, `5`, `1,15`, `9-17`, `22-4` (wraps around), `*/15`, `8-20/4`, `10/5`; names of months and
//!   of days of the week; 0 and 7 are Sunday; `?` for `*` in the two day fields;
//! - `L` is the last day of the month; in the day of week, `5#2` is the second Friday and `L5` the
//!   last Friday of the month;
//! - if day of month and day of week are both restricted, either one is enough;
//! - a tick inside the hour that the clock skips comes at the end of the gap; a tick at a fixed
//!   hour that occurs twice comes once, the second time; a schedule for every hour ticks in each
//!   elapsed hour.

mod error;
mod expression;
mod field;
mod local;
mod parse;
mod recurrence;
mod schedule;
mod tick;
mod timetable;

pub use error::{CronField, InvalidCron};
pub use expression::CronExpression;
pub(crate) use local::LocalTime;
pub use schedule::{CronSchedule, InvalidTimeZone, parse_time_zone};
pub use tick::Tick;
pub(crate) use timetable::Timetable;

#[cfg(test)]
mod tests;
