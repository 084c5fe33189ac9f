//! The evaluations that a change affects. Pure.

use std::collections::BTreeSet;

use precip_core::{
    automation::{Conditions, Ordering},
    graph::AssetId,
    key::AssetKey,
    trigger::{SensorSource, may_wait_for_upstream},
};

use super::ChangeSet;
use crate::{
    definitions::Definitions,
    trigger::{ScheduleDefinition, SensorDefinition},
};

/// The evaluations that a change affects.
#[derive(Debug, Clone, Default)]
pub struct Affected<'a> {
    /// Sensors of assets of which one has a new materialization; all of them at a tick, which retries
    /// failed functions.
    pub asset_sensors: Vec<&'a SensorDefinition>,
    /// Sensors of runs, if a run has ended.
    pub run_sensors: Vec<&'a SensorDefinition>,
    /// True if the automation conditions are affected.
    pub automation: bool,
    /// Assets whose freshness is affected; all that have a policy at a tick.
    pub freshness: BTreeSet<AssetKey>,
}

impl Affected<'_> {
    /// Returns whether no evaluation is affected.
    pub fn is_empty(&self) -> bool {
        self.asset_sensors.is_empty()
            && self.run_sensors.is_empty()
            && !self.automation
            && self.freshness.is_empty()
    }
}

/// Returns whether a project declares anything that a change can affect, or that may request a run
/// which waits.
pub fn reacts_to_changes(definitions: &Definitions) -> bool {
    let graph = definitions.graph();
    let reacts = |sensor: &SensorDefinition| match sensor.spec.source {
        SensorSource::Assets { .. } | SensorSource::Runs { .. } => true,
        SensorSource::Objects(_) => may_wait_for_upstream(graph, sensor.spec.target.as_ref()),
    };
    let waits =
        |schedule: &ScheduleDefinition| may_wait_for_upstream(graph, schedule.spec.target.as_ref());
    definitions.sensors().any(reacts)
        || definitions.schedules().any(waits)
        || graph.ids().any(|id| {
            let asset = graph.asset(id);
            asset.automation.is_some() || asset.freshness.is_some()
        })
}

/// Returns the evaluations that a change affects.
pub fn affected_by<'a>(definitions: &'a Definitions, changes: &ChangeSet) -> Affected<'a> {
    let graph = definitions.graph();
    let mut affected = Affected {
        automation: affects_automation(definitions, changes),
        ..Affected::default()
    };
    for sensor in definitions.sensors() {
        match &sensor.spec.source {
            SensorSource::Assets { assets, .. } => {
                if changes.tick || assets.iter().any(|key| changes.published.contains(key)) {
                    affected.asset_sensors.push(sensor);
                }
            }
            SensorSource::Runs { .. } if !changes.ended.is_empty() => {
                affected.run_sensors.push(sensor);
            }
            SensorSource::Runs { .. } | SensorSource::Objects(_) => {}
        }
    }
    let fresh = |id: &AssetId| {
        let published = changes.published.contains(graph.key(*id));
        graph.asset(*id).freshness.is_some() && (changes.tick || published)
    };
    affected.freshness = graph
        .ids()
        .filter(fresh)
        .map(|id| graph.key(id).clone())
        .collect();
    affected
}

/// Returns whether an automation condition may hold for other partitions now: because an asset that
/// it refers to has changed, or because a run has ended that was in progress.
fn affects_automation(definitions: &Definitions, changes: &ChangeSet) -> bool {
    let graph = definitions.graph();
    if graph.ids().all(|id| graph.asset(id).automation.is_none()) {
        return false;
    }
    // An ended run may no longer hold back what a condition requests.
    if changes.tick || !changes.ended.is_empty() {
        return true;
    }
    let Ok(conditions) = Conditions::new(graph, Ordering::default()) else {
        // The evaluation reports the invalid condition.
        return true;
    };
    conditions.target_assets().iter().any(|id| {
        let key = graph.key(id);
        let keys = graph.partitions(id).is_some_and(|definition| {
            let sets = definition.dynamic_sets();
            sets.iter().any(|set| changes.dynamic_sets.contains(*set))
        });
        keys || changes.published.contains(key) || changes.changed.contains(key)
    })
}
