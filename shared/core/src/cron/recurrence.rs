//! In which way an expression recurs: Dagster treats the common cadences each in its own way around
//! changes of the clock.

use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::expression::Fields;

/// In which way an expression recurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recurrence {
    /// Each 3600 s that pass, from the minute where it starts (`30 * * * *`).
    Elapsed {
        /// The minute where it starts.
        minute: u32,
    },
    /// At some minutes of each hour that passes (`*/15 * * * *`).
    Minutes {
        /// Bit n: the minute n.
        mask: u64,
    },
    /// Once on each day that is named (`30 2 * * 1-5`).
    OncePerDay {
        /// The hour.
        hour: u32,
        /// The minute.
        minute: u32,
    },
    /// At each minute at which the clock shows a time that is named, every hour.
    Shown,
    /// At some times of each day that is named.
    Times,
}

impl Recurrence {
    pub(crate) fn of(fields: &Fields) -> Self {
        let Fields {
            minute,
            hour,
            day,
            month,
            weekday,
            ..
        } = fields;
        let any_day = day.wildcard && month.wildcard;
        if let (Some(minute), Some(hour), false) =
            (minute.single(), hour.single(), fields.has_nth())
        {
            let daily = any_day && (weekday.wildcard || weekday.is_numbers());
            let monthly =
                month.wildcard && weekday.wildcard && day.single().is_some_and(|day| day <= 28);
            if daily || monthly {
                return Self::OncePerDay { hour, minute };
            }
        }
        let each_hour = hour.wildcard && any_day && weekday.wildcard && !fields.has_nth();
        match minute.single() {
            Some(minute) if each_hour => Self::Elapsed { minute },
            None if each_hour && minute.is_numbers() => Self::Minutes { mask: minute.bits },
            _ if hour.wildcard => Self::Shown,
            _ => Self::Times,
        }
    }

    /// Whether ticks are laid out by days of UTC, not by dates of the local calendar.
    pub(crate) fn by_utc_day(self) -> bool {
        matches!(
            self,
            Self::Elapsed { .. } | Self::Minutes { .. } | Self::Shown
        )
    }
}

/// Whether the clocks of a zone never show the minutes of UTC (as in India), by the zone's rules of
/// 2026. Dagster asks the same of the moment at which it happens to run.
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
