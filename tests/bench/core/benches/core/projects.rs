//! Graphs and selections. The size is the number of assets.

use divan::Bencher;
use precip_bench_core::{
    graphs::{Edges, declare, layered},
    windows::days,
};
use precip_core::{
    automation::AutomationCondition,
    automation::{Conditions, Ordering},
    graph::AssetGraph,
    selection::Selection,
};

use crate::ASSETS;

#[divan::bench(args = ASSETS, max_time = 1)]
fn build_graph(bencher: Bencher, size: usize) {
    let days = days("UTC", 1_000);
    bencher
        .with_inputs(|| declare(size, &days.definition, Edges::SameDay, None))
        .bench_values(|ops| AssetGraph::new(ops, Vec::new()).expect("a graph"));
}

#[divan::bench(args = ASSETS, max_time = 1)]
fn prepare_conditions(bencher: Bencher, size: usize) {
    let days = days("UTC", 1_000);
    let eager = AutomationCondition::eager();
    let graph = layered(size, &days.definition, Edges::SameDay, Some(&eager));
    bencher.bench_local(|| Conditions::new(&graph, Ordering::Sequence).expect("conditions"));
}

fn select(bencher: Bencher, size: usize, selection: &str) {
    let days = days("UTC", 1_000);
    let graph = layered(size, &days.definition, Edges::SameDay, None);
    bencher.bench_local(|| {
        let selection = Selection::parse(selection).expect("a selection");
        selection.resolve(&graph).expect("assets").len()
    });
}

#[divan::bench(args = ASSETS, max_time = 1)]
fn select_by_labels(bencher: Bencher, size: usize) {
    select(
        bencher,
        size,
        r#"group:group_1 and not tag:"sensitive" or key:"*_00003""#,
    );
}

#[divan::bench(args = ASSETS, max_time = 1)]
fn select_downstream(bencher: Bencher, size: usize) {
    select(bencher, size, "key:\"layer_0/*\"+");
}

#[divan::bench(args = ASSETS, max_time = 1)]
fn select_roots_of_a_group(bencher: Bencher, size: usize) {
    select(bencher, size, "roots(group:group_1)");
}
