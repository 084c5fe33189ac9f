//! [`DevClock`]: a clock that may start at another time.

use chrono::{DateTime, TimeDelta, Utc};
use precip_engine::run::{Clock, SystemClock};

/// The system clock, shifted so that it starts at the time given with `--now`.
#[derive(Debug)]
pub(super) struct DevClock {
    offset: TimeDelta,
}

impl DevClock {
    /// Creates a clock that starts at `now`, or at the present.
    pub(super) fn starting_at(now: Option<DateTime<Utc>>) -> Self {
        Self {
            offset: now.map_or(TimeDelta::zero(), |now| now - SystemClock.now()),
        }
    }
}

impl Clock for DevClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.offset
    }
}
