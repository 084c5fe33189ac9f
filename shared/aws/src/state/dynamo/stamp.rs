//! [`Stamps`]: where a materialization stands in the order of changes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use precip_engine::run::Clock;

/// The bits that keep apart what is stamped in one microsecond. 53 bits of microseconds are left: until
/// the year 2255.
const TIE_BITS: u32 = 10;

/// Makes stamps: microseconds since 1970 and a tie-break. Never twice the same in one process, and
/// never less than before; in different processes, the order in which they were made as far as the
/// clocks agree.
#[derive(Debug)]
pub(super) struct Stamps {
    clock: Arc<dyn Clock>,
    last: AtomicU64,
}

impl Stamps {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            last: AtomicU64::new(0),
        }
    }

    /// A stamp greater than `floor`. `tie` tells apart what different processes stamp at once.
    pub(super) fn next(&self, tie: u64, floor: u64) -> u64 {
        let micros = u64::try_from(self.clock.now().timestamp_micros()).unwrap_or_default();
        let wanted = ((micros << TIE_BITS) | (tie % (1 << TIE_BITS))).max(floor + 1);
        let mut stamp = wanted;
        let next = |last: u64| {
            stamp = wanted.max(last + 1);
            Some(stamp)
        };
        // The closure always answers, so the update always happens.
        let _ = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        stamp
    }

    /// Seconds since 1970, some time from now: when a row may be deleted.
    pub(super) fn expiry(&self, after: chrono::TimeDelta) -> i64 {
        (self.clock.now() + after).timestamp()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;

    #[derive(Debug)]
    struct Stopped(DateTime<Utc>);

    impl Clock for Stopped {
        fn now(&self) -> DateTime<Utc> {
            self.0
        }
    }

    #[test]
    fn never_goes_back_and_never_repeats() {
        let at = DateTime::UNIX_EPOCH + TimeDelta::microseconds(5);
        let stamps = Stamps::new(Arc::new(Stopped(at)));
        assert_eq!(stamps.next(3, 0), (5 << 10) + 3);
        assert_eq!(stamps.next(3, 0), (5 << 10) + 4);
        assert_eq!(stamps.next(0, 0), (5 << 10) + 5);
        assert_eq!(stamps.next(0, 1 << 20), (1 << 20) + 1);
    }
}
