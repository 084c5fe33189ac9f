//! The partitions of the assets.

use precip::prelude::*;

/// A partition for each day that has a landing file. Remove `end` when files arrive every day.
pub static DAILY: LazyPartitions = partitions!(daily(
    start = "2026-01-04",
    end = "2026-01-11",
    timezone = "Europe/Berlin"
));

/// A partition for each week, from Sunday.
pub static WEEKLY: LazyPartitions = partitions!(weekly(
    start = "2026-01-04",
    end = "2026-01-11",
    timezone = "Europe/Berlin"
));
