//! Errors of cron schedules.

use std::{fmt, ops::Range};

/// A field of a cron expression.
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

    /// Returns the advice on valid values that ends an error message.
    fn allowed_values(self) -> &'static str {
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
#[non_exhaustive]
pub enum InvalidCron {
    /// Neither five fields nor an alias.
    #[error(
        "`{expression}` is not a cron schedule: it has {count} fields; write five, minute, hour, day \
         of month, month and day of week, like `0 6 * * mon-fri`, or one of `@hourly`, `@daily`, \
         `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`"
    )]
    FieldCount {
        /// The rejected text.
        expression: String,
        /// The number of its fields.
        count: usize,
    },
    /// An invalid part of a field.
    #[error("`{expression}` is not a cron schedule: {field} `{part}` {reason}; {}", field.allowed_values())]
    Field {
        /// The rejected text.
        expression: String,
        /// The field of the part.
        field: CronField,
        /// The invalid part.
        part: String,
        /// The byte range of the part in `expression`.
        span: Range<usize>,
        /// The reason, as a verb phrase such as `is out of range`.
        reason: &'static str,
    },
    /// Plain weekdays and weekdays with `#` or `L` in one field.
    #[error(
        "`{expression}` is not a cron schedule: day of week mixes plain days with `#` or `L` days; \
         write two schedules"
    )]
    MixedWeekdays {
        /// The rejected text.
        expression: String,
    },
    /// A day that no year has, such as 30 February.
    #[error("`{expression}` never ticks: no month it names has such a day; change day or month")]
    Never {
        /// The rejected text.
        expression: String,
    },
    /// The 30th or 31st of February as the only day of the month, next to days of the week.
    #[error(
        "`{expression}` is not a cron schedule: February has no day {day}, so only the day of week \
         would tick; write `*` as the day of month, or another month"
    )]
    DayOfFebruary {
        /// The rejected text.
        expression: String,
        /// The day of the month.
        day: u32,
    },
    /// A schedule without expressions.
    #[error("a schedule needs at least one cron expression, like `0 6 * * *`")]
    Empty,
}

impl InvalidCron {
    /// Returns the byte range of the fault in the expression, if it has a single location.
    pub fn span(&self) -> Option<Range<usize>> {
        match self {
            Self::Field { span, .. } => Some(span.clone()),
            _ => None,
        }
    }
}
