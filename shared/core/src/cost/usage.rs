//! What a run uses, counted.

use serde::Serialize;

use super::{StageLoad, StepLoad, Workload};
use crate::machine::ITEMS_PER_ROW;

/// The most invocations of a run that happens in one execution, its Maps inline.
pub const MOST_INLINE: u64 = 1_000;

/// How many items a child of a Distributed Map runs.
pub const ITEMS_PER_CHILD: u64 = ITEMS_PER_ROW as u64;

/// Transitions of a run whatever its size: `Plan`, `How much`, `Finish`, `Anything left`, `Done`.
const TRANSITIONS_OF_A_RUN: u64 = 5;

/// Two more to hand a large run over: `Backfill`, and `Started again` of what it starts.
const TRANSITIONS_OF_A_BACKFILL: u64 = 2;

/// `Next wave`.
const TRANSITIONS_OF_A_WAVE: u64 = 1;

/// The choice whether a stage has work, and its Map.
const TRANSITIONS_OF_A_STAGE: u64 = 2;

/// The child's inline Map.
const TRANSITIONS_OF_A_CHILD: u64 = 1;

/// Of a stage whose items wait for each other: the first row; for each row, and once to learn that
/// there is no more, the next row and the choice; for each row its Map.
const TRANSITIONS_OF_FIRST_ROW: u64 = 1;
const TRANSITIONS_OF_ASKING: u64 = 2;
const TRANSITIONS_OF_A_ROW: u64 = 1;

/// Express workflows are billed in chunks of 64 MB, and a child's payload needs no second.
const EXPRESS_GB: f64 = 0.0625;

/// The planner's memory and mean time: for the plan, each settled wave, the end, and each row of a
/// stage in order.
const PLANNER_GB: f64 = 1.0;
const PLANNER_SECONDS: f64 = 1.0;

/// The reactor's memory and mean time, and how many changes it takes at once.
const REACTOR_GB: f64 = 0.5;
const REACTOR_SECONDS: f64 = 0.5;
const REACTOR_CHANGES: u64 = 200;

/// What the reactor writes for each of its invocations: status rollup and progress.
const WRITES_OF_A_REACTION: u64 = 2;

/// The writes of a run's own record, for the run and for each wave.
const WRITES_OF_A_RUN: u64 = 6;
const WRITES_OF_A_WAVE: u64 = 2;

/// What it takes to read which partitions of an asset there are.
const READS_OF_AN_ASSET: f64 = 10.0;

/// An eventually consistent read of a row: the partition's own, and one for each upstream pointer.
const READS_OF_A_ROW: f64 = 0.5;

/// The files of a run: its plan, and for each stage the manifest and what the Map reports.
const PUTS_OF_A_RUN: u64 = 1;
const PUTS_OF_A_STAGE: u64 = 2;

/// How a run is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// In one execution, every partition a state of it.
    Inline,
    /// By Distributed Maps.
    Distributed,
}

/// What a run uses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Usage {
    /// How it is run.
    pub mode: Mode,
    /// State transitions of Standard workflows.
    pub standard_transitions: u64,
    /// Express workflows that are started.
    pub express_requests: u64,
    /// GB-seconds of Express workflows.
    pub express_gb_seconds: f64,
    /// Invocations of functions.
    pub lambda_requests: u64,
    /// GB-seconds of functions' memory.
    pub lambda_gb_seconds: f64,
    /// GB-seconds of functions' disk beyond 512 MiB.
    pub lambda_disk_gb_seconds: f64,
    /// Write request units.
    pub dynamodb_writes: u64,
    /// Read request units.
    pub dynamodb_reads: f64,
    /// PUTs.
    pub s3_puts: u64,
    /// GETs.
    pub s3_gets: u64,
}

impl Usage {
    /// Counts what a run uses when nothing is tried again.
    pub fn of(work: &Workload) -> Self {
        let mut usage = Self::before_any_stage(work);
        for stage in &work.stages {
            usage.standard_transitions += TRANSITIONS_OF_A_STAGE;
            match usage.mode {
                Mode::Inline => {
                    usage.standard_transitions += transitions_of_items(stage);
                }
                Mode::Distributed => usage.add_children(stage),
            }
        }
        for (stage, step) in work.steps() {
            usage.add_step(stage, step);
        }
        let reactions = work.made().div_ceil(REACTOR_CHANGES);
        usage.lambda_requests += reactions;
        usage.lambda_gb_seconds += count(reactions) * REACTOR_SECONDS * REACTOR_GB;
        usage.dynamodb_writes += reactions * WRITES_OF_A_REACTION;
        usage
    }

    fn before_any_stage(work: &Workload) -> Self {
        let mode = if work.invocations() <= MOST_INLINE {
            Mode::Inline
        } else {
            Mode::Distributed
        };
        let waves = work.waves();
        // Between two waves one is settled; `Plan` begins the first, and `Finish` ends the last.
        let settles = waves.saturating_sub(1);
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
            lambda_gb_seconds: count(calls) * PLANNER_SECONDS * PLANNER_GB,
            lambda_disk_gb_seconds: 0.0,
            dynamodb_writes: WRITES_OF_A_RUN + waves * WRITES_OF_A_WAVE,
            dynamodb_reads: count(work.steps().count() as u64) * READS_OF_AN_ASSET,
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

    /// What the children of a stage's Distributed Map use.
    fn add_children(&mut self, stage: &StageLoad) {
        let rows = stage.items.div_ceil(ITEMS_PER_CHILD);
        // Each child that is started is a transition of its parent.
        self.standard_transitions += rows;
        if stage.in_order {
            let asked = rows + 1;
            // The stage's one Map was counted before.
            self.standard_transitions += TRANSITIONS_OF_FIRST_ROW
                + asked * TRANSITIONS_OF_ASKING
                + rows * TRANSITIONS_OF_A_ROW
                - TRANSITIONS_OF_A_ROW;
            self.lambda_requests += asked;
            self.lambda_gb_seconds += count(asked) * PLANNER_SECONDS * PLANNER_GB;
        }
        if !stage.express {
            self.standard_transitions += rows * TRANSITIONS_OF_A_CHILD;
            self.standard_transitions += transitions_of_items(stage);
            return;
        }
        self.express_requests += rows;
        // The items of a row run side by side, unless they wait for each other.
        let one_after_the_other = if stage.in_order {
            count(stage.items)
        } else {
            count(rows)
        };
        let seconds = one_after_the_other * tenths_rounded_up(stage.item_seconds());
        self.express_gb_seconds += seconds * EXPRESS_GB;
    }

    /// What the materializer of a step uses for all items.
    fn add_step(&mut self, stage: &StageLoad, step: &StepLoad) {
        let seconds = count(stage.items) * step.time.duration().as_secs_f64();
        self.lambda_requests += stage.items;
        self.lambda_gb_seconds += seconds * gib(step.memory_mib);
        self.lambda_disk_gb_seconds += seconds * gib(step.disk_mib.saturating_sub(512));
        // One write publishes, and one more keeps what it takes the place of.
        self.dynamodb_writes += step.made + step.replaced;
        self.dynamodb_reads += count(stage.items + step.loaded) * READS_OF_A_ROW;
        self.s3_puts += step.made;
        self.s3_gets += step.loaded;
    }
}

/// What all items of a stage pass: a Task for each step, and where there are several a choice before
/// each and one at the end.
fn transitions_of_items(stage: &StageLoad) -> u64 {
    let steps = stage.steps_per_item();
    let choices = if steps > 1 { steps + 1 } else { 0 };
    stage.items * (steps + choices)
}

/// Express durations are billed in steps of 100 ms.
fn tenths_rounded_up(seconds: f64) -> f64 {
    (seconds * 10.0).ceil() / 10.0
}

fn gib(mib: u32) -> f64 {
    f64::from(mib) / 1_024.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts beyond 2^53 are not of a run, and a price needs a few digits"
)]
fn count(of: u64) -> f64 {
    of as f64
}

/// What [`Usage::of`] takes for granted, in words.
pub(super) fn assumptions(work: &Workload, mode: Mode) -> Vec<String> {
    let timeouts = work
        .steps()
        .filter(|(_, step)| matches!(step.time, super::StepTime::Timeout(_)));
    let mut said = vec![match mode {
        Mode::Inline => format!(
            "at most {MOST_INLINE} invocations, so the run is one Standard execution with inline Maps"
        ),
        Mode::Distributed => format!(
            "more than {MOST_INLINE} invocations, so Distributed Maps run {ITEMS_PER_CHILD} items a child"
        ),
    }];
    let timeouts: Vec<&str> = timeouts.map(|(_, step)| step.op.as_str()).collect();
    if !timeouts.is_empty() {
        said.push(format!(
            "nothing is measured of {}: each invocation is counted with the whole timeout, the most it can take",
            timeouts.join(", ")
        ));
    }
    said.extend([
        "nothing fails or is tried again".to_owned(),
        "a record is under 1 KB, so that a materialization is one write".to_owned(),
        "each partition is one object, written with one PUT and read with one GET".to_owned(),
        format!("the planner takes {PLANNER_SECONDS} s a call, the reactor {REACTOR_SECONDS} s for {REACTOR_CHANGES} changes"),
        "not counted: storage, logs, traces, data transfer, what functions call themselves, the free tier, taxes".to_owned(),
    ]);
    said
}
