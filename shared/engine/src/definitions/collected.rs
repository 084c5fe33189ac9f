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

/// Everything a project declares, put together and checked: the asset graph, the ops with their
/// bodies, and the environments. As Dagster's `Definitions`.
///
/// Every entry point starts from it: the command line, a test, and each Lambda function.
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
    /// Starts to collect what a project declares.
    pub fn builder() -> DefinitionsBuilder {
        DefinitionsBuilder::new()
    }

    /// The assets and how they depend on each other.
    pub fn graph(&self) -> &AssetGraph {
        &self.graph
    }

    /// The op at a place of [`Self::graph`], with its body.
    pub fn op(&self, id: OpId) -> &OpDefinition {
        &self.ops[&self.graph.op(id).name]
    }

    /// The op of this name, with its body.
    pub fn op_named(&self, name: &str) -> Option<&OpDefinition> {
        self.ops.get(name)
    }

    /// The op that makes an asset; `None` for an external asset.
    pub fn op_of(&self, asset: AssetId) -> Option<&OpDefinition> {
        self.graph.op_of(asset).map(|op| self.op(op))
    }

    /// The op that makes an asset; `None` for an external or an unknown asset.
    pub fn op_of_key(&self, asset: &AssetKey) -> Option<&OpDefinition> {
        self.graph.id(asset).and_then(|id| self.op_of(id))
    }

    /// The ops by name.
    pub fn ops(&self) -> impl ExactSizeIterator<Item = &OpDefinition> {
        self.ops.values()
    }

    /// Where an asset is declared; `None` for an external or an unknown asset.
    pub fn source_of(&self, asset: &AssetKey) -> Option<SourceLocation> {
        self.op_of_key(asset).map(|op| op.source)
    }

    /// The sensors by name.
    pub fn sensors(&self) -> impl ExactSizeIterator<Item = &SensorDefinition> {
        self.sensors.values()
    }

    /// The sensor of this name.
    pub fn sensor(&self, name: &str) -> Option<&SensorDefinition> {
        self.sensors.get(name)
    }

    /// The schedules by name.
    pub fn schedules(&self) -> impl ExactSizeIterator<Item = &ScheduleDefinition> {
        self.schedules.values()
    }

    /// The schedule of this name.
    pub fn schedule(&self, name: &str) -> Option<&ScheduleDefinition> {
        self.schedules.get(name)
    }

    /// The environments in the order in which they were given: at least one.
    pub fn environments(&self) -> &[Environment] {
        &self.environments
    }

    /// The environment of this name; the first one for `None`.
    ///
    /// # Errors
    /// [`UnknownEnvironment`], with those that there are.
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
