//! Validation of declarations outside the asset graph.

use std::collections::{BTreeMap, btree_map::Entry};

use precip_core::{
    graph::GraphError,
    key::{AssetKey, CheckKey},
    nearest::nearest_names,
    spec::AssetSpec,
};

use super::environment::DEFAULT_IO_MANAGER;
use crate::{
    asset::ResourceNeed,
    definitions::{
        Declaration, DefinitionError, Environment, InvalidDefinition, OpDefinition, SourceLocation,
    },
    trigger::{ScheduleDefinition, SensorDefinition},
};

/// Declarations, by kind.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) ops: BTreeMap<String, OpDefinition>,
    pub(super) external: Vec<(AssetSpec, SourceLocation)>,
    pub(super) sensors: BTreeMap<String, SensorDefinition>,
    pub(super) schedules: BTreeMap<String, ScheduleDefinition>,
}

/// Sorts declarations by kind: ops, sensors and schedules by name, and external assets by key. Each
/// name may be declared once; the same declaration (by source location) again is ignored.
pub(super) fn sort_declarations(
    declarations: Vec<Declaration>,
    problems: &mut Vec<DefinitionError>,
) -> Sorted {
    let mut names = Names::default();
    let mut sorted = Sorted::default();
    let Sorted {
        ops,
        external,
        sensors,
        schedules,
    } = &mut sorted;
    // `discover` may list what the project also adds by hand: the same declaration twice is one.
    for declaration in declarations {
        match declaration {
            Declaration::Op(op) => {
                let again = ops
                    .get(&op.spec.name)
                    .is_some_and(|known: &OpDefinition| known.source == op.source);
                if !again && names.claim_op(&op, problems) {
                    ops.insert(op.spec.name.clone(), op.into_complete());
                }
            }
            Declaration::External(asset, source) => {
                let again = external
                    .iter()
                    .any(|(known, at)| known.key == asset.key && *at == source);
                if !again && names.claim(asset_name(&asset.key), source, problems) {
                    external.push((*asset, source));
                }
            }
            Declaration::Sensor(sensor) => {
                let name = sensor.name().to_string();
                let known = sensors.get(&name);
                let again = known.is_some_and(|known| known.source == sensor.source);
                if !again && names.claim(format!("sensor `{name}`"), sensor.source, problems) {
                    sensors.insert(name, *sensor);
                }
            }
            Declaration::Schedule(schedule) => {
                let name = schedule.name().to_string();
                let known = schedules.get(&name);
                let again = known.is_some_and(|known| known.source == schedule.source);
                if !again && names.claim(format!("schedule `{name}`"), schedule.source, problems) {
                    schedules.insert(name, *schedule);
                }
            }
            Declaration::Invalid {
                name,
                reason,
                source,
            } => {
                let problem = DefinitionError {
                    source: Some(source),
                    problem: InvalidDefinition::Declaration { name, reason },
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

/// The location of the first declaration of each name.
#[derive(Default)]
struct Names(BTreeMap<String, SourceLocation>);

impl Names {
    /// Claims every name of an op. Returns `false` if one of them was taken.
    fn claim_op(&mut self, op: &OpDefinition, problems: &mut Vec<DefinitionError>) -> bool {
        let before = problems.len();
        for asset in &op.spec.assets {
            self.claim(asset_name(&asset.key), op.source, problems);
        }
        for check in &op.spec.checks {
            self.claim(check_name(&check.key), op.source, problems);
        }
        // Named after its only asset or check, an op adds no name of its own.
        if problems.len() == before {
            self.claim(format!("op `{}`", op.spec.name), op.source, problems);
        }
        problems.len() == before
    }

    fn claim(
        &mut self,
        what: String,
        source: SourceLocation,
        problems: &mut Vec<DefinitionError>,
    ) -> bool {
        match self.0.entry(what) {
            Entry::Vacant(free) => {
                free.insert(source);
                true
            }
            Entry::Occupied(taken) => {
                problems.push(DefinitionError {
                    source: Some(source),
                    problem: InvalidDefinition::Duplicate {
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

/// Checks that an op depends on every asset that it takes.
pub(super) fn check_op_inputs(op: &OpDefinition, problems: &mut Vec<DefinitionError>) {
    let of_assets = op.spec.assets.iter().flat_map(|asset| &asset.deps);
    let of_checks = op
        .spec
        .checks
        .iter()
        .flat_map(|check| &check.additional_deps);
    // A check reads the asset that it checks without declaring a dependency.
    let mut depends_on: Vec<&AssetKey> = of_assets.chain(of_checks).map(|dep| &dep.asset).collect();
    depends_on.extend(op.spec.checks.iter().map(|check| &check.key.asset));
    for input in &op.inputs {
        if !depends_on.contains(&&input.asset) {
            problems.push(DefinitionError {
                source: Some(op.source),
                problem: InvalidDefinition::InputWithoutDep {
                    op: op.spec.name.clone(),
                    parameter: input.name.clone(),
                    asset: input.asset.to_string(),
                },
            });
        }
    }
}

/// Checks that an environment provides the resources and IO managers of an op.
pub(super) fn check_op_needs(
    op: &OpDefinition,
    environment: &Environment,
    problems: &mut Vec<DefinitionError>,
) {
    let who = format!("op `{}`", op.spec.name);
    check_resources(&who, &op.resources, op.source, environment, problems);
    let mut refuse = |problem| {
        problems.push(DefinitionError {
            source: Some(op.source),
            problem,
        });
    };
    for asset in &op.spec.assets {
        let Some(name) = asset.io_manager.as_deref() else {
            continue;
        };
        // The platform provides the default IO manager if the environment does not.
        if name != DEFAULT_IO_MANAGER && !environment.io_managers.contains_key(name) {
            refuse(InvalidDefinition::MissingIoManager {
                asset: asset.key.to_string(),
                io_manager: name.to_owned(),
                environment: environment.name.clone(),
                nearest: similar_names(name, environment.io_manager_names()),
            });
        }
    }
}

/// Checks that an environment provides the resources of an op or a trigger.
pub(super) fn check_resources(
    who: &str,
    needs: &[ResourceNeed],
    source: SourceLocation,
    environment: &Environment,
    problems: &mut Vec<DefinitionError>,
) {
    for need in needs {
        let problem = match environment.resources.get(&need.name) {
            None => InvalidDefinition::MissingResource {
                who: who.to_owned(),
                resource: need.name.clone(),
                environment: environment.name.clone(),
                nearest: similar_names(&need.name, environment.resource_names()),
            },
            Some(factory) if !need.accepts_type(factory.made_type()) => {
                InvalidDefinition::ResourceType {
                    who: who.to_owned(),
                    resource: need.name.clone(),
                    environment: environment.name.clone(),
                    wanted: need.type_name.to_owned(),
                    given: factory.type_name().to_owned(),
                }
            }
            Some(_) => continue,
        };
        problems.push(DefinitionError {
            source: Some(source),
            problem,
        });
    }
}

fn similar_names<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    nearest_names(name, names)
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// Returns the location of the declaration that a graph problem is about.
pub(super) fn declaration_site(
    problem: &GraphError,
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
        GraphError::DuplicateAsset { key, .. } => asset(key),
        GraphError::DuplicateOp { name } | GraphError::InvalidOpName { name } => op(name),
        GraphError::EmptyOp { op: name }
        | GraphError::CheckOnOtherAsset { op: name, .. }
        | GraphError::MixedPartitions { op: name, .. }
        | GraphError::BatchedUnpartitioned { op: name }
        | GraphError::OpCycle { op: name, .. } => op(name),
        GraphError::DuplicateCheck { key }
        | GraphError::UnknownCheckedAsset { check: key, .. }
        | GraphError::CheckReadsItsAsset { check: key } => check(key),
        GraphError::InvalidCheckName { asset: key, name } => check(&CheckKey {
            asset: key.clone(),
            name: name.clone(),
        }),
        GraphError::UnknownUpstream { asset: key, .. }
        | GraphError::ConflictingDeps { asset: key, .. }
        | GraphError::TooManyKinds { asset: key, .. }
        | GraphError::DependsOnItself { asset: key }
        | GraphError::Mapping { asset: key, .. } => asset(key),
        GraphError::Cycle { path } => path.first().and_then(asset),
        _ => None,
    }
}
