//! What waits for changes of the record: sensors of assets and runs, automation, freshness.

use chrono::DateTime;
use precip_core::{
    automation::{Conditions, Ordering},
    graph::AssetGraph,
    manifest::Manifest,
    partitions::PartitionContext,
    trigger::SensorSource,
};

use super::SynthError;

/// What the reactor does beside projecting the table's stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reactions {
    /// Whether assets have automation conditions.
    pub(super) automation: bool,
    /// Whether sensors wait for assets.
    pub(super) assets: bool,
    /// Whether sensors wait for runs.
    pub(super) runs: bool,
    /// Whether assets have freshness policies.
    pub(super) freshness: bool,
    /// Whether functions of those sensors take resources.
    pub(super) resources: bool,
    /// Whether something changes with time alone, or is tried again after some time.
    pub(super) ticks: bool,
}

impl Reactions {
    pub(super) fn of(manifest: &Manifest, graph: &AssetGraph) -> Result<Self, SynthError> {
        let mut reactions = Self::default();
        for sensor in &manifest.sensors {
            match &sensor.spec.source {
                SensorSource::Assets { .. } => {
                    reactions.assets = true;
                    // Its function may fail.
                    reactions.ticks |= sensor.spec.has_function;
                }
                SensorSource::Runs { .. } => reactions.runs = true,
                SensorSource::Objects(_) => continue,
            }
            reactions.resources |= !sensor.details.resources.is_empty();
        }
        for id in graph.ids() {
            let asset = graph.asset(id);
            reactions.automation |= asset.automation.is_some();
            reactions.freshness |= asset.freshness.is_some();
        }
        reactions.ticks |= reactions.freshness;
        if reactions.automation {
            let conditions = Conditions::new(graph, Ordering::default());
            let conditions =
                conditions.map_err(|error| SynthError::Automation(error.to_string()))?;
            // Whether time changes anything at all: from a moment before everything.
            let begin = PartitionContext::at(DateTime::UNIX_EPOCH);
            reactions.ticks |= conditions.next_change(&begin).is_some();
        }
        Ok(reactions)
    }

    /// Whether it may request runs.
    pub(super) fn requests(self) -> bool {
        self.automation || self.assets || self.runs
    }

    /// Whether there is anything.
    pub(super) fn any(self) -> bool {
        self.requests() || self.freshness
    }

    /// What the function is for, in a line.
    pub(super) fn description(self) -> &'static str {
        match (self.requests(), self.freshness) {
            (false, false) => {
                "Keeps the status of each asset and the progress of each run, from the table's stream."
            }
            (true, _) => {
                "Keeps status and progress, from the table's stream, and starts the runs that follow from it."
            }
            (false, true) => "Keeps status, progress and freshness, from the table's stream.",
        }
    }

    /// How long the reactor waits for more changes unless the deployment says otherwise, in seconds. What
    /// follows from a change should follow at once. Where nothing does, people look at status and
    /// progress: a few seconds are not seen, and larger batches write less to the table.
    pub(super) fn batching_seconds(self) -> u32 {
        if self.any() { 1 } else { 3 }
    }
}
