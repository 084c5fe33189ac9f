//! The partitions of the assets.

use precip::prelude::*;

/// A partition for each local day of 2013.
pub static DAILY: LazyPartitions = partitions!(daily(
    start = "2013-01-01",
    end = "2014-01-01",
    timezone = "America/New_York"
));

/// A partition for each month of 2013.
pub static MONTHLY: LazyPartitions = partitions!(monthly(
    start = "2013-01",
    end = "2014-01",
    fmt = "%Y-%m",
    timezone = "America/New_York"
));

/// The three airports of New York.
pub static ORIGINS: LazyPartitions = partitions!(static("EWR", "JFK", "LGA"));

/// A partition for each day and airport.
pub static DAILY_BY_ORIGIN: LazyPartitions = partitions!(multi(date = DAILY, origin = ORIGINS));
