//! Partitions by time: as many as wanted, seen from the moment at which the last one has ended.

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::partitions::{PartitionContext, PartitionsDefinition, TimeWindowPartitions};

/// A definition, and the time at which it has a chosen number of partitions.
#[derive(Debug, Clone)]
pub struct Windows {
    /// The definition, with nothing cached.
    pub definition: PartitionsDefinition,
    /// The context at that time.
    pub context: PartitionContext,
}

/// Returns so many hours from 1970 on.
///
/// # Panics
/// If the time zone is invalid.
pub fn hours(timezone: &str, count: u64) -> Windows {
    let hours = TimeWindowPartitions::hourly("1970-01-01-00:00").timezone(timezone);
    windows(hours.build().expect("hours"), TimeDelta::hours(1), count)
}

/// Returns so many days from 1970 on.
///
/// # Panics
/// If the time zone is invalid.
pub fn days(timezone: &str, count: u64) -> Windows {
    let days = TimeWindowPartitions::daily("1970-01-01").timezone(timezone);
    windows(days.build().expect("days"), TimeDelta::days(1), count)
}

fn windows(definition: TimeWindowPartitions, length: TimeDelta, count: u64) -> Windows {
    let count = i32::try_from(count).expect("not more than two thousand million windows");
    // Where the clock was put forward, the last window would not have ended by some hours.
    let now: DateTime<Utc> = definition.start() + length * count + TimeDelta::minutes(59);
    Windows {
        definition: definition.into(),
        context: PartitionContext::at(now),
    }
}
