//! Plans of a thousand assets in ten layers. The size is the number of (asset, day) pairs.

use divan::Bencher;
use precip_bench_core::{
    graphs::{Edges, layered},
    windows::days,
};
use precip_core::{
    graph::AssetGraph,
    partitions::PartitionSet,
    plan::{AssetPartitions, AssetStatuses, Lineage, PartitionSelector, Plan, PlanRequest},
};

use crate::{A_THOUSAND, PAIRS};

fn plan(
    bencher: Bencher,
    size: u64,
    edges: Edges,
    selector: &PartitionSelector,
    record: impl Fn(&AssetGraph, u64) -> AssetStatuses,
) {
    let count = size / A_THOUSAND as u64;
    let days = days("UTC", count);
    let graph = layered(A_THOUSAND, &days.definition, edges, None);
    let record = record(&graph, count);
    let request = PlanRequest::new(graph.all_assets(), selector.clone());
    bencher.bench_local(|| {
        Plan::new(Lineage::new(&graph, &days.context), &request, &record).expect("a plan")
    });
}

fn nothing(_: &AssetGraph, _: u64) -> AssetStatuses {
    AssetStatuses::default()
}

/// Every third day of every asset.
fn every_third(graph: &AssetGraph, days: u64) -> AssetStatuses {
    let made: PartitionSet = (0..days).step_by(3).collect();
    AssetStatuses {
        materialized: graph.ids().map(|asset| (asset, made.clone())).collect(),
        failed: AssetPartitions::new(),
        skipped: AssetPartitions::new(),
    }
}

#[divan::bench(args = PAIRS, max_time = 2)]
fn all(bencher: Bencher, size: u64) {
    plan(
        bencher,
        size,
        Edges::SameDay,
        &PartitionSelector::all(),
        nothing,
    );
}

#[divan::bench(args = PAIRS, max_time = 2)]
fn all_made_from_the_day_before(bencher: Bencher, size: u64) {
    plan(
        bencher,
        size,
        Edges::DayBefore,
        &PartitionSelector::all(),
        nothing,
    );
}

#[divan::bench(args = PAIRS, max_time = 2)]
fn missing_two_of_three(bencher: Bencher, size: u64) {
    plan(
        bencher,
        size,
        Edges::SameDay,
        &PartitionSelector::all().only_missing(),
        every_third,
    );
}

#[divan::bench(args = PAIRS, max_time = 2)]
fn missing_two_of_three_made_from_the_day_before(bencher: Bencher, size: u64) {
    plan(
        bencher,
        size,
        Edges::DayBefore,
        &PartitionSelector::all().only_missing(),
        every_third,
    );
}
