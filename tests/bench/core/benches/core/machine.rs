//! State machines. The size is the number of assets; ten thousand share the states of a loop.

use divan::Bencher;
use precip_asl::compile::{CompileOptions, compile_machines};
use precip_bench_core::{
    graphs::{Edges, layered},
    windows::days,
};
use precip_core::machine::Layout;

use crate::ASSETS;

#[divan::bench(args = ASSETS, max_time = 1)]
fn lay_out(bencher: Bencher, size: usize) {
    let days = days("UTC", 1_000);
    let graph = layered(size, &days.definition, Edges::DayBefore, None);
    bencher.bench_local(|| Layout::from_graph(&graph).expect("a layout"));
}

#[divan::bench(args = ASSETS, max_time = 1)]
fn compile_project(bencher: Bencher, size: usize) {
    let days = days("UTC", 1_000);
    let graph = layered(size, &days.definition, Edges::SameDay, None);
    let layout = Layout::from_graph(&graph).expect("a layout");
    let options = CompileOptions::new("bench");
    bencher.bench_local(|| compile_machines(&graph, &layout, &options).expect("machines"));
}

#[divan::bench(args = ASSETS, max_time = 1)]
fn write_machines(bencher: Bencher, size: usize) {
    let days = days("UTC", 1_000);
    let graph = layered(size, &days.definition, Edges::SameDay, None);
    let layout = Layout::from_graph(&graph).expect("a layout");
    let machines =
        compile_machines(&graph, &layout, &CompileOptions::new("bench")).expect("machines");
    bencher.bench_local(|| {
        let [run, backfill] = [&machines.run, &machines.backfill].map(|machine| machine.to_json());
        run.expect("JSON").len() + backfill.expect("JSON").len()
    });
}
