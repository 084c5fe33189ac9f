//! Reactions to changes of the record: sensors of assets and runs, automation, freshness.

use chrono::DateTime;
use precip_core::{
    automation::{Conditions, Ordering},
    graph::AssetGraph,
    manifest::Manifest,
    partitions::PartitionContext,
    selection::Selection,
    trigger::SensorSource,
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
}

/// Returns whether a target holds an asset whose partitions may exist before an upstream window that
/// they need.
fn may_wait(graph: &AssetGraph, target: Option<&Selection>) -> bool {
    // A sensor without a declared target may request anything, and so does one whose target is
    // invalid, which is reported elsewhere.
    let assets = target
        .and_then(|target| target.resolve(graph).ok())
        .unwrap_or_else(|| graph.all_assets());
    assets.iter().any(|asset| {
        graph.upstream(asset).iter().any(|edge| {
            edge.mapping
                .can_wait(graph.partitions(edge.asset), graph.partitions(asset))
        })
    })
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
            reactions.ticks |= !matches!(sensor.spec.source, SensorSource::Objects(_))
                && may_wait(graph, sensor.spec.target.as_ref());
            match &sensor.spec.source {
                SensorSource::Assets { .. } => {
                    reactions.assets = true;
                    // Its function may fail, and is then retried.
                    reactions.ticks |= sensor.spec.has_function;
                }
                SensorSource::Runs { .. } => reactions.runs = true,
                // Sensors of objects have a function of their own.
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
        self.automation || self.assets || self.runs
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
