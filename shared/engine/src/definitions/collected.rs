//! [`Definitions`].

use std::collections::BTreeMap;

use precip_core::{
    graph::{AssetGraph, AssetId, OpId},
    key::AssetKey,
};

use crate::{
    definitions::{
        DefinitionsBuilder, Environment, OpDefinition, SourceLocation, UnknownEnvironment,
    },
    trigger::{ScheduleDefinition, SensorDefinition},
};

/// The validated declarations of a project: the asset graph, the ops with their bodies, the sensors
/// and schedules, and the environments. Like Dagster's `Definitions`.
///
/// Every entry point starts from it: the command line, tests and each Lambda function.
#[derive(Debug, Clone)]
pub struct Definitions {
    pub(super) graph: AssetGraph,
    pub(super) ops: BTreeMap<String, OpDefinition>,
    pub(super) sensors: BTreeMap<String, SensorDefinition>,
    pub(super) schedules: BTreeMap<String, ScheduleDefinition>,
    /// At least one.
    pub(super) environments: Vec<Environment>,
}

impl Definitions {
    /// Creates a builder that collects the declarations of a project.
    pub fn builder() -> DefinitionsBuilder {
        DefinitionsBuilder::new()
    }

    /// Returns the graph of assets and their dependencies.
    pub fn graph(&self) -> &AssetGraph {
        &self.graph
    }

    /// Returns the op of an id of [`Self::graph`], with its body.
    pub fn op(&self, id: OpId) -> &OpDefinition {
        &self.ops[&self.graph.op(id).name]
    }

    /// Returns the op of a name, with its body.
    pub fn op_named(&self, name: &str) -> Option<&OpDefinition> {
        self.ops.get(name)
    }

    /// Returns the op that materializes an asset; `None` for an external asset.
    pub fn op_of(&self, asset: AssetId) -> Option<&OpDefinition> {
        self.graph.op_of(asset).map(|op| self.op(op))
    }

    /// Returns the op that materializes an asset; `None` for an external or unknown asset.
    pub fn op_of_key(&self, asset: &AssetKey) -> Option<&OpDefinition> {
        self.graph.id(asset).and_then(|id| self.op_of(id))
    }

    /// Returns the ops, by name.
    pub fn ops(&self) -> impl ExactSizeIterator<Item = &OpDefinition> {
        self.ops.values()
    }

    /// Returns the location of an asset's declaration; `None` for an external or unknown asset.
    pub fn source_of(&self, asset: &AssetKey) -> Option<SourceLocation> {
        self.op_of_key(asset).map(|op| op.source)
    }

    /// Returns the sensors, by name.
    pub fn sensors(&self) -> impl ExactSizeIterator<Item = &SensorDefinition> {
        self.sensors.values()
    }

    /// Returns the sensor of a name.
    pub fn sensor(&self, name: &str) -> Option<&SensorDefinition> {
        self.sensors.get(name)
    }

    /// Returns the schedules, by name.
    pub fn schedules(&self) -> impl ExactSizeIterator<Item = &ScheduleDefinition> {
        self.schedules.values()
    }

    /// Returns the schedule of a name.
    pub fn schedule(&self, name: &str) -> Option<&ScheduleDefinition> {
        self.schedules.get(name)
    }

    /// Returns the environments, at least one, in the order in which they were added.
    pub fn environments(&self) -> &[Environment] {
        &self.environments
    }

    /// Returns the environment of a name, or the first one for `None`.
    ///
    /// # Errors
    /// [`UnknownEnvironment`], which lists the known ones.
    pub fn environment(&self, name: Option<&str>) -> Result<&Environment, UnknownEnvironment> {
        let Some(name) = name else {
            return Ok(&self.environments[0]);
        };
        self.environments
            .iter()
            .find(|environment| environment.name() == name)
            .ok_or_else(|| UnknownEnvironment {
                name: name.to_owned(),
                known: self
                    .environments
                    .iter()
                    .map(|environment| environment.name().to_owned())
                    .collect(),
            })
    }
}
