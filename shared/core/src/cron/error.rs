//! Text that is not a cron schedule.

use std::{fmt, ops::Range};

/// The field of a cron expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CronField {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31, or `L`.
    DayOfMonth,
    /// 1 to 12, or `jan` to `dec`.
    Month,
    /// 0 (Sunday) to 6, 7 (Sunday again), or `sun` to `sat`.
    DayOfWeek,
}

impl CronField {
    /// The fields in the order in which they are written.
    pub const ALL: [Self; 5] = [
        Self::Minute,
        Self::Hour,
        Self::DayOfMonth,
        Self::Month,
        Self::DayOfWeek,
    ];

    /// What can be written in this field.
    fn allowed(self) -> &'static str {
        match self {
            Self::Minute => "write 0 to 59, a list `0,30`, a range `0-29` or a step `*/15`",
            Self::Hour => "write 0 to 23, a list `0,12`, a range `9-17` or a step `*/6`",
            Self::DayOfMonth => "write 1 to 31, `L` for the last day, a list, a range or a step",
            Self::Month => "write 1 to 12 or `jan` to `dec`, a list, a range or a step",
            Self::DayOfWeek => {
                "write 0 to 7 (0 and 7 are Sunday) or `sun` to `sat`, a list, a range, `5#2` for the \
                 second Friday or `L5` for the last"
            }
        }
    }
}

impl fmt::Display for CronField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of month",
            Self::Month => "month",
            Self::DayOfWeek => "day of week",
        })
    }
}

/// Text that is not a cron schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCron {
    /// Not five fields, and no alias.
    #[error(
        "`{expression}` is not a cron schedule: it has {count} fields; write five, minute, hour, day \
         of month, month and day of week, like `0 6 * * mon-fri`, or one of `@hourly`, `@daily`, \
         `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`"
    )]
    FieldCount {
        /// What was given.
        expression: String,
        /// How many fields it has.
        count: usize,
    },
    /// A part of a field that cannot stand there.
    #[error("`{expression}` is not a cron schedule: {field} `{part}` {problem}; {}", field.allowed())]
    Field {
        /// What was given.
        expression: String,
        /// Where.
        field: CronField,
        /// The part that cannot be read.
        part: String,
        /// Its place in `expression`, in bytes.
        span: Range<usize>,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Days of the week with and without `#` or `L` in one field.
    #[error(
        "`{expression}` is not a cron schedule: day of week mixes plain days with `#` or `L` days; \
         write two schedules"
    )]
    MixedWeekdays {
        /// What was given.
        expression: String,
    },
    /// A day that does not come, such as 30 February.
    #[error("`{expression}` never comes: no month it names has such a day; change day or month")]
    Never {
        /// What was given.
        expression: String,
    },
    /// A schedule of no expressions.
    #[error("a schedule needs at least one cron expression, like `0 6 * * *`")]
    Empty,
}

impl InvalidCron {
    /// Where in the expression the fault is, in bytes, if it is in one place.
    pub fn span(&self) -> Option<Range<usize>> {
        match self {
            Self::Field { span, .. } => Some(span.clone()),
            _ => None,
        }
    }
}
