//! The AWS usage of a run.

use serde::Serialize;

use super::{Amounts, StageLoad, StepLoad, Unit, Workload};
use crate::machine::ITEMS_PER_ROW;

/// The most invocations of a run that executes as one execution with inline Maps.
pub const MAX_INLINE_INVOCATIONS: u64 = 1_000;

/// The number of items that one child of a Distributed Map runs.
pub const ITEMS_PER_CHILD: u64 = ITEMS_PER_ROW as u64;

/// The transitions of a run of any size: `Plan`, `How much`, `Finish`, `Anything left`, `Done`.
const TRANSITIONS_OF_A_RUN: u64 = 5;

/// The extra transitions of a large run: `Backfill`, and `Started again` in the execution it
/// starts.
const TRANSITIONS_OF_A_BACKFILL: u64 = 2;

/// The transition of one wave: `Next wave`.
const TRANSITIONS_OF_A_WAVE: u64 = 1;

/// The transitions of one stage: the choice whether it has work, and its Map.
const TRANSITIONS_OF_A_STAGE: u64 = 2;

/// The transition of one Standard child: its inline Map.
const TRANSITIONS_OF_A_CHILD: u64 = 1;

/// The transitions of a stage whose items run in order: once the first row; for each row, and once
/// more at the end, the next row and the choice; for each row its Map.
const TRANSITIONS_OF_FIRST_ROW: u64 = 1;
const TRANSITIONS_OF_ASKING: u64 = 2;
const TRANSITIONS_OF_A_ROW: u64 = 1;

/// The billed memory of an Express child: Express workflows are billed in chunks of 64 MB, and a
/// child's payload fits in one.
const EXPRESS_GB: f64 = 0.0625;

/// The planner's memory and mean duration per call: the plan, each `Settle`, the end, and each row
/// of a stage in order.
const PLANNER_GB: f64 = 1.0;
const PLANNER_SECONDS: f64 = 1.0;

/// The reactor's memory and mean duration, and the changes it handles per invocation.
const REACTOR_GB: f64 = 0.5;
const REACTOR_SECONDS: f64 = 0.5;
const REACTOR_CHANGES: u64 = 200;

/// The reactor's writes per invocation: status rollup and progress.
const WRITES_OF_A_REACTION: u64 = 2;

/// The writes of a run's own record, for the run and for each wave.
const WRITES_OF_A_RUN: u64 = 6;
const WRITES_OF_A_WAVE: u64 = 2;

/// The read units for the partition states of one asset.
const READS_OF_AN_ASSET: f64 = 10.0;

/// The read units of one eventually consistent row: the partition's own, and each upstream pointer.
const READS_OF_A_ROW: f64 = 0.5;

/// The files of a run: its plan, and for each stage the manifest and the Map's report.
const PUTS_OF_A_RUN: u64 = 1;
const PUTS_OF_A_STAGE: u64 = 2;

/// The form in which a run executes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One execution, in which every partition is a state.
    Inline,
    /// Distributed Maps.
    Distributed,
}

/// The billed quantities of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Usage {
    /// The form of the run.
    pub mode: Mode,
    /// State transitions of Standard workflows.
    pub standard_transitions: u64,
    /// Starts of Express workflows.
    pub express_requests: u64,
    /// GB-seconds of Express workflows.
    pub express_gb_seconds: f64,
    /// Invocations of functions.
    pub lambda_requests: u64,
    /// GB-seconds of functions' memory.
    pub lambda_gb_seconds: f64,
    /// GB-seconds of functions' disk beyond 512 MiB.
    pub lambda_disk_gb_seconds: f64,
    /// DynamoDB write request units.
    pub dynamodb_writes: u64,
    /// DynamoDB read request units.
    pub dynamodb_reads: f64,
    /// S3 PUT requests.
    pub s3_puts: u64,
    /// S3 GET requests.
    pub s3_gets: u64,
}

impl Usage {
    /// Returns the quantities by unit.
    pub fn to_amounts(&self) -> Amounts {
        let mut amounts = Amounts::default();
        for (unit, amount) in [
            (Unit::StandardTransition, to_f64(self.standard_transitions)),
            (Unit::ExpressRequest, to_f64(self.express_requests)),
            (Unit::ExpressGbSecond, self.express_gb_seconds),
            (Unit::LambdaRequest, to_f64(self.lambda_requests)),
            (Unit::LambdaGbSecond, self.lambda_gb_seconds),
            (Unit::LambdaDiskGbSecond, self.lambda_disk_gb_seconds),
            (Unit::DynamoDbWrite, to_f64(self.dynamodb_writes)),
            (Unit::DynamoDbRead, self.dynamodb_reads),
            (Unit::S3Put, to_f64(self.s3_puts)),
            (Unit::S3Get, to_f64(self.s3_gets)),
        ] {
            amounts.add(unit, amount);
        }
        amounts
    }

    /// Counts the usage of a run in which nothing fails or is retried.
    pub fn for_workload(work: &Workload) -> Self {
        let mut usage = Self::before_any_stage(work);
        // The run, then its stages, then the materializers, then the reactor.
        for stage in &work.stages {
            usage.standard_transitions += TRANSITIONS_OF_A_STAGE;
            match usage.mode {
                Mode::Inline => {
                    usage.standard_transitions += transitions_of_items(stage);
                }
                Mode::Distributed => usage.add_children(stage),
            }
        }
        for (stage, step) in work.iter_steps() {
            usage.add_step(stage, step);
        }
        let reactions = work.partitions_made().div_ceil(REACTOR_CHANGES);
        usage.lambda_requests += reactions;
        usage.lambda_gb_seconds += to_f64(reactions) * REACTOR_SECONDS * REACTOR_GB;
        usage.dynamodb_writes += reactions * WRITES_OF_A_REACTION;
        usage
    }

    /// Counts the usage that does not depend on the items: the run, its waves and its record.
    fn before_any_stage(work: &Workload) -> Self {
        let mode = if work.invocation_count() <= MAX_INLINE_INVOCATIONS {
            Mode::Inline
        } else {
            Mode::Distributed
        };
        let waves = work.wave_count();
        // `Settle` runs between two waves: `Plan` begins the first wave, `Finish` ends the last.
        let settles = waves.saturating_sub(1);
        // A wave of several stages is a Parallel, which is a transition of its own.
        let parallel = (0..waves).filter(|wave| {
            let in_wave = work
                .stages
                .iter()
                .filter(|stage| u64::from(stage.wave) == *wave);
            in_wave.count() > 1
        });
        let handed_over = match mode {
            Mode::Inline => 0,
            Mode::Distributed => TRANSITIONS_OF_A_BACKFILL,
        };
        let calls = 2 + settles;
        let stages = work.stages.len() as u64;
        Self {
            mode,
            standard_transitions: TRANSITIONS_OF_A_RUN
                + handed_over
                + waves * TRANSITIONS_OF_A_WAVE
                + settles
                + parallel.count() as u64,
            express_requests: 0,
            express_gb_seconds: 0.0,
            lambda_requests: calls,
            lambda_gb_seconds: to_f64(calls) * PLANNER_SECONDS * PLANNER_GB,
            lambda_disk_gb_seconds: 0.0,
            dynamodb_writes: WRITES_OF_A_RUN + waves * WRITES_OF_A_WAVE,
            dynamodb_reads: to_f64(work.iter_steps().count() as u64) * READS_OF_AN_ASSET,
            s3_puts: PUTS_OF_A_RUN
                + match mode {
                    Mode::Inline => 0,
                    Mode::Distributed => stages * PUTS_OF_A_STAGE,
                },
            s3_gets: match mode {
                Mode::Inline => 0,
                Mode::Distributed => stages,
            },
        }
    }

    /// Adds the usage of the children of a stage's Distributed Map.
    fn add_children(&mut self, stage: &StageLoad) {
        let rows = stage.items.div_ceil(ITEMS_PER_CHILD);
        // Starting a child is one transition of its parent.
        self.standard_transitions += rows;
        if stage.in_order {
            let row_requests = rows + 1;
            // The stage's own Map is already in TRANSITIONS_OF_A_STAGE.
            self.standard_transitions += TRANSITIONS_OF_FIRST_ROW
                + row_requests * TRANSITIONS_OF_ASKING
                + rows * TRANSITIONS_OF_A_ROW
                - TRANSITIONS_OF_A_ROW;
            self.lambda_requests += row_requests;
            self.lambda_gb_seconds += to_f64(row_requests) * PLANNER_SECONDS * PLANNER_GB;
        }
        if !stage.express {
            self.standard_transitions += rows * TRANSITIONS_OF_A_CHILD;
            self.standard_transitions += transitions_of_items(stage);
            return;
        }
        self.express_requests += rows;
        // The items of a row run in parallel, unless the stage runs them in order.
        let sequential = if stage.in_order {
            to_f64(stage.items)
        } else {
            to_f64(rows)
        };
        let seconds = sequential * tenths_rounded_up(stage.item_seconds());
        self.express_gb_seconds += seconds * EXPRESS_GB;
    }

    /// Adds the usage of a step's materializer for all items.
    fn add_step(&mut self, stage: &StageLoad, step: &StepLoad) {
        let seconds = to_f64(stage.items) * step.time.duration().as_secs_f64();
        self.lambda_requests += stage.items;
        self.lambda_gb_seconds += seconds * mib_to_gib(step.memory_mib);
        self.lambda_disk_gb_seconds += seconds * mib_to_gib(step.disk_mib.saturating_sub(512));
        // One write publishes; another moves a replaced record to the event log.
        self.dynamodb_writes += step.made + step.replaced;
        self.dynamodb_reads += to_f64(stage.items + step.loaded) * READS_OF_A_ROW;
        self.s3_puts += step.made;
        self.s3_gets += step.loaded;
    }
}

/// Returns the transitions of all items of a stage: a Task for each step and, if there are several
/// steps, a choice before each and one at the end.
fn transitions_of_items(stage: &StageLoad) -> u64 {
    let steps = stage.steps_per_item();
    let choices = if steps > 1 { steps + 1 } else { 0 };
    stage.items * (steps + choices)
}

/// Rounds a duration up to the 100 ms that Express workflows are billed in.
fn tenths_rounded_up(seconds: f64) -> f64 {
    (seconds * 10.0).ceil() / 10.0
}

fn mib_to_gib(mib: u32) -> f64 {
    f64::from(mib) / 1_024.0
}

/// Converts a count to a number that prices are multiplied by.
#[expect(
    clippy::cast_precision_loss,
    reason = "no run counts beyond 2^53, and a price needs few digits"
)]
pub fn to_f64(count: u64) -> f64 {
    count as f64
}

/// Lists the assumptions behind [`Usage::for_workload`], one sentence each.
pub(super) fn list_assumptions(work: &Workload, mode: Mode) -> Vec<String> {
    let unmeasured: Vec<&str> = work
        .iter_steps()
        .filter(|(_, step)| matches!(step.time, super::StepTime::Timeout(_)))
        .map(|(_, step)| step.op.as_str())
        .collect();
    let mut assumptions = vec![match mode {
        Mode::Inline => format!(
            "at most {MAX_INLINE_INVOCATIONS} invocations, so the run is one Standard execution with inline Maps"
        ),
        Mode::Distributed => format!(
            "more than {MAX_INLINE_INVOCATIONS} invocations, so Distributed Maps run {ITEMS_PER_CHILD} items a child"
        ),
    }];
    if !unmeasured.is_empty() {
        assumptions.push(format!(
            "{} {} no measurements: each invocation is counted with the whole timeout, its upper bound",
            unmeasured.join(", "),
            if unmeasured.len() == 1 { "has" } else { "have" }
        ));
    }
    assumptions.extend([
        "nothing fails or is retried".to_owned(),
        "a record is under 1 KB, so a materialization is one write".to_owned(),
        "each partition is one object, written with one PUT and read with one GET".to_owned(),
        format!("the planner takes {PLANNER_SECONDS} s a call, the reactor {REACTOR_SECONDS} s for {REACTOR_CHANGES} changes"),
        "not counted: storage, logs, traces, data transfer, calls made by your functions, the free tier, taxes".to_owned(),
    ]);
    assumptions
}
