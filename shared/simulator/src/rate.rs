//! A rate limit: so many units a second.

use std::time::Duration;

/// A bucket that fills continuously at a rate, up to a capacity, and from which units are taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    capacity: f64,
    per_second: f64,
    left: f64,
    at: Duration,
}

impl Bucket {
    /// Creates a full bucket.
    pub(crate) fn new(capacity: f64, per_second: f64) -> Self {
        Self {
            capacity,
            per_second,
            left: capacity,
            at: Duration::ZERO,
        }
    }

    /// Changes capacity and rate. What is left stays, within the capacity.
    pub(crate) fn resize(&mut self, capacity: f64, per_second: f64) {
        self.capacity = capacity;
        self.per_second = per_second;
        self.left = self.left.min(capacity);
    }

    /// Takes units if so many are left.
    pub(crate) fn take(&mut self, now: Duration, units: f64) -> bool {
        self.fill(now);
        // A bucket that was filled by fractions may lack a rounding error.
        let enough = self.left + 1e-9 >= units;
        if enough {
            self.left -= units;
        }
        enough
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.left = (self.left + passed * self.per_second).min(self.capacity);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Bucket;

    #[test]
    fn a_bucket_fills_at_its_rate_and_holds_its_capacity() {
        let mut bucket = Bucket::new(10.0, 5.0);
        let mut taken = |millis| {
            let now = Duration::from_millis(millis);
            (0..100).filter(|_| bucket.take(now, 1.0)).count()
        };
        assert_eq!([taken(0), taken(0), taken(1_000)], [10, 0, 5]);
        // A longer rest does not accumulate more than the capacity.
        assert_eq!([taken(1_200), taken(60_000)], [1, 10]);
    }
}
