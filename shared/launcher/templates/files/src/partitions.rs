//! The partitions of the assets.

use precip::prelude::*;

/// A partition for each day that has a landing file. Remove `end` when files arrive every day.
pub static DAILY: LazyPartitions = partitions!(daily(
    start = "2026-01-01",
    end = "2026-01-04",
    timezone = "Europe/Berlin"
));

/// A partition for each month.
pub static MONTHLY: LazyPartitions = partitions!(monthly(
    start = "2026-01",
    end = "2026-02",
    fmt = "%Y-%m",
    timezone = "Europe/Berlin"
));
