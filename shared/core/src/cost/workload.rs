//! The input of an estimate: a plan in numbers.

use std::time::Duration;

use serde::Serialize;

/// A run in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Workload {
    /// The stages, earlier waves first.
    pub stages: Vec<StageLoad>,
    /// True if the functions run on arm64.
    pub arm64: bool,
}

/// The load of one stage, whose items take the same steps one after the other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageLoad {
    /// The stage's wave, counted from 0.
    pub wave: u32,
    /// The number of items: partitions, or batches of partitions.
    pub items: u64,
    /// True if each item waits for the one before it.
    pub in_order: bool,
    /// True if the children of its Distributed Map are Express workflows.
    pub express: bool,
    /// The steps of each item.
    pub steps: Vec<StepLoad>,
}

/// The load of one step, which is one invocation for each item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepLoad {
    /// The op's name.
    pub op: String,
    /// The function's memory in MiB.
    pub memory_mib: u32,
    /// The function's disk in MiB.
    pub disk_mib: u32,
    /// The duration of one invocation.
    pub time: StepTime,
    /// The number of (asset, partition) pairs made by all items together.
    pub made: u64,
    /// The number of those that replace an earlier materialization, whose record moves to the event
    /// log.
    pub replaced: u64,
    /// The number of upstream partitions loaded by all items together.
    pub loaded: u64,
}

/// The duration of one invocation, and its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepTime {
    /// The mean of measured durations.
    Measured {
        /// The mean duration.
        mean: Duration,
        /// The number of materializations measured.
        #[serde(rename = "of")]
        samples: u64,
    },
    /// The op's declared timeout, an upper bound used where nothing was measured.
    Timeout(Duration),
}

impl StepTime {
    /// Returns the duration of one invocation.
    pub fn duration(self) -> Duration {
        match self {
            Self::Measured { mean, .. } => mean,
            Self::Timeout(timeout) => timeout,
        }
    }
}

impl Workload {
    /// Returns the number of materializer invocations.
    pub fn invocation_count(&self) -> u64 {
        self.stages.iter().map(StageLoad::invocation_count).sum()
    }

    /// Returns the number of (asset, partition) pairs made.
    pub fn partitions_made(&self) -> u64 {
        self.iter_steps().map(|(_, step)| step.made).sum()
    }

    /// Returns the number of waves.
    pub(super) fn wave_count(&self) -> u64 {
        let waves = self.stages.iter().map(|stage| u64::from(stage.wave) + 1);
        waves.max().unwrap_or(0)
    }

    pub(super) fn iter_steps(&self) -> impl Iterator<Item = (&StageLoad, &StepLoad)> {
        let stages = self.stages.iter();
        stages.flat_map(|stage| stage.steps.iter().map(move |step| (stage, step)))
    }
}

impl StageLoad {
    pub(super) fn invocation_count(&self) -> u64 {
        self.items * self.steps_per_item()
    }

    pub(super) fn steps_per_item(&self) -> u64 {
        self.steps.len() as u64
    }

    /// Returns the duration of one item in seconds.
    pub(super) fn item_seconds(&self) -> f64 {
        let times = self.steps.iter().map(|step| step.time.duration());
        times.sum::<Duration>().as_secs_f64()
    }
}
