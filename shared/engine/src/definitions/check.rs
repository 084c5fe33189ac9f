//! What is checked of declarations before and beside the graph.

use std::collections::{BTreeMap, btree_map::Entry};

use precip_core::{
    graph::GraphProblem,
    key::{AssetKey, CheckKey},
    nearest::nearest,
    spec::AssetSpec,
};

use super::environment::DEFAULT_IO_MANAGER;
use crate::{
    asset::ResourceNeed,
    definitions::{
        Declaration, DefinitionProblem, Environment, OpDefinition, Problem, SourceLocation,
    },
    trigger::{ScheduleDefinition, SensorDefinition},
};

/// Declarations by kind.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) ops: BTreeMap<String, OpDefinition>,
    pub(super) external: Vec<(AssetSpec, SourceLocation)>,
    pub(super) sensors: BTreeMap<String, SensorDefinition>,
    pub(super) schedules: BTreeMap<String, ScheduleDefinition>,
}

/// Takes declarations apart: ops, sensors and schedules by name, and external assets by key, each
/// name once.
pub(super) fn sort(
    declarations: Vec<Declaration>,
    problems: &mut Vec<DefinitionProblem>,
) -> Sorted {
    let mut names = Names::default();
    let mut sorted = Sorted::default();
    let Sorted {
        ops,
        external,
        sensors,
        schedules,
    } = &mut sorted;
    for declaration in declarations {
        match declaration {
            Declaration::Op(op) => {
                let again = ops
                    .get(&op.spec.name)
                    .is_some_and(|known: &OpDefinition| known.source == op.source);
                if !again && names.take_op(&op, problems) {
                    ops.insert(op.spec.name.clone(), op.into_complete());
                }
            }
            Declaration::External(asset, source) => {
                let again = external
                    .iter()
                    .any(|(known, at)| known.key == asset.key && *at == source);
                if !again && names.take(asset_name(&asset.key), source, problems) {
                    external.push((*asset, source));
                }
            }
            Declaration::Sensor(sensor) => {
                let name = sensor.name().to_string();
                let known = sensors.get(&name);
                let again = known.is_some_and(|known| known.source == sensor.source);
                if !again && names.take(format!("sensor `{name}`"), sensor.source, problems) {
                    sensors.insert(name, *sensor);
                }
            }
            Declaration::Schedule(schedule) => {
                let name = schedule.name().to_string();
                let known = schedules.get(&name);
                let again = known.is_some_and(|known| known.source == schedule.source);
                if !again && names.take(format!("schedule `{name}`"), schedule.source, problems) {
                    schedules.insert(name, *schedule);
                }
            }
            Declaration::Invalid {
                name,
                reason,
                source,
            } => {
                let problem = DefinitionProblem {
                    source: Some(source),
                    problem: Problem::Declaration { name, reason },
                };
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
    }
    external.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    sorted
}

/// Where each name was given first.
#[derive(Default)]
struct Names(BTreeMap<String, SourceLocation>);

impl Names {
    /// Takes every name of an op; `false` if one was taken.
    fn take_op(&mut self, op: &OpDefinition, problems: &mut Vec<DefinitionProblem>) -> bool {
        let before = problems.len();
        for asset in &op.spec.assets {
            self.take(asset_name(&asset.key), op.source, problems);
        }
        for check in &op.spec.checks {
            self.take(check_name(&check.key), op.source, problems);
        }
        // Named after its only asset or check, an op adds no name of its own.
        if problems.len() == before {
            self.take(format!("op `{}`", op.spec.name), op.source, problems);
        }
        problems.len() == before
    }

    fn take(
        &mut self,
        what: String,
        source: SourceLocation,
        problems: &mut Vec<DefinitionProblem>,
    ) -> bool {
        match self.0.entry(what) {
            Entry::Vacant(free) => {
                free.insert(source);
                true
            }
            Entry::Occupied(taken) => {
                problems.push(DefinitionProblem {
                    source: Some(source),
                    problem: Problem::Duplicate {
                        what: taken.key().clone(),
                        first: *taken.get(),
                    },
                });
                false
            }
        }
    }
}

fn asset_name(key: &AssetKey) -> String {
    format!("asset `{key}`")
}

fn check_name(key: &CheckKey) -> String {
    format!("check `{}` of asset `{}`", key.name, key.asset)
}

/// Whether an op depends on everything that it takes.
pub(super) fn inputs(op: &OpDefinition, problems: &mut Vec<DefinitionProblem>) {
    let of_assets = op.spec.assets.iter().flat_map(|asset| &asset.deps);
    let of_checks = op
        .spec
        .checks
        .iter()
        .flat_map(|check| &check.additional_deps);
    let mut depends_on: Vec<&AssetKey> = of_assets.chain(of_checks).map(|dep| &dep.asset).collect();
    depends_on.extend(op.spec.checks.iter().map(|check| &check.key.asset));
    for input in &op.inputs {
        if !depends_on.contains(&&input.asset) {
            problems.push(DefinitionProblem {
                source: Some(op.source),
                problem: Problem::InputWithoutDep {
                    op: op.spec.name.clone(),
                    parameter: input.name.clone(),
                    asset: input.asset.to_string(),
                },
            });
        }
    }
}

/// Whether an environment has what an op uses.
pub(super) fn needs(
    op: &OpDefinition,
    environment: &Environment,
    problems: &mut Vec<DefinitionProblem>,
) {
    let who = format!("op `{}`", op.spec.name);
    resources(&who, &op.resources, op.source, environment, problems);
    let mut refuse = |problem| {
        problems.push(DefinitionProblem {
            source: Some(op.source),
            problem,
        });
    };
    for asset in &op.spec.assets {
        let Some(name) = asset.io_manager.as_deref() else {
            continue;
        };
        if name != DEFAULT_IO_MANAGER && !environment.io_managers.contains_key(name) {
            refuse(Problem::MissingIoManager {
                asset: asset.key.to_string(),
                io_manager: name.to_owned(),
                environment: environment.name.clone(),
                nearest: near(name, environment.io_manager_names()),
            });
        }
    }
}

/// Whether an environment has the resources that something takes.
pub(super) fn resources(
    who: &str,
    needs: &[ResourceNeed],
    source: SourceLocation,
    environment: &Environment,
    problems: &mut Vec<DefinitionProblem>,
) {
    for need in needs {
        let problem = match environment.resources.get(&need.name) {
            None => Problem::MissingResource {
                who: who.to_owned(),
                resource: need.name.clone(),
                environment: environment.name.clone(),
                nearest: near(&need.name, environment.resource_names()),
            },
            Some(factory) if !need.accepts(factory.made()) => Problem::ResourceType {
                who: who.to_owned(),
                resource: need.name.clone(),
                environment: environment.name.clone(),
                wanted: need.type_name.to_owned(),
                given: factory.type_name().to_owned(),
            },
            Some(_) => continue,
        };
        problems.push(DefinitionProblem {
            source: Some(source),
            problem,
        });
    }
}

fn near<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    nearest(name, names)
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// Where the declaration is that a problem of the graph is about.
pub(super) fn place(
    problem: &GraphProblem,
    ops: &BTreeMap<String, OpDefinition>,
    external: &[(AssetSpec, SourceLocation)],
) -> Option<SourceLocation> {
    let op = |name: &String| ops.get(name).map(|op| op.source);
    let asset = |key: &AssetKey| {
        let made = ops
            .values()
            .find(|op| op.spec.assets.iter().any(|asset| asset.key == *key));
        made.map(|op| op.source).or_else(|| {
            let given = external.iter().find(|(asset, _)| asset.key == *key);
            given.map(|(_, source)| *source)
        })
    };
    let check = |key: &CheckKey| {
        let run = ops
            .values()
            .find(|op| op.spec.checks.iter().any(|check| check.key == *key));
        run.map(|op| op.source)
    };
    match problem {
        GraphProblem::DuplicateAsset { key, .. } => asset(key),
        GraphProblem::DuplicateOp { name } | GraphProblem::InvalidOpName { name } => op(name),
        GraphProblem::EmptyOp { op: name }
        | GraphProblem::CheckOnOtherAsset { op: name, .. }
        | GraphProblem::MixedPartitions { op: name, .. }
        | GraphProblem::BatchedUnpartitioned { op: name }
        | GraphProblem::OpCycle { op: name, .. } => op(name),
        GraphProblem::DuplicateCheck { key }
        | GraphProblem::UnknownCheckedAsset { check: key, .. }
        | GraphProblem::CheckReadsItsAsset { check: key } => check(key),
        GraphProblem::InvalidCheckName { asset: key, name } => check(&CheckKey {
            asset: key.clone(),
            name: name.clone(),
        }),
        GraphProblem::UnknownUpstream { asset: key, .. }
        | GraphProblem::ConflictingDeps { asset: key, .. }
        | GraphProblem::TooManyKinds { asset: key, .. }
        | GraphProblem::DependsOnItself { asset: key }
        | GraphProblem::Mapping { asset: key, .. } => asset(key),
        GraphProblem::Cycle { path } => path.first().and_then(asset),
        _ => None,
    }
}
