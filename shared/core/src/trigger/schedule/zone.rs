//! Clock changes of a time zone.

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// The years whose changes are examined, as Unix times: 2026-01-01 to 2036-01-01. The rules of a
/// zone have no further changes for later years.
const YEARS: (i64, i64) = (1_767_225_600, 2_082_758_400);
const DAY: i64 = 86_400;

/// A clock change, as the local times on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClockChange {
    /// The earlier local time.
    pub(super) from: NaiveDateTime,
    /// The later local time, at which the day continues.
    pub(super) to: NaiveDateTime,
}

/// Returns the clock changes of the years ahead.
pub(super) fn clock_changes(tz: Tz) -> Vec<ClockChange> {
    let days = (YEARS.0..YEARS.1).step_by(86_400);
    days.filter_map(|day| {
        let (before, after) = (utc_offset(tz, day), utc_offset(tz, day + DAY));
        if before == after {
            return None;
        }
        // Binary search for the first second with another offset.
        let (mut low, mut high) = (day, day + DAY);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if utc_offset(tz, middle) == before {
                low = middle;
            } else {
                high = middle;
            }
        }
        let shown = |offset: i64| utc_time(high) + TimeDelta::seconds(offset);
        let (one, other) = (shown(before), shown(utc_offset(tz, high)));
        Some(ClockChange {
            from: one.min(other),
            to: one.max(other),
        })
    })
    .collect()
}

/// Returns `true` if the offset of a zone is always a whole number of hours.
pub(super) fn has_whole_hours(tz: Tz) -> bool {
    let days = (YEARS.0..YEARS.1).step_by(86_400);
    days.into_iter().all(|day| utc_offset(tz, day) % 3_600 == 0)
}

/// Returns the offset of a zone from UTC at a Unix time, in seconds.
fn utc_offset(tz: Tz, seconds: i64) -> i64 {
    let offset = tz.offset_from_utc_datetime(&utc_time(seconds));
    offset.fix().local_minus_utc().into()
}

/// Returns a Unix time as a date and time in UTC.
fn utc_time(seconds: i64) -> NaiveDateTime {
    DateTime::<Utc>::from_timestamp(seconds, 0)
        .unwrap_or_default()
        .naive_utc()
}
