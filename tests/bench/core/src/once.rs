//! One step, once, on a thousand assets of a thousand days: what `tests/bench/core.py` measures the
//! memory of. Prints its seconds as JSON.
//!
//!     bench-core plan | plan-missing | eager | missing
#![expect(clippy::print_stdout, reason = "what is printed is read by the driver")]

use std::{process::ExitCode, time::Instant};

use precip_bench_core::{
    graphs::{Edges, layered},
    ticks::Ticks,
    windows::days,
};
use precip_core::{
    automation::AutomationCondition,
    partitions::PartitionSet,
    plan::{AssetPartitions, AssetStatuses, Lineage, PartitionSelector, Plan, PlanRequest},
};

const ASSETS: usize = 1_000;
const DAYS: u64 = 1_000;

fn main() -> ExitCode {
    let step = std::env::args().nth(1).unwrap_or_default();
    let printed = match step.as_str() {
        "plan" => plan(false),
        "plan-missing" => plan(true),
        "eager" => ticks(&AutomationCondition::eager()),
        "missing" => ticks(&AutomationCondition::missing()),
        _ => {
            println!("bench-core plan | plan-missing | eager | missing");
            return ExitCode::from(2);
        }
    };
    println!("{printed}");
    ExitCode::SUCCESS
}

fn plan(missing: bool) -> serde_json::Value {
    let days = days("UTC", DAYS);
    let started = Instant::now();
    let graph = layered(ASSETS, &days.definition, Edges::DayBefore, None);
    let built = started.elapsed();
    let (selector, made) = match missing {
        false => (PartitionSelector::all(), PartitionSet::empty()),
        true => (
            PartitionSelector::all().only_missing(),
            (0..DAYS).step_by(3).collect(),
        ),
    };
    let record = AssetStatuses {
        materialized: graph.ids().map(|asset| (asset, made.clone())).collect(),
        failed: AssetPartitions::new(),
        skipped: AssetPartitions::new(),
    };
    let request = PlanRequest::new(graph.all_assets(), selector);
    let started = Instant::now();
    let plan = Plan::new(Lineage::new(&graph, &days.context), &request, &record).expect("a plan");
    let planned = started.elapsed();
    serde_json::json!({
        "graph": built.as_secs_f64(),
        "plan": planned.as_secs_f64(),
        "pairs": plan.pair_count(),
        "waves": plan.wave_count(),
        "bytes": serde_json::to_vec(&plan).map_or(0, |json| json.len()),
    })
}

/// Three ticks: nothing is there; nothing is new; the last day of the first layer was made.
fn ticks(condition: &AutomationCondition) -> serde_json::Value {
    let days = days("UTC", DAYS);
    let graph = layered(ASSETS, &days.definition, Edges::SameDay, Some(condition));
    let mut ticks = Ticks::new(&graph, &days.context);
    let mut seconds = Vec::new();
    let mut requested = Vec::new();
    for tick in 0..3 {
        if tick == 2 {
            ticks.record_roots();
        }
        let started = Instant::now();
        let evaluation = ticks.evaluate();
        seconds.push(started.elapsed().as_secs_f64());
        requested.push(
            evaluation
                .requested
                .values()
                .map(PartitionSet::len)
                .sum::<u64>(),
        );
        ticks.go_on(evaluation.cursor);
    }
    serde_json::json!({ "seconds": seconds, "requested": requested })
}
