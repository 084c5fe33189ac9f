//! Validation of sensors and schedules.

use std::collections::BTreeMap;

use precip_core::graph::AssetGraph;

use super::check::check_resources;
use crate::{
    definitions::{DefinitionError, Environment, InvalidDefinition},
    trigger::{ScheduleDefinition, SensorDefinition},
};

/// Checks that sensors and schedules fit the assets.
pub(super) fn check_triggers(
    graph: &AssetGraph,
    sensors: &BTreeMap<String, SensorDefinition>,
    schedules: &BTreeMap<String, ScheduleDefinition>,
    problems: &mut Vec<DefinitionError>,
) {
    for (name, sensor) in sensors {
        if let Err(problem) = sensor.spec.validate(graph) {
            problems.push(DefinitionError {
                source: Some(sensor.source),
                problem: InvalidDefinition::Trigger {
                    who: format!("sensor `{name}`"),
                    problem,
                },
            });
        }
    }
    for (name, schedule) in schedules {
        if let Err(problem) = schedule.spec.resolve(graph) {
            problems.push(DefinitionError {
                source: Some(schedule.source),
                problem: InvalidDefinition::Trigger {
                    who: format!("schedule `{name}`"),
                    problem,
                },
            });
        }
    }
}

/// Checks that an environment provides the resources of sensors and schedules.
pub(super) fn check_trigger_needs(
    sensors: &BTreeMap<String, SensorDefinition>,
    schedules: &BTreeMap<String, ScheduleDefinition>,
    environment: &Environment,
    problems: &mut Vec<DefinitionError>,
) {
    for (name, sensor) in sensors {
        let who = format!("sensor `{name}`");
        check_resources(
            &who,
            &sensor.resources,
            sensor.source,
            environment,
            problems,
        );
    }
    for (name, schedule) in schedules {
        let who = format!("schedule `{name}`");
        check_resources(
            &who,
            &schedule.resources,
            schedule.source,
            environment,
            problems,
        );
    }
}
