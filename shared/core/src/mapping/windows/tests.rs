//! The mapping by ordinals agrees with the mapping along the schedule.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use crate::{
    mapping::PartitionMapping,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition, TimeWindowPartitions},
};

const CRONS: [&str; 9] = [
    "30 * * * *",
    "*/20 * * * *",
    "0 * * * *",
    "0 0 * * *",
    "30 2 * * *",
    "0 0 * * 1-5",
    "15 6 * * 0",
    "0 0 1 * *",
    "0 */5 * * *",
];

const ZONES: [&str; 4] = [
    "UTC",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
];

const START: &str = "2024-03-01-00:00:00";

/// Returns a definition, and the same with an exclusion that matches no window, which forces the
/// mapping along the schedule.
fn fast_and_slow_definition(cron: &str, start: &str, zone: &str) -> [PartitionsDefinition; 2] {
    let windows = || TimeWindowPartitions::cron(cron, start, "%Y-%m-%d-%H:%M:%S").timezone(zone);
    let slow = windows().exclude_at("2000-01-01-00:00:01");
    [windows(), slow].map(|windows| windows.build().unwrap().into())
}

proptest! {
    #[test]
    fn ordinals_and_schedules_agree(
        (up_cron, down_cron) in (0..CRONS.len(), 0..CRONS.len()),
        zone in prop::sample::select(&ZONES[..]),
        later in prop::sample::select(&["2024-02-25-00:00:00", "2024-03-09-12:00:00", "2024-03-20-07:00:00"][..]),
        days in 0..40_i64,
        (start_offset, end_offset) in (-3..3_i64, -3..3_i64),
        shifted: bool,
        one_definition: bool,
        wanted in prop::collection::btree_set(0..900_u64, 0..12),
        run in 1..60_u64,
    ) {
        let (up_cron, up_start) = if one_definition {
            (down_cron, START)
        } else {
            (up_cron, later)
        };
        // Map both pairs in both directions, with runs of windows at random positions.
        let [up, slow_up] = fast_and_slow_definition(CRONS[up_cron], up_start, zone);
        let [down, slow_down] = fast_and_slow_definition(CRONS[down_cron], START, zone);
        let now: DateTime<Utc> = "2024-03-12T17:00:00Z".parse().unwrap();
        let context = PartitionContext::at(now + chrono::Duration::days(days));
        let mapping = if shifted {
            PartitionMapping::TimeWindow {
                start_offset,
                end_offset,
                allow_nonexistent_upstream_partitions: false,
            }
        } else {
            PartitionMapping::OVERLAPPING
        };
        let sample_set = |definition: &PartitionsDefinition| {
            let count = definition.count(&context).max(1);
            let runs = wanted.iter().map(|first| first % count..first % count + run);
            &runs.collect::<PartitionSet>() & &definition.all(&context)
        };

        let down_set = sample_set(&down);
        let quick = mapping.to_upstream(&down_set, Some(&down), Some(&up), &context).unwrap();
        let slow = mapping.to_upstream(&down_set, Some(&slow_down), Some(&slow_up), &context).unwrap();
        prop_assert_eq!(quick, slow);

        let up_set = sample_set(&up);
        let quick = mapping.to_downstream(&up_set, Some(&up), Some(&down), &context).unwrap();
        let slow = mapping.to_downstream(&up_set, Some(&slow_up), Some(&slow_down), &context).unwrap();
        prop_assert_eq!(quick, slow);
    }
}
