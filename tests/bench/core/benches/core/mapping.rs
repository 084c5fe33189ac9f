//! Days from hours, and hours from days, all at once. The size is the number of hours.

use divan::Bencher;
use precip_bench_core::windows::{days, hours};
use precip_core::{mapping::PartitionMapping, partitions::PartitionSet};

use crate::PARTITIONS;

const NEW_YORK: &str = "America/New_York";

/// The days for which all hours are there, and every hour they are made from.
fn days_to_hours(bencher: Bencher, timezone: &str, size: u64, keep: impl Fn(u64) -> bool) {
    let hours = hours(timezone, size);
    let days = days(timezone, size / 24);
    let wanted: PartitionSet = days
        .definition
        .all(&hours.context)
        .iter()
        .filter(|day| keep(*day))
        .collect();
    bencher.bench_local(|| {
        PartitionMapping::OVERLAPPING
            .to_upstream(
                &wanted,
                Some(&days.definition),
                Some(&hours.definition),
                &hours.context,
            )
            .map(|upstream| upstream.existing.len())
    });
}

fn hours_to_days(bencher: Bencher, timezone: &str, size: u64, keep: impl Fn(u64) -> bool) {
    let hours = hours(timezone, size);
    let days = days(timezone, size / 24);
    let made: PartitionSet = hours
        .definition
        .all(&hours.context)
        .iter()
        .filter(|hour| keep(*hour))
        .collect();
    bencher.bench_local(|| {
        PartitionMapping::OVERLAPPING
            .to_downstream(
                &made,
                Some(&hours.definition),
                Some(&days.definition),
                &hours.context,
            )
            .map(|downstream| downstream.len())
    });
}

#[divan::bench(args = PARTITIONS, max_time = 1)]
fn all_days_to_hours_utc(bencher: Bencher, size: u64) {
    days_to_hours(bencher, "UTC", size, |_| true);
}

#[divan::bench(args = PARTITIONS, max_time = 1)]
fn all_days_to_hours_new_york(bencher: Bencher, size: u64) {
    days_to_hours(bencher, NEW_YORK, size, |_| true);
}

#[divan::bench(args = PARTITIONS, max_time = 1)]
fn every_third_day_to_hours_new_york(bencher: Bencher, size: u64) {
    days_to_hours(bencher, NEW_YORK, size, |day| day % 3 == 0);
}

#[divan::bench(args = PARTITIONS, max_time = 1)]
fn all_hours_to_days_utc(bencher: Bencher, size: u64) {
    hours_to_days(bencher, "UTC", size, |_| true);
}

#[divan::bench(args = PARTITIONS, max_time = 1)]
fn all_hours_to_days_new_york(bencher: Bencher, size: u64) {
    hours_to_days(bencher, NEW_YORK, size, |_| true);
}

#[divan::bench(args = PARTITIONS, max_time = 1)]
fn every_third_hour_to_days_new_york(bencher: Bencher, size: u64) {
    hours_to_days(bencher, NEW_YORK, size, |hour| hour % 3 == 0);
}
