//! The run that is simulated, and its settings.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use precip_core::{graph::AssetGraph, key::AssetKey, partitions::PartitionSet};
use precip_engine::run::PlannedRun;

use crate::{dynamo, lambda};

/// A planned run of a project.
#[derive(Debug, Clone)]
pub struct Input {
    /// The graph.
    pub graph: Arc<AssetGraph>,
    /// The plan, as `materialize` makes it.
    pub planned: PlannedRun,
    /// The durations of the ops, by name. An op without one takes its timeout.
    pub times: BTreeMap<String, OpTime>,
    /// The mean number of upstream partitions that an op loads for one of its own, by the op's name.
    pub upstream: BTreeMap<String, f64>,
    /// The partitions of each asset that have a record, which moves to the event log.
    pub recorded: BTreeMap<AssetKey, PartitionSet>,
    /// The limits of pools, by name. A pool without one does not hold anything back.
    pub pools: BTreeMap<String, u32>,
}

/// The duration of one invocation of an op, and its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpTime {
    /// Measured durations, of which each invocation takes one. Never empty.
    Measured(Vec<Duration>),
    /// An assumed duration.
    Assumed(Duration),
    /// The op's declared timeout, an upper bound used where nothing was measured.
    Timeout(Duration),
}

impl OpTime {
    /// Returns the duration of one invocation, as often as it was measured.
    pub(super) fn draw(&self, rng: &mut fastrand::Rng) -> Duration {
        match self {
            Self::Measured(all) => rng.choice(all).copied().unwrap_or_default(),
            Self::Assumed(time) | Self::Timeout(time) => *time,
        }
    }
}

/// The settings of the deployment and the quotas of its account.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Lambda's quotas.
    pub lambda: lambda::Limits,
    /// The table's throughput.
    pub table: dynamo::Limits,
    /// Functions that a run invokes at once, at most: the parameter `MaxConcurrency`.
    pub max_concurrency: u32,
    /// Concurrency reserved for each materializer: the parameter `MaterializerConcurrency`.
    pub materializer_concurrency: Option<u32>,
    /// Time that the reactor waits for more changes: the parameter `ReactorBatchingSeconds`.
    pub reactor_window: Duration,
    /// True if the functions run on arm64.
    pub arm64: bool,
    /// The seed of durations and jitter.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lambda: lambda::Limits::default(),
            table: dynamo::Limits::default(),
            max_concurrency: 800,
            materializer_concurrency: None,
            reactor_window: Duration::from_secs(3),
            arm64: false,
            seed: 0,
        }
    }
}
