//! What a change concerns: [`concerned`]. Pure.

use std::collections::BTreeSet;

use precip_core::{
    automation::{Conditions, Ordering},
    graph::AssetId,
    key::AssetKey,
    partitions::PartitionsDefinition,
    trigger::SensorSource,
};

use super::Happened;
use crate::{definitions::Definitions, trigger::SensorDefinition};

/// What has to be evaluated.
#[derive(Debug, Clone, Default)]
pub struct Concern<'a> {
    /// Sensors of assets: one of their assets has a new materialization, or it is time to try again.
    pub asset_sensors: Vec<&'a SensorDefinition>,
    /// Sensors of runs: some run ended.
    pub run_sensors: Vec<&'a SensorDefinition>,
    /// The automation conditions.
    pub automation: bool,
    /// The freshness of these assets; that of all when it is time.
    pub freshness: BTreeSet<AssetKey>,
}

impl Concern<'_> {
    /// Whether nothing has to be evaluated.
    pub fn is_empty(&self) -> bool {
        self.asset_sensors.is_empty()
            && self.run_sensors.is_empty()
            && !self.automation
            && self.freshness.is_empty()
    }
}

/// Whether there is anything in a project that a change could concern.
pub fn reacts(definitions: &Definitions) -> bool {
    let graph = definitions.graph();
    let waits = |sensor: &SensorDefinition| !matches!(sensor.spec.source, SensorSource::Objects(_));
    definitions.sensors().any(waits)
        || graph.ids().any(|id| {
            let asset = graph.asset(id);
            asset.automation.is_some() || asset.freshness.is_some()
        })
}

/// Decides what a change concerns.
pub fn concerned<'a>(definitions: &'a Definitions, happened: &Happened) -> Concern<'a> {
    let graph = definitions.graph();
    let mut concern = Concern {
        automation: automation(definitions, happened),
        ..Concern::default()
    };
    for sensor in definitions.sensors() {
        match &sensor.spec.source {
            SensorSource::Assets { assets, .. } => {
                if happened.tick || assets.iter().any(|key| happened.published.contains(key)) {
                    concern.asset_sensors.push(sensor);
                }
            }
            SensorSource::Runs { .. } if !happened.ended.is_empty() => {
                concern.run_sensors.push(sensor);
            }
            SensorSource::Runs { .. } | SensorSource::Objects(_) => {}
        }
    }
    let fresh = |id: &AssetId| {
        let published = happened.published.contains(graph.key(*id));
        graph.asset(*id).freshness.is_some() && (happened.tick || published)
    };
    concern.freshness = graph
        .ids()
        .filter(fresh)
        .map(|id| graph.key(id).clone())
        .collect();
    concern
}

/// Whether some condition may be true of other partitions now: something it asks about is not what it
/// was, or a run that held it back has ended.
fn automation(definitions: &Definitions, happened: &Happened) -> bool {
    let graph = definitions.graph();
    if graph.ids().all(|id| graph.asset(id).automation.is_none()) {
        return false;
    }
    if happened.tick || !happened.ended.is_empty() {
        return true;
    }
    let Ok(conditions) = Conditions::new(graph, Ordering::default()) else {
        // The evaluation says what is wrong.
        return true;
    };
    conditions.targets().iter().any(|id| {
        let key = graph.key(id);
        let keys = graph.partitions(id).is_some_and(|definition| {
            let sets = dynamic_sets(definition);
            sets.iter().any(|set| happened.keys.contains(*set))
        });
        keys || happened.published.contains(key) || happened.changed.contains(key)
    })
}

fn dynamic_sets(definition: &PartitionsDefinition) -> Vec<&str> {
    match definition {
        PartitionsDefinition::Dynamic(dynamic) => vec![&dynamic.name],
        PartitionsDefinition::Multi(multi) => multi
            .dimensions()
            .flat_map(|(_, definition)| dynamic_sets(definition))
            .collect(),
        PartitionsDefinition::Static(_) | PartitionsDefinition::TimeWindow(_) => Vec::new(),
    }
}
