//! Reactions to changes of the record: sensors of assets and runs, automation, freshness.

use chrono::DateTime;
use precip_core::{
    automation::{Conditions, Ordering},
    graph::AssetGraph,
    manifest::Manifest,
    partitions::PartitionContext,
    trigger::{SensorSource, may_wait_for_upstream},
};

use super::SynthError;

/// The tasks of the reactor besides projecting the table's stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reactions {
    /// True if assets have automation conditions.
    pub(super) automation: bool,
    /// True if there are sensors of assets.
    pub(super) assets: bool,
    /// True if there are sensors of runs.
    pub(super) runs: bool,
    /// True if assets have freshness policies.
    pub(super) freshness: bool,
    /// True if functions of those sensors take resources.
    pub(super) resources: bool,
    /// True if something changes with time alone, or is retried after some time.
    pub(super) ticks: bool,
    /// True if a run that a sensor of objects or a schedule requests may wait for an upstream window.
    pub(super) waiting: bool,
}

impl Reactions {
    /// Returns the reactions of a project.
    pub(super) fn from_manifest(
        manifest: &Manifest,
        graph: &AssetGraph,
    ) -> Result<Self, SynthError> {
        let mut reactions = Self::default();
        for sensor in &manifest.sensors {
            // A run that waits for an upstream window is launched by a tick.
            let waits = may_wait_for_upstream(graph, sensor.spec.target.as_ref());
            reactions.ticks |= waits;
            match &sensor.spec.source {
                SensorSource::Assets { .. } => {
                    reactions.assets = true;
                    // Its function may fail, and is then retried.
                    reactions.ticks |= sensor.spec.has_function;
                }
                SensorSource::Runs { .. } => reactions.runs = true,
                // Sensors of objects have a function of their own.
                SensorSource::Objects(_) => {
                    reactions.waiting |= waits;
                    continue;
                }
            }
            reactions.resources |= !sensor.details.resources.is_empty();
        }
        let mut schedules = manifest.schedules.iter();
        reactions.waiting |=
            schedules.any(|schedule| may_wait_for_upstream(graph, schedule.spec.target.as_ref()));
        reactions.ticks |= reactions.waiting;
        for id in graph.ids() {
            let asset = graph.asset(id);
            reactions.automation |= asset.automation.is_some();
            reactions.freshness |= asset.freshness.is_some();
        }
        reactions.ticks |= reactions.freshness;
        if reactions.automation {
            let conditions = Conditions::new(graph, Ordering::default())
                .map_err(|error| SynthError::Automation(error.to_string()))?;
            // From a moment before every window: if anything ever changes with time, it does after
            // this.
            let begin = PartitionContext::at(DateTime::UNIX_EPOCH);
            reactions.ticks |= conditions.next_change(&begin).is_some();
        }
        Ok(reactions)
    }

    /// Returns whether the reactor may request runs.
    pub(super) fn requests_runs(self) -> bool {
        self.automation || self.assets || self.runs || self.waiting
    }

    /// Returns whether there are any reactions.
    pub(super) fn has_any(self) -> bool {
        self.requests_runs() || self.freshness
    }

    /// Returns the description of the function.
    pub(super) fn description(self) -> &'static str {
        match (self.requests_runs(), self.freshness) {
            (false, false) => {
                "Updates the status of each asset and the progress of each run from the table's stream."
            }
            (true, _) => {
                "Updates status and progress from the table's stream, and starts the runs that changes request."
            }
            (false, true) => "Updates status, progress and freshness from the table's stream.",
        }
    }

    /// Returns the default time that the reactor waits for more changes, in seconds. Reactions
    /// should follow at once. Without any, only people look at status and progress: they do not
    /// notice a few seconds, and larger batches write less to the table.
    pub(super) fn batching_seconds(self) -> u32 {
        if self.has_any() { 1 } else { 3 }
    }
}
