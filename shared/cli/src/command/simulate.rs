//! `simulate`: the duration, cost and limits of a run on AWS.

use std::{collections::BTreeMap, io::Write, sync::Arc, time::Duration};

use precip_core::{cost::to_f64, plan::Lineage};
use precip_engine::run::PlannedRun;
use precip_simulator::{
    lambda::Limits,
    simulate::{Input, OpTime, Report, Settings, simulate_run},
    timeline::Timeline,
};

use super::cost::{format_dollars, load::count_upstream, measured::measured_durations, write_bill};
use crate::{
    args::{Processor, SimulateArgs},
    exit::Exit,
    failure::Failure,
    launch::{self, Request},
    output::{Table, format_duration, write_json},
    session::Session,
};

/// Simulates the run that `materialize` starts with the same arguments, and prints the answer.
///
/// # Errors
/// [`Failure`] when the request cannot be planned, the record not be read, or the run not be simulated.
pub(crate) async fn show_simulation(
    session: &Session,
    args: &SimulateArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut request = Request::from_plan_args(&args.plan)?;
    let planned = launch::plan_request(session, &mut request).await?;
    if planned.plan.is_empty() && !session.json {
        session.print_note(&launch::nothing_to_do_message(&request, &planned.plan));
        return Ok(Exit::Done);
    }
    let input = build_input(session, planned, args.duration).await?;
    let settings = Settings {
        lambda: Limits::default().with_account_concurrency(args.account_concurrency),
        max_concurrency: args.max_concurrency,
        arm64: args.architecture == Processor::Arm64,
        ..Settings::default()
    };
    let report = simulate_run(&input, &settings)
        .map_err(|error| Failure::new(Exit::Definitions, error.to_string()))?;
    if session.json {
        write_json(out, &report)?;
    } else {
        write_report(&report, out)?;
    }
    Ok(Exit::Done)
}

/// Reads what a simulation needs besides the plan: durations, records and pools.
async fn build_input(
    session: &Session,
    planned: PlannedRun,
    assumed: Option<Duration>,
) -> Result<Input, Failure> {
    let graph = session.definitions.graph();
    let mut input = Input {
        graph: Arc::new(graph.clone()),
        planned,
        times: BTreeMap::new(),
        upstream: BTreeMap::new(),
        recorded: BTreeMap::new(),
        pools: BTreeMap::new(),
    };
    let lineage = Lineage::new(graph, &input.planned.context);
    for (_, stage, step) in input.planned.plan.steps() {
        let op = graph.op_id(&step.op).map(|id| graph.op(id));
        let timeout = op.map(|op| op.compute.timeout).unwrap_or_default();
        let measured = measured_durations(session, step).await?;
        let time = match assumed {
            _ if !measured.is_empty() => {
                let took = measured.into_iter().map(|took| took.min(timeout));
                OpTime::Measured(took.collect())
            }
            Some(assumed) => OpTime::Assumed(assumed.min(timeout)),
            None => OpTime::Timeout(timeout),
        };
        input.times.insert(step.op.clone(), time);
        let mut loaded = 0;
        for key in &step.assets {
            let statuses = session.store.partition_statuses(key).await?;
            input.recorded.insert(key.clone(), statuses.materialized);
            if let Some(id) = graph.id(key) {
                loaded += count_upstream(lineage, id, &stage.partitions)?;
            }
        }
        if step.assets.is_empty() {
            // A step of checks alone loads the partitions that it checks.
            loaded += stage.partitions.len();
        }
        let upstream = to_f64(loaded) / to_f64(stage.partitions.len().max(1));
        input.upstream.insert(step.op.clone(), upstream);
    }
    for pool in session.store.limited_pools().await? {
        let state = session.store.pool_state(&pool, session.context.now).await?;
        if let Some(limit) = state.limit {
            input.pools.insert(pool, limit);
        }
    }
    Ok(input)
}

/// Columns of the chart's bars.
const BARS: usize = 36;
const LEVELS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

fn write_report(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    let took = chrono::TimeDelta::from_std(report.duration).unwrap_or(chrono::TimeDelta::MAX);
    writeln!(
        out,
        "{} partitions in {} for {}, limited by {}",
        report.partitions,
        format_duration(took),
        format_dollars(report.dollars),
        report.limited_by.describe()
    )?;
    if report.failed > 0 {
        writeln!(
            out,
            "warning: {} more are not made: {} invocations are refused, some for longer than the machine \
             waits; lower --max-concurrency, or raise the account's quota",
            report.failed, report.throttled_invocations
        )?;
    }
    if let Some(error) = &report.ended_by {
        writeln!(out, "warning: the execution fails with {error}")?;
    }
    writeln!(out)?;
    let mut table = Table::new(["OP", "CALLS #", "AT ONCE #", "OVER TIME"]);
    for span in &report.ops {
        table.add_row([
            span.op.clone(),
            span.invocations.to_string(),
            format!("{:.0}", span.running.peak()),
            draw_bars(&span.running, report.duration),
        ]);
    }
    table.write_to(out)?;
    writeln!(out)?;
    write_bill(&report.bill, out)?;
    writeln!(out, "\nassumed:")?;
    for assumption in &report.assumptions {
        writeln!(out, "- {assumption}")?;
    }
    let prices = &report.prices;
    writeln!(
        out,
        "- list prices in US dollars of {} on {}; `--json` names their pages",
        prices.region, prices.dated,
    )
}

/// Draws the course of a number, relative to its greatest value.
fn draw_bars(line: &Timeline, end: Duration) -> String {
    let means = line.means(end, BARS);
    let highest = means.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let level = |mean: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 8"
        )]
        let level = (mean / highest * 8.0).ceil().clamp(0.0, 8.0) as usize;
        LEVELS[level]
    };
    means.into_iter().map(level).collect()
}
