//! What a clock on the wall shows, and which moment that is.

use chrono::{DateTime, Duration, MappedLocalTime, NaiveDateTime, Offset, TimeZone, Timelike, Utc};
use chrono_tz::{OffsetComponents, Tz, TzOffset};

/// A reading of a clock on the wall in some time zone, and which pass it is where the clock shows a
/// time twice. A reading may be one that never shows (while the clock is put forward): it still
/// names a moment, counted with the offset before the change (first pass) or after it (second pass).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalTime {
    pub(crate) naive: NaiveDateTime,
    pub(crate) second_pass: bool,
}

/// How a reading stands to the changes of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// It shows once.
    Once,
    /// It shows twice.
    Twice,
    /// It never shows.
    Never,
}

impl LocalTime {
    pub(crate) fn first_pass(naive: NaiveDateTime) -> Self {
        Self {
            naive,
            second_pass: false,
        }
    }

    /// What the clock shows at a moment (in seconds of Unix time).
    pub(crate) fn at(seconds: i64, tz: Tz) -> Self {
        let utc = naive_utc(seconds);
        if tz == Tz::UTC {
            return Self::first_pass(utc);
        }
        let offset = tz.offset_from_utc_datetime(&utc).fix().local_minus_utc();
        let naive = utc + Duration::seconds(i64::from(offset));
        let second_pass = match tz.offset_from_local_datetime(&naive) {
            MappedLocalTime::Ambiguous(one, other) => {
                let (one, other) = (one.fix().local_minus_utc(), other.fix().local_minus_utc());
                one != other && offset == one.min(other)
            }
            _ => false,
        };
        Self { naive, second_pass }
    }

    /// The offset from UTC that this reading is counted with.
    pub(crate) fn offset(self, tz: Tz) -> TzOffset {
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
            // Offsets lie between -12 h and +14 h, so these moments are before and after the change.
            MappedLocalTime::None if self.second_pass => {
                tz.offset_from_utc_datetime(&(self.naive + Duration::hours(13)))
            }
            MappedLocalTime::None => {
                tz.offset_from_utc_datetime(&(self.naive - Duration::hours(15)))
            }
        }
    }

    /// Seconds by which the clock is ahead of UTC.
    pub(crate) fn offset_seconds(self, tz: Tz) -> i64 {
        if tz == Tz::UTC {
            return 0;
        }
        i64::from(self.offset(tz).fix().local_minus_utc())
    }

    /// The moment, in seconds of Unix time.
    pub(crate) fn seconds(self, tz: Tz) -> i64 {
        self.naive.and_utc().timestamp() - self.offset_seconds(tz)
    }

    pub(crate) fn shown(self, tz: Tz) -> Shown {
        match tz.offset_from_local_datetime(&self.naive) {
            MappedLocalTime::Single(_) => Shown::Once,
            MappedLocalTime::Ambiguous(..) => Shown::Twice,
            MappedLocalTime::None => Shown::Never,
        }
    }

    /// Whether the clock shows this once.
    pub(crate) fn is_shown_once(self, tz: Tz) -> bool {
        tz == Tz::UTC || self.shown(tz) == Shown::Once
    }

    /// Moves a reading that never shows to the end of the hour's gap, as Dagster does: only from 1
    /// to 4 o'clock, where clocks are usually changed.
    pub(crate) fn past_gap(self, tz: Tz) -> Self {
        if !self.may_change() || self.shown(tz) != Shown::Never {
            return self;
        }
        let later = Self::first_pass(self.naive + Duration::hours(1));
        let saving = later.offset(tz).dst_offset();
        let minutes = Duration::minutes(i64::from(self.naive.minute()));
        Self::first_pass(self.naive - minutes + saving)
    }

    /// Takes the second pass of a reading that shows twice from 1 to 4 o'clock.
    pub(crate) fn later_pass(self, tz: Tz) -> Self {
        let twice = self.may_change() && self.shown(tz) != Shown::Once;
        Self {
            naive: self.naive,
            second_pass: self.second_pass || twice,
        }
    }

    fn may_change(self) -> bool {
        (1..=3).contains(&self.naive.hour())
    }

    /// Whether this is the second pass of a reading that shows twice.
    pub(crate) fn is_repeated(self, tz: Tz) -> bool {
        let first = Self::first_pass(self.naive);
        self.second_pass && first.offset_seconds(tz) > self.offset_seconds(tz)
    }
}

/// A moment as a date and time in UTC.
pub(crate) fn naive_utc(seconds: i64) -> NaiveDateTime {
    DateTime::<Utc>::from_timestamp(seconds, 0)
        .unwrap_or(DateTime::UNIX_EPOCH)
        .naive_utc()
}
