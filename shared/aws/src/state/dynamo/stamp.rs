//! [`Stamps`]: the position of a materialization in the order of changes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use precip_engine::run::Clock;

/// Number of bits that separate stamps of one microsecond. The other 53 bits of a positive `i64` hold
/// microseconds until the year 2255.
const TIE_BITS: u32 = 10;

/// A source of stamps: microseconds since 1970 with a tie-break. Within one process stamps strictly
/// increase; across processes they follow the order in time as far as the clocks agree.
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

    /// Returns a stamp greater than `floor`. `tie` separates stamps that different processes make at the
    /// same time.
    pub(super) fn next(&self, tie: u64, floor: u64) -> u64 {
        let micros = u64::try_from(self.clock.now().timestamp_micros()).unwrap_or_default();
        let wanted = ((micros << TIE_BITS) | (tie % (1 << TIE_BITS))).max(floor + 1);
        let mut stamp = wanted;
        // The last stamp only grows, whatever the clock does.
        let next = |last: u64| {
            stamp = wanted.max(last + 1);
            Some(stamp)
        };
        // The closure never returns `None`, so the update always succeeds.
        let _ = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        stamp
    }

    /// Returns the expiry of a row that may be deleted after some time, in seconds since 1970.
    pub(super) fn expiry_after(&self, after: chrono::TimeDelta) -> i64 {
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
