//! Set algebra, of runs and of scattered partitions.

use std::hint::black_box;

use divan::Bencher;
use precip_core::partitions::PartitionSet;

use crate::PARTITIONS;

/// Every third, beginning with the given one: the worst case of what is kept per partition.
fn scattered(size: u64, first: u64) -> PartitionSet {
    (first..size).step_by(3).collect()
}

#[divan::bench(args = PARTITIONS, max_time = 1)]
fn union_scattered(bencher: Bencher, size: u64) {
    let (a, b) = (scattered(size, 0), scattered(size, 1));
    bencher.bench_local(|| black_box(&a) | black_box(&b));
}

#[divan::bench(args = PARTITIONS, max_time = 1)]
fn difference_scattered(bencher: Bencher, size: u64) {
    let (a, b) = (scattered(size, 0), scattered(size / 2, 0));
    bencher.bench_local(|| black_box(&a) - black_box(&b));
}

/// Computes the missing partitions if every third is materialized.
#[divan::bench(args = PARTITIONS, max_time = 1)]
fn missing_of_scattered(bencher: Bencher, size: u64) {
    let (all, made) = (PartitionSet::from(0..size), scattered(size, 0));
    bencher.bench_local(|| black_box(&all) - black_box(&made));
}

/// Computes the missing partitions if the first half is materialized.
#[divan::bench(args = PARTITIONS)]
fn missing_of_a_run(bencher: Bencher, size: u64) {
    let (all, made) = (PartitionSet::from(0..size), PartitionSet::from(0..size / 2));
    bencher.bench_local(|| black_box(&all) - black_box(&made));
}

#[divan::bench(args = PARTITIONS, max_time = 1)]
fn list_runs_of_scattered(bencher: Bencher, size: u64) {
    let set = scattered(size, 0);
    bencher.bench_local(|| black_box(&set).ranges().count());
}

#[divan::bench(args = PARTITIONS, max_time = 1)]
fn write_and_read_scattered(bencher: Bencher, size: u64) {
    let set = scattered(size, 0);
    bencher.bench_local(|| {
        let text = serde_json::to_string(&set).expect("a set as JSON");
        serde_json::from_str::<PartitionSet>(&text).expect("the set again")
    });
}
