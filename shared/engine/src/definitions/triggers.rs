//! What is checked of sensors and schedules.

use std::collections::BTreeMap;

use precip_core::graph::AssetGraph;

use super::check::resources;
use crate::{
    definitions::{DefinitionProblem, Environment, Problem},
    trigger::{ScheduleDefinition, SensorDefinition},
};

/// Whether sensors and schedules fit the assets.
pub(super) fn check(
    graph: &AssetGraph,
    sensors: &BTreeMap<String, SensorDefinition>,
    schedules: &BTreeMap<String, ScheduleDefinition>,
    problems: &mut Vec<DefinitionProblem>,
) {
    for (name, sensor) in sensors {
        if let Err(problem) = sensor.spec.check(graph) {
            problems.push(DefinitionProblem {
                source: Some(sensor.source),
                problem: Problem::Trigger {
                    who: format!("sensor `{name}`"),
                    problem,
                },
            });
        }
    }
    for (name, schedule) in schedules {
        if let Err(problem) = schedule.spec.ticking(graph) {
            problems.push(DefinitionProblem {
                source: Some(schedule.source),
                problem: Problem::Trigger {
                    who: format!("schedule `{name}`"),
                    problem,
                },
            });
        }
    }
}

/// Whether an environment has what their functions use.
pub(super) fn needs(
    sensors: &BTreeMap<String, SensorDefinition>,
    schedules: &BTreeMap<String, ScheduleDefinition>,
    environment: &Environment,
    problems: &mut Vec<DefinitionProblem>,
) {
    for (name, sensor) in sensors {
        let who = format!("sensor `{name}`");
        resources(
            &who,
            &sensor.resources,
            sensor.source,
            environment,
            problems,
        );
    }
    for (name, schedule) in schedules {
        let who = format!("schedule `{name}`");
        resources(
            &who,
            &schedule.resources,
            schedule.source,
            environment,
            problems,
        );
    }
}
