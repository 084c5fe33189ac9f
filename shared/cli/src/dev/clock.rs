//! [`DevClock`]: the time, perhaps beginning at another moment.

use chrono::{DateTime, TimeDelta, Utc};
use precip_engine::run::{Clock, SystemClock};

/// The time. With `--now` it begins at that moment and goes on from there.
#[derive(Debug)]
pub(super) struct DevClock {
    ahead: TimeDelta,
}

impl DevClock {
    pub(super) fn beginning(now: Option<DateTime<Utc>>) -> Self {
        Self {
            ahead: now.map_or(TimeDelta::zero(), |now| now - SystemClock.now()),
        }
    }
}

impl Clock for DevClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.ahead
    }
}
