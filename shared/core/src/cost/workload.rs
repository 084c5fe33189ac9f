//! What is to be estimated: a plan in numbers.

use std::time::Duration;

use serde::Serialize;

/// A run in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Workload {
    /// The stages, earlier waves first.
    pub stages: Vec<StageLoad>,
    /// Whether the functions run on arm64.
    pub arm64: bool,
}

/// Steps that an item takes one after the other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageLoad {
    /// Its wave, from 0.
    pub wave: u32,
    /// How many items it has: partitions, or batches of them.
    pub items: u64,
    /// Whether an item has to wait for the one before.
    pub in_order: bool,
    /// Whether the children of its Distributed Map are Express.
    pub express: bool,
    /// What is run for each item.
    pub steps: Vec<StepLoad>,
}

/// One invocation for each item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepLoad {
    /// The op.
    pub op: String,
    /// The function's memory in MiB.
    pub memory_mib: u32,
    /// The function's disk in MiB.
    pub disk_mib: u32,
    /// How long one invocation takes.
    pub time: StepTime,
    /// How many (asset, partition) pairs are made for all items together.
    pub made: u64,
    /// How many of them were made before, so that the record of that goes to the event log.
    pub replaced: u64,
    /// How many upstream partitions are loaded for all items together.
    pub loaded: u64,
}

/// How long one invocation takes, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepTime {
    /// The mean of what was measured.
    Measured {
        /// The mean.
        mean: Duration,
        /// How many materializations it is the mean of.
        of: u64,
    },
    /// Nothing was measured: the timeout that the op declares, which is the most it can be.
    Timeout(Duration),
}

impl StepTime {
    /// The time of one invocation.
    pub fn duration(self) -> Duration {
        match self {
            Self::Measured { mean, .. } => mean,
            Self::Timeout(timeout) => timeout,
        }
    }
}

impl Workload {
    /// How many invocations of materializers there are.
    pub fn invocations(&self) -> u64 {
        self.stages.iter().map(StageLoad::invocations).sum()
    }

    /// How many (asset, partition) pairs are made.
    pub fn made(&self) -> u64 {
        self.steps().map(|(_, step)| step.made).sum()
    }

    /// How many waves there are.
    pub(super) fn waves(&self) -> u64 {
        let waves = self.stages.iter().map(|stage| u64::from(stage.wave) + 1);
        waves.max().unwrap_or(0)
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = (&StageLoad, &StepLoad)> {
        let stages = self.stages.iter();
        stages.flat_map(|stage| stage.steps.iter().map(move |step| (stage, step)))
    }
}

impl StageLoad {
    pub(super) fn invocations(&self) -> u64 {
        self.items * self.steps_per_item()
    }

    pub(super) fn steps_per_item(&self) -> u64 {
        self.steps.len() as u64
    }

    /// How long one item takes.
    pub(super) fn item_seconds(&self) -> f64 {
        let times = self.steps.iter().map(|step| step.time.duration());
        times.sum::<Duration>().as_secs_f64()
    }
}
