//! [`simulate_run`].

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use precip_asl::compile::{CompileOptions, PLANNER, compile_machines, function_substitution};
use precip_core::{
    cost::{US_EAST_1, list_bill},
    machine::{ITEMS_PER_ROW, Layout},
};
use precip_engine::machine::Mode;
use serde_json::json;

use super::{
    Input, LimitedBy, OpSpan, OpTime, Report, Settings, SimulationUsage,
    assumptions::{
        FUNCTION_MARGIN, LOG_BYTES, PLANNER_MIB, PLANNER_TIME, PLANNER_TIMEOUT, REACTOR_BATCH,
        REACTOR_MIB, REACTOR_TIME, REACTOR_TIMEOUT, TRACED_SHARE,
    },
    materializer::Materializer,
    planner::Planner,
    reactor::{Projection, REACTOR, Reactor},
    shared::{Bucket, Pool, Shared, StepModel},
};
use crate::{
    bill::{Bill, Unit},
    dynamo::Table,
    kernel::Kernel,
    lambda::{FunctionConfig, Handler, Lambda, Throttle},
    step_functions::{Faults, Limits, Ports, StepFunctions},
};

/// The reason why a run cannot be simulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to simulate the run: {0}")]
pub struct SimulateError(pub String);

fn failure(error: impl std::fmt::Display) -> SimulateError {
    SimulateError(error.to_string())
}

/// Simulates a planned run.
///
/// # Errors
/// [`SimulateError`] when the project cannot be compiled to machines, or the settings ask for more
/// than the account has.
pub fn simulate_run(input: &Input, settings: &Settings) -> Result<Report, SimulateError> {
    let mut kernel = Kernel::new(input.planned.plan.at);
    let (time, bill) = (kernel.time(), Bill::default());
    let table = Table::new(time.clone(), bill.clone(), settings.table.clone());
    let mut rng = fastrand::Rng::with_seed(settings.seed);
    let lambda = Lambda::new(
        time.clone(),
        kernel.tasks(),
        bill.clone(),
        settings.lambda.clone(),
        rng.fork(),
    );
    let layout = Layout::from_graph(&input.graph).map_err(failure)?;
    let shared = Rc::new(Shared {
        time: time.clone(),
        bill: bill.clone(),
        table: table.clone(),
        rng: RefCell::new(rng.fork()),
        steps: step_models(input, &layout),
        pools: input
            .pools
            .iter()
            .map(|(name, limit)| (name.clone(), Pool::new(*limit)))
            .collect(),
        graph: input.graph.clone(),
        planned: input.planned.clone(),
        most_functions: (settings.max_concurrency, settings.materializer_concurrency),
        functions: std::cell::Cell::new(settings.max_concurrency),
        files: RefCell::default(),
        failed: RefCell::default(),
        made: std::cell::Cell::default(),
        unseen: std::cell::Cell::default(),
        reactor: Reactor::new(settings.reactor_window, kernel.tasks()),
        layout,
    });
    shared.reactor.connect(&shared, &lambda);
    deploy_functions(input, settings, &shared, &lambda)?;
    let service = StepFunctions::with_limits(
        Ports {
            functions: Rc::new(lambda.clone()),
            objects: Rc::new(Bucket(Rc::clone(&shared))),
            time: time.clone(),
            tasks: kernel.tasks(),
            bill: bill.clone(),
        },
        Limits::default(),
        Faults::default(),
        settings.seed,
        false,
    );
    let options = CompileOptions::new("simulated");
    let machines = compile_machines(&input.graph, &shared.layout, &options).map_err(failure)?;
    let run = service
        .create_machines(&machines, BTreeMap::new())
        .map_err(failure)?;
    let request = json!({"select": "*"});
    let outcome = kernel
        .run(service.run_execution(&run, Some("simulated"), request))
        .map_err(failure)?;
    // That partitions failed is counted, and no error of the execution itself.
    let ended_by = outcome
        .error
        .map(|error| error.innermost())
        .filter(|error| error.error != "Precip.RunFailed")
        .map(|error| format!("{}: {}", error.error, error.cause));
    let duration = time.elapsed();
    let limited_by = find_limit(&shared, &lambda, &service, duration);
    // The run has ended; the reactor follows.
    kernel.run(async {
        while !shared.reactor.is_idle() {
            time.sleep(Duration::from_secs(1)).await;
        }
    });
    count_traces(&bill, duration);
    let amounts = bill.amounts();
    let mode = match amounts.get(Unit::ExpressRequest) + children(&service) {
        0.0 => Mode::Inline,
        _ => Mode::Distributed,
    };
    let lines = list_bill(&amounts, &US_EAST_1, settings.arm64);
    let stats = lambda.stats();
    Ok(Report {
        seconds: duration.as_secs_f64(),
        dollars: lines.iter().map(|line| line.cost).sum(),
        limited_by,
        partitions: shared.made.get(),
        failed: planned_pairs(input).saturating_sub(shared.made.get()),
        ended_by,
        throttled_invocations: stats.throttled(),
        throttled_requests: table.throttled(),
        peak_concurrency: stats.concurrency.peak(),
        bill: lines,
        usage: SimulationUsage { mode, amounts },
        ops: op_spans(&shared),
        assumptions: list_assumptions(input, settings, shared.functions.get(), mode),
        prices: US_EAST_1,
        concurrency: stats.concurrency,
        duration,
    })
}

/// Returns the number of (asset, partition) pairs of a plan.
fn planned_pairs(input: &Input) -> u64 {
    let steps = input.planned.plan.steps();
    let pairs = steps.map(|(_, stage, step)| stage.partitions.len() * step.assets.len() as u64);
    pairs.sum()
}

/// Returns 1 when the run was handed to the machine of large runs.
fn children(service: &StepFunctions) -> f64 {
    let all = service.list_executions();
    f64::from(u8::from(all.len() > 1))
}

fn step_models(input: &Input, layout: &Layout) -> std::collections::HashMap<String, Rc<StepModel>> {
    let steps = layout.stages.iter().flat_map(|stage| &stage.steps);
    let model = |(number, step): (usize, &precip_core::machine::LayoutStep)| {
        let op = input.graph.op_id(&step.op).map(|id| input.graph.op(id));
        let timeout = op.map(|op| op.compute.timeout).unwrap_or_default();
        let recorded = step.assets.iter().map(|asset| {
            let set = input.recorded.get(asset);
            set.cloned().unwrap_or_default()
        });
        let model = StepModel {
            number: number as u64,
            op: step.op.clone(),
            recorded: recorded.collect(),
            assets: step.assets.clone(),
            checks: step.checks.len(),
            time: input
                .times
                .get(&step.op)
                .cloned()
                .unwrap_or(OpTime::Timeout(timeout)),
            upstream: input.upstream.get(&step.op).copied().unwrap_or_default(),
            pool: op.and_then(|op| op.pool.clone()),
            running: RefCell::default(),
        };
        (step.name.to_string(), Rc::new(model))
    };
    steps.enumerate().map(model).collect()
}

fn deploy_functions(
    input: &Input,
    settings: &Settings,
    shared: &Rc<Shared>,
    lambda: &Lambda,
) -> Result<(), SimulateError> {
    let deploy = |name: &str, config: FunctionConfig, handler: Rc<dyn Handler>| {
        lambda
            .deploy_function(name, config, handler)
            .map_err(failure)
    };
    let common = FunctionConfig {
        log_bytes: LOG_BYTES,
        ..FunctionConfig::default()
    };
    let planner = FunctionConfig {
        memory_mib: PLANNER_MIB,
        timeout: PLANNER_TIMEOUT,
        ..common.clone()
    };
    deploy(PLANNER, planner, Rc::new(Planner(Rc::clone(shared))))?;
    let reactor = FunctionConfig {
        memory_mib: REACTOR_MIB,
        timeout: REACTOR_TIMEOUT,
        ..common.clone()
    };
    deploy(REACTOR, reactor, Rc::new(Projection(Rc::clone(shared))))?;
    let mut profiles = BTreeMap::new();
    for step in shared.steps.values() {
        if let Some(op) = input.graph.op_id(&step.op).map(|id| input.graph.op(id)) {
            profiles.insert(function_substitution(&op.compute), &op.compute);
        }
    }
    for (name, compute) in profiles {
        let config = FunctionConfig {
            memory_mib: compute.memory_mib,
            disk_mib: compute.ephemeral_storage_mib,
            timeout: compute.timeout + FUNCTION_MARGIN,
            reserved_concurrency: settings.materializer_concurrency,
            ..common.clone()
        };
        deploy(&name, config, Rc::new(Materializer(Rc::clone(shared))))?;
    }
    Ok(())
}

/// The share of a run's duration for which a limit has to hold it back to be what limits it.
const BINDING_SHARE: f64 = 0.2;

/// Finds what held the run back: of the limits that were reached for a good part of the run, the first in
/// this order, since each makes the following ones matter less.
fn find_limit(
    shared: &Shared,
    lambda: &Lambda,
    service: &StepFunctions,
    duration: Duration,
) -> LimitedBy {
    let now = shared.time.elapsed();
    let pool = shared
        .pools
        .values()
        .map(|pool| pool.borrow().full.total(now));
    let throttled = |reason| lambda.throttled_time(reason);
    // A full account holds back what is throttled, and what waits between its attempts.
    let account = if throttled(Throttle::Account).is_zero() {
        Duration::ZERO
    } else {
        lambda.full_time()
    };
    let saturations = service.saturations();
    let (children, iterations) = (
        saturations.children.total(now),
        saturations.iterations.total(now),
    );
    // The concurrency that the planner gave to the maps, and what it follows from.
    let functions = shared.functions.get();
    let given = match shared.most_functions {
        (most, _) if functions == most => LimitedBy::MaxConcurrency,
        (_, Some(_)) => LimitedBy::ReservedConcurrency,
        (_, None) => LimitedBy::AccountConcurrency,
    };
    let (maps, machine) = if (functions as usize) < ITEMS_PER_ROW {
        (children + iterations, Duration::ZERO)
    } else {
        (children, iterations)
    };
    let machine = machine + saturations.child_starts.total(now);
    let limits = [
        (LimitedBy::Pool, pool.max().unwrap_or_default()),
        (LimitedBy::AccountConcurrency, account),
        (
            LimitedBy::ReservedConcurrency,
            throttled(Throttle::Reserved),
        ),
        (
            LimitedBy::ScalingRate,
            throttled(Throttle::Scaling) + throttled(Throttle::Rate),
        ),
        (
            LimitedBy::TableThroughput,
            shared.table.saturation().total(now),
        ),
        (given, maps),
        (LimitedBy::MachineRate, machine),
    ];
    let least = duration.mul_f64(BINDING_SHARE);
    let binding = limits
        .into_iter()
        .find(|(_, time)| !time.is_zero() && *time >= least);
    binding.map_or(LimitedBy::LongestChain, |(limit, _)| limit)
}

/// Counts the traces that X-Ray records: it samples executions.
fn count_traces(bill: &Bill, duration: Duration) {
    let executions = bill.amount(Unit::ExpressRequest) + 1.0;
    let first_of_seconds = duration.as_secs_f64().max(1.0).min(executions);
    let traces = first_of_seconds + TRACED_SHARE * (executions - first_of_seconds);
    bill.add(Unit::Trace, traces.ceil());
}

fn op_spans(shared: &Shared) -> Vec<OpSpan> {
    let mut spans: Vec<(u64, OpSpan)> = Vec::new();
    for step in shared.steps.values() {
        let running = step.running.borrow();
        if let Some(began) = running.began {
            let span = OpSpan {
                op: step.op.clone(),
                invocations: running.count,
                began: began.as_secs_f64(),
                ended: running.ended.as_secs_f64(),
                running: running.timeline.clone(),
            };
            spans.push((step.number, span));
        }
    }
    spans.sort_by(|(a, x), (b, y)| x.began.total_cmp(&y.began).then(a.cmp(b)));
    spans.into_iter().map(|(_, span)| span).collect()
}

fn list_assumptions(input: &Input, settings: &Settings, functions: u32, mode: Mode) -> Vec<String> {
    let plan = &input.planned.plan;
    let mut unmeasured: Vec<&str> = Vec::new();
    let mut assumed: Vec<String> = Vec::new();
    for (_, _, step) in plan.steps() {
        match input.times.get(&step.op) {
            None | Some(OpTime::Timeout(_)) => unmeasured.push(&step.op),
            Some(OpTime::Assumed(time)) => {
                assumed.push(format!(
                    "{} takes {} s, as given",
                    step.op,
                    time.as_secs_f64()
                ));
            }
            Some(OpTime::Measured(_)) => {}
        }
    }
    unmeasured.dedup();
    assumed.dedup();
    let mut assumptions = vec![match mode {
        Mode::Distributed => {
            format!(
                "Distributed Maps run up to 40 items a child, and {functions} functions at once"
            )
        }
        Mode::Inline | Mode::Nothing => {
            "the run is one Standard execution with inline Maps, which run 40 items at once"
                .to_owned()
        }
    }];
    if !unmeasured.is_empty() {
        assumptions.push(format!(
            "{} {} no measurements: each invocation is counted with the whole timeout, its upper bound",
            unmeasured.join(", "),
            if unmeasured.len() == 1 { "has" } else { "have" }
        ));
    }
    assumptions.extend(assumed);
    assumptions.extend([
        format!(
            "the account runs {} functions at once, and nothing else runs in it",
            settings.lambda.account_concurrency
        ),
        "the table is new: it takes 4,000 writes and 12,000 reads a second".to_owned(),
        "no op fails; environments start at once".to_owned(),
        "a record is under 1 KB, so a materialization is one write".to_owned(),
        "each partition is one object, written with one PUT and read with one GET".to_owned(),
        format!(
            "the planner takes {} s a call, the reactor {} s for {REACTOR_BATCH} changes",
            PLANNER_TIME.as_secs_f64(),
            REACTOR_TIME.as_secs_f64()
        ),
        format!("an invocation logs {LOG_BYTES} bytes, and X-Ray samples by its default rule"),
        "not counted: storage, data transfer, calls made by your functions, the free tier, taxes"
            .to_owned(),
    ]);
    assumptions
}
