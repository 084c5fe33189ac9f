//! When the clocks of a time zone change.

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// 2026-01-01 and 2036-01-01: the years whose changes are looked at. The rules of a zone say nothing
/// more about later ones.
const YEARS: (i64, i64) = (1_767_225_600, 2_082_758_400);
const DAY: i64 = 86_400;

/// A change of the clock: what it shows on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    /// The earlier reading.
    pub(super) from: NaiveDateTime,
    /// The later reading: what the clock shows when the day goes on.
    pub(super) to: NaiveDateTime,
}

/// The changes of the years ahead.
pub(super) fn changes(tz: Tz) -> Vec<Change> {
    let days = (YEARS.0..YEARS.1).step_by(86_400);
    days.filter_map(|day| {
        let (before, after) = (offset(tz, day), offset(tz, day + DAY));
        if before == after {
            return None;
        }
        // The first second with another offset.
        let (mut low, mut high) = (day, day + DAY);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if offset(tz, middle) == before {
                low = middle;
            } else {
                high = middle;
            }
        }
        let shown = |offset: i64| utc(high) + TimeDelta::seconds(offset);
        let (one, other) = (shown(before), shown(offset(tz, high)));
        Some(Change {
            from: one.min(other),
            to: one.max(other),
        })
    })
    .collect()
}

/// Whether the clocks of a zone always show the minutes that UTC shows.
pub(super) fn has_whole_hours(tz: Tz) -> bool {
    let days = (YEARS.0..YEARS.1).step_by(86_400);
    days.into_iter().all(|day| offset(tz, day) % 3_600 == 0)
}

fn offset(tz: Tz, seconds: i64) -> i64 {
    let offset = tz.offset_from_utc_datetime(&utc(seconds));
    offset.fix().local_minus_utc().into()
}

fn utc(seconds: i64) -> NaiveDateTime {
    DateTime::<Utc>::from_timestamp(seconds, 0)
        .unwrap_or_default()
        .naive_utc()
}
