//! Counting, listing and finding windows of time.

use std::hint::black_box;

use divan::Bencher;
use precip_bench_core::windows::{Windows, hours};
use precip_core::partitions::PartitionKey;

use crate::PARTITIONS;

const NEW_YORK: &str = "America/New_York";

fn count(bencher: Bencher, timezone: &str, size: u64) {
    bencher.with_inputs(|| hours(timezone, size)).bench_refs(
        |Windows {
             definition,
             context,
         }| definition.count(context),
    );
}

#[divan::bench(args = PARTITIONS)]
fn count_hours_utc(bencher: Bencher, size: u64) {
    count(bencher, "UTC", size);
}

#[divan::bench(args = PARTITIONS)]
fn count_hours_new_york(bencher: Bencher, size: u64) {
    count(bencher, NEW_YORK, size);
}

/// Every key, each written and dropped, from a definition that was never asked before.
fn keys(bencher: Bencher, timezone: &str, size: u64) {
    bencher.with_inputs(|| hours(timezone, size)).bench_refs(
        |Windows {
             definition,
             context,
         }| {
            let all = definition.all(context);
            assert!(all.len().abs_diff(size) < 10);
            definition.keys(&all, context).map(black_box).count()
        },
    );
}

#[divan::bench(args = PARTITIONS, max_time = 1)]
fn list_keys_hours_utc(bencher: Bencher, size: u64) {
    keys(bencher, "UTC", size);
}

#[divan::bench(args = PARTITIONS, max_time = 1)]
fn list_keys_hours_new_york(bencher: Bencher, size: u64) {
    keys(bencher, NEW_YORK, size);
}

/// Returns a thousand indices, spread over all windows.
fn places(size: u64) -> impl Iterator<Item = u64> {
    (0..1_000).map(move |place| place * (size / 1_000))
}

fn ordinals_to_keys(bencher: Bencher, timezone: &str, size: u64) {
    let Windows {
        definition,
        context,
    } = hours(timezone, size);
    bencher.bench_local(|| {
        for place in places(size) {
            black_box(definition.key(place, &context));
        }
    });
}

#[divan::bench(args = PARTITIONS)]
fn thousand_ordinals_to_keys_utc(bencher: Bencher, size: u64) {
    ordinals_to_keys(bencher, "UTC", size);
}

#[divan::bench(args = PARTITIONS)]
fn thousand_ordinals_to_keys_new_york(bencher: Bencher, size: u64) {
    ordinals_to_keys(bencher, NEW_YORK, size);
}

fn keys_to_ordinals(bencher: Bencher, timezone: &str, size: u64) {
    let Windows {
        definition,
        context,
    } = hours(timezone, size);
    let keys: Vec<PartitionKey> = places(size)
        .filter_map(|place| definition.key(place, &context))
        .collect();
    bencher.bench_local(|| {
        for key in &keys {
            assert!(definition.contains(key.as_str(), &context));
        }
    });
}

#[divan::bench(args = PARTITIONS)]
fn thousand_keys_to_ordinals_utc(bencher: Bencher, size: u64) {
    keys_to_ordinals(bencher, "UTC", size);
}

#[divan::bench(args = PARTITIONS)]
fn thousand_keys_to_ordinals_new_york(bencher: Bencher, size: u64) {
    keys_to_ordinals(bencher, NEW_YORK, size);
}
