//! DynamoDB: the throughput of an on-demand table, its throttling, and what it charges.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    bill::{Bill, Unit},
    kernel::VirtualTime,
    rate::Bucket,
    saturation::Saturation,
};

/// The throughput of an on-demand table.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Write units a second of a new table: 4,000.
    ///
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>
    pub first_writes: f64,
    /// Read units a second of a new table: 12,000.
    pub first_reads: f64,
    /// The time within which a table takes at most twice its previous peak: 30 minutes.
    pub doubling_period: Duration,
    /// Write units a second of one key: 1,000.
    ///
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
    pub key_writes: f64,
    /// Read units a second of one key: 3,000.
    pub key_reads: f64,
    /// Write units a second of any table, until the quota is raised: 40,000.
    ///
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>
    pub most_writes: f64,
    /// Read units a second of any table, until the quota is raised: 40,000.
    pub most_reads: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_writes: 4_000.0,
            first_reads: 12_000.0,
            doubling_period: Duration::from_secs(30 * 60),
            key_writes: 1_000.0,
            key_reads: 3_000.0,
            most_writes: 40_000.0,
            most_reads: 40_000.0,
        }
    }
}

/// A request that DynamoDB refuses because of its throughput. It is not charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Throttled {
    /// The table takes no more: `ThrottlingException`.
    #[error("Throughput exceeds the current capacity of your table")]
    Table,
    /// The key takes no more: `ProvisionedThroughputExceededException`.
    #[error(
        "The level of configured provisioned throughput for one or more partitions was exceeded"
    )]
    Key,
}

/// The direction of an access, which is limited and charged for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A write.
    Write,
    /// A read.
    Read,
}

/// The throughput of a table. Clones share it.
///
/// A table takes up to twice its previous peak; what it takes becomes the peak of the next 30
/// minutes. A key is a partition of its own in the worst case, and takes a partition's throughput.
#[derive(Clone)]
pub struct Table(Arc<Inner>);

struct Inner {
    time: VirtualTime,
    bill: Bill,
    limits: Limits,
    saturation: Saturation,
    state: Mutex<State>,
}

struct State {
    rates: [Rate; 2],
    keys: HashMap<u64, [Bucket; 2]>,
    throttled: u64,
}

/// The throughput of a table, of writes or of reads.
struct Rate {
    bucket: Bucket,
    /// The throughput that the table takes now.
    limit: f64,
    most: f64,
    /// The period that `peak` is measured in.
    period: u64,
    /// The most units of a second in this period.
    peak: f64,
    second: u64,
    taken: f64,
}

impl Rate {
    fn new(first: f64, most: f64) -> Self {
        Self {
            bucket: Bucket::new(first, first),
            limit: first,
            most,
            period: 0,
            peak: 0.0,
            second: 0,
            taken: 0.0,
        }
    }

    fn take(&mut self, now: Duration, units: f64, doubling_period: Duration) -> bool {
        let period = now.as_secs() / doubling_period.as_secs().max(1);
        if period != self.period {
            // The peak of a period is what its table doubles from in the next.
            self.limit = self.limit.max((2.0 * self.peak).min(self.most));
            self.bucket.resize(self.limit, self.limit);
            (self.period, self.peak) = (period, 0.0);
        }
        let taken = self.bucket.take(now, units);
        if taken {
            if self.second != now.as_secs() {
                (self.second, self.taken) = (now.as_secs(), 0.0);
            }
            self.taken += units;
            self.peak = self.peak.max(self.taken.min(self.limit));
        }
        taken
    }
}

impl Table {
    /// Creates a new table.
    pub fn new(time: VirtualTime, bill: Bill, limits: Limits) -> Self {
        let state = State {
            rates: [
                Rate::new(limits.first_writes, limits.most_writes),
                Rate::new(limits.first_reads, limits.most_reads),
            ],
            keys: HashMap::new(),
            throttled: 0,
        };
        Self(Arc::new(Inner {
            time,
            bill,
            limits,
            saturation: Saturation::default(),
            state: Mutex::new(state),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes to a key, or reads from it, and charges the units. Also charge what a condition refuses:
    /// DynamoDB does.
    ///
    /// # Errors
    /// [`Throttled`].
    pub fn consume(&self, key: u64, access: Access, units: f64) -> Result<(), Throttled> {
        let inner = &self.0;
        let now = inner.time.elapsed();
        let mut state = self.lock();
        let limits = &inner.limits;
        let of_key = state.keys.entry(key).or_insert_with(|| {
            [limits.key_writes, limits.key_reads].map(|rate| Bucket::new(rate, rate))
        });
        let (index, unit) = match access {
            Access::Write => (0, Unit::DynamoDbWrite),
            Access::Read => (1, Unit::DynamoDbRead),
        };
        let throttled = if !of_key[index].take(now, units) {
            Throttled::Key
        } else if !state.rates[index].take(now, units, limits.doubling_period) {
            Throttled::Table
        } else {
            inner.bill.add(unit, units);
            return Ok(());
        };
        inner.saturation.note_second(now);
        state.throttled += 1;
        Err(throttled)
    }

    /// Returns the number of throttled requests.
    pub fn throttled(&self) -> u64 {
        self.lock().throttled
    }

    /// Returns the time in which requests were throttled, in whole seconds.
    pub fn saturation(&self) -> &Saturation {
        &self.0.saturation
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;

    use super::*;
    use crate::kernel::Kernel;

    /// Writes spread over many keys for so many seconds, 10,000 a second, and returns how many were taken.
    fn taken_in(kernel: &mut Kernel, table: &Table, seconds: u64) -> u64 {
        let (time, mut taken) = (kernel.time(), 0);
        kernel.run(async {
            for _ in 0..seconds {
                for tenth in 0..10 {
                    for key in 0..1_000 {
                        let key = tenth * 1_000 + key;
                        taken += u64::from(table.consume(key, Access::Write, 1.0).is_ok());
                    }
                    time.sleep(Duration::from_millis(100)).await;
                }
            }
        });
        taken
    }

    #[test]
    fn a_new_table_takes_four_thousand_writes_and_then_twice_its_peak() {
        let mut kernel = Kernel::new(DateTime::UNIX_EPOCH);
        let bill = Bill::default();
        let table = Table::new(kernel.time(), bill.clone(), Limits::default());
        let first = taken_in(&mut kernel, &table, 10);
        assert!((40_000..=44_000).contains(&first), "{first}");
        assert_eq!(
            bill.amount(Unit::DynamoDbWrite),
            first as f64,
            "refused writes are free"
        );
        assert_eq!(table.throttled(), 100_000 - first);
        // Half an hour later it takes 8,000.
        let time = kernel.time();
        kernel.run(time.sleep(Duration::from_secs(1_800)));
        let second = taken_in(&mut kernel, &table, 10);
        assert!((80_000..=88_000).contains(&second), "{second}");
    }

    #[test]
    fn a_key_takes_a_thousand_writes_a_second() {
        let kernel = Kernel::new(DateTime::UNIX_EPOCH);
        let table = Table::new(kernel.time(), Bill::default(), Limits::default());
        let write = || table.consume(1, Access::Write, 1.0);
        let taken = (0..2_000).filter(|_| write().is_ok()).count();
        assert_eq!((taken, write()), (1_000, Err(Throttled::Key)));
        assert_eq!(table.consume(2, Access::Write, 1.0), Ok(()));
        assert_eq!(table.consume(1, Access::Read, 3_000.0), Ok(()));
        assert_eq!(table.consume(1, Access::Read, 0.5), Err(Throttled::Key));
    }
}
