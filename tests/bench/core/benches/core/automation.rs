//! Automation ticks of a thousand assets in ten layers. The size is the number of (asset, day) pairs.

use divan::Bencher;
use precip_bench_core::{
    graphs::{Edges, layered},
    ticks::{Ticks, eager_every_day},
    windows::days,
};
use precip_core::{automation::AutomationCondition, partitions::PartitionSet};

use crate::{A_THOUSAND, PAIRS};

fn tick(
    bencher: Bencher,
    size: u64,
    condition: &AutomationCondition,
    until: impl Fn(&mut Ticks<'_>),
) {
    let days = days("UTC", size / A_THOUSAND as u64);
    let graph = layered(
        A_THOUSAND,
        &days.definition,
        Edges::SameDay,
        Some(condition),
    );
    let mut ticks = Ticks::new(&graph, &days.context);
    until(&mut ticks);
    bencher.bench_local(|| ticks.evaluate());
}

fn after_a_quiet_tick(ticks: &mut Ticks<'_>) {
    ticks.record_all_but(&PartitionSet::empty());
    let first = ticks.evaluate();
    ticks.go_on(first.cursor);
}

fn after_an_update(ticks: &mut Ticks<'_>) {
    after_a_quiet_tick(ticks);
    ticks.record_roots();
}

#[divan::bench(args = PAIRS, max_time = 2)]
fn first_tick_eager(bencher: Bencher, size: u64) {
    tick(bencher, size, &AutomationCondition::eager(), |_| {});
}

#[divan::bench(args = PAIRS, max_time = 2)]
fn first_tick_eager_every_day(bencher: Bencher, size: u64) {
    tick(bencher, size, &eager_every_day(), |_| {});
}

/// Two of three days are missing, and eager in every asset.
#[divan::bench(args = PAIRS, max_time = 2)]
fn first_tick_eager_every_day_scattered(bencher: Bencher, size: u64) {
    let missing: PartitionSet = (0..size / A_THOUSAND as u64)
        .filter(|day| day % 3 != 0)
        .collect();
    tick(bencher, size, &eager_every_day(), |ticks| {
        ticks.record_all_but(&missing)
    });
}

#[divan::bench(args = PAIRS, max_time = 2)]
fn quiet_tick_eager(bencher: Bencher, size: u64) {
    tick(
        bencher,
        size,
        &AutomationCondition::eager(),
        after_a_quiet_tick,
    );
}

#[divan::bench(args = PAIRS, max_time = 2)]
fn tick_after_updates_eager(bencher: Bencher, size: u64) {
    tick(
        bencher,
        size,
        &AutomationCondition::eager(),
        after_an_update,
    );
}

#[divan::bench(args = PAIRS, max_time = 2)]
fn tick_after_updates_eager_every_day(bencher: Bencher, size: u64) {
    tick(bencher, size, &eager_every_day(), after_an_update);
}
