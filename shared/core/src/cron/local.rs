//! Local times of a time zone, and the moments they name.

use chrono::{DateTime, Duration, MappedLocalTime, NaiveDateTime, Offset, TimeZone, Timelike, Utc};
use chrono_tz::{OffsetComponents, Tz, TzOffset};

/// A wall-clock time in some time zone, and its pass where the clock shows that time twice. A time
/// that the clock skips (when it is put forward) still names a moment, counted with the offset
/// before the change (first pass) or after it (second pass).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalTime {
    pub(crate) naive: NaiveDateTime,
    pub(crate) second_pass: bool,
}

/// The number of times the clock shows a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occurrence {
    /// Once, as usual.
    Once,
    /// Twice: the clock is put back over it.
    Twice,
    /// Never: the clock is put forward past it.
    Never,
}

impl LocalTime {
    pub(crate) fn first_pass(naive: NaiveDateTime) -> Self {
        Self {
            naive,
            second_pass: false,
        }
    }

    /// Returns the local time at a moment, given in Unix seconds.
    pub(crate) fn from_seconds(seconds: i64, tz: Tz) -> Self {
        let utc = naive_utc(seconds);
        if tz == Tz::UTC {
            return Self::first_pass(utc);
        }
        let offset = tz.offset_from_utc_datetime(&utc).fix().local_minus_utc();
        let naive = utc + Duration::seconds(i64::from(offset));
        // Of two candidate offsets the smaller one applies after the clock is put back.
        let second_pass = match tz.offset_from_local_datetime(&naive) {
            MappedLocalTime::Ambiguous(one, other) => {
                let (one, other) = (one.fix().local_minus_utc(), other.fix().local_minus_utc());
                one != other && offset == one.min(other)
            }
            _ => false,
        };
        Self { naive, second_pass }
    }

    /// Returns the offset from UTC that applies to this time and pass.
    pub(crate) fn utc_offset(self, tz: Tz) -> TzOffset {
        match tz.offset_from_local_datetime(&self.naive) {
            MappedLocalTime::Single(offset) => offset,
            MappedLocalTime::Ambiguous(one, other) => {
                // The first pass has the larger offset.
                let one_is_first = one.fix().local_minus_utc() >= other.fix().local_minus_utc();
                if one_is_first == self.second_pass {
                    other
                } else {
                    one
                }
            }
            // Offsets lie between -12 h and +14 h, so these moments are before and after the
            // change.
            MappedLocalTime::None if self.second_pass => {
                tz.offset_from_utc_datetime(&(self.naive + Duration::hours(13)))
            }
            MappedLocalTime::None => {
                tz.offset_from_utc_datetime(&(self.naive - Duration::hours(15)))
            }
        }
    }

    /// Returns the offset from UTC in seconds; east is positive.
    pub(crate) fn offset_seconds(self, tz: Tz) -> i64 {
        if tz == Tz::UTC {
            return 0;
        }
        i64::from(self.utc_offset(tz).fix().local_minus_utc())
    }

    /// Returns the moment in Unix seconds.
    pub(crate) fn to_seconds(self, tz: Tz) -> i64 {
        self.naive.and_utc().timestamp() - self.offset_seconds(tz)
    }

    pub(crate) fn occurrence(self, tz: Tz) -> Occurrence {
        match tz.offset_from_local_datetime(&self.naive) {
            MappedLocalTime::Single(_) => Occurrence::Once,
            MappedLocalTime::Ambiguous(..) => Occurrence::Twice,
            MappedLocalTime::None => Occurrence::Never,
        }
    }

    /// Returns true if the clock shows this time exactly once.
    pub(crate) fn is_shown_once(self, tz: Tz) -> bool {
        tz == Tz::UTC || self.occurrence(tz) == Occurrence::Once
    }

    /// Moves a skipped time to the end of the hour's gap, as Dagster does: only from 1 to 4
    /// o'clock, where clocks are usually changed.
    pub(crate) fn past_gap(self, tz: Tz) -> Self {
        // The saving after the gap is the gap's length.
        if !self.may_change() || self.occurrence(tz) != Occurrence::Never {
            return self;
        }
        let later = Self::first_pass(self.naive + Duration::hours(1));
        let saving = later.utc_offset(tz).dst_offset();
        let minutes = Duration::minutes(i64::from(self.naive.minute()));
        Self::first_pass(self.naive - minutes + saving)
    }

    /// Moves a time that shows twice, from 1 to 4 o'clock, to its second pass.
    pub(crate) fn later_pass(self, tz: Tz) -> Self {
        let twice = self.may_change() && self.occurrence(tz) != Occurrence::Once;
        Self {
            naive: self.naive,
            second_pass: self.second_pass || twice,
        }
    }

    fn may_change(self) -> bool {
        (1..=3).contains(&self.naive.hour())
    }

    /// Returns true if this is the second pass of a time that shows twice.
    pub(crate) fn is_repeated(self, tz: Tz) -> bool {
        let first = Self::first_pass(self.naive);
        self.second_pass && first.offset_seconds(tz) > self.offset_seconds(tz)
    }
}

/// Returns a moment in Unix seconds as a date and time in UTC.
pub(crate) fn naive_utc(seconds: i64) -> NaiveDateTime {
    DateTime::<Utc>::from_timestamp(seconds, 0)
        .unwrap_or(DateTime::UNIX_EPOCH)
        .naive_utc()
}
