//! The kinds of recurrence: around changes of the clock, Dagster has a rule of its own for each of
//! the common cadences.

use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::expression::Fields;

/// The kind of recurrence of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recurrence {
    /// Every 3600 elapsed seconds, from the minute where it starts (`30 * * * *`).
    Elapsed {
        /// The starting minute.
        minute: u32,
    },
    /// At some minutes of each elapsed hour (`*/15 * * * *`).
    Minutes {
        /// Bit n is set for minute n.
        mask: u64,
    },
    /// Once on each named day (`30 2 * * 1-5`).
    OncePerDay {
        /// The hour.
        hour: u32,
        /// The minute.
        minute: u32,
    },
    /// At each minute at which the clock shows a named time, every hour.
    WallClock,
    /// At some times of each named day.
    Times,
}

impl Recurrence {
    pub(crate) fn from_fields(fields: &Fields) -> Self {
        let Fields {
            minute,
            hour,
            day,
            month,
            weekday,
            ..
        } = fields;
        let any_day = day.wildcard && month.wildcard;
        // A day past the 28th is missing in some months, which Dagster handles as general times.
        if let (Some(minute), Some(hour), false) =
            (minute.single_value(), hour.single_value(), fields.has_nth())
        {
            let daily = any_day && (weekday.wildcard || weekday.is_numbers());
            let monthly = month.wildcard
                && weekday.wildcard
                && day.single_value().is_some_and(|day| day <= 28);
            if daily || monthly {
                return Self::OncePerDay { hour, minute };
            }
        }
        let each_hour = hour.wildcard && any_day && weekday.wildcard && !fields.has_nth();
        match minute.single_value() {
            Some(minute) if each_hour => Self::Elapsed { minute },
            None if each_hour && minute.is_numbers() => Self::Minutes { mask: minute.bits },
            _ if hour.wildcard => Self::WallClock,
            _ => Self::Times,
        }
    }

    /// Returns true if ticks are computed by days of UTC, not by dates of the local calendar.
    pub(crate) fn by_utc_day(self) -> bool {
        matches!(
            self,
            Self::Elapsed { .. } | Self::Minutes { .. } | Self::WallClock
        )
    }
}

/// Returns true if the offset of a zone is never a whole hour (as in India), by the zone's rules of
/// 2026. Dagster decides this by the rules at the time it runs.
pub(crate) fn has_minute_offset(tz: Tz) -> bool {
    // 15 January and 15 July 2026.
    [1_768_435_200, 1_784_073_600].into_iter().all(|seconds| {
        let at = DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default();
        tz.offset_from_utc_datetime(&at.naive_utc())
            .fix()
            .local_minus_utc()
            % 3600
            != 0
    })
}
