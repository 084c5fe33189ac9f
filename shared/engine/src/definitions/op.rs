//! [`OpDefinition`]: an op with its body.

use std::{fmt, sync::Arc};

use precip_core::{
    key::AssetKey,
    spec::{AssetSpec, DepNeed, OpSpec},
};

use crate::{
    asset::{ConfigSpec, Execution, InputSpec, OpBody, ResourceNeed},
    definitions::SourceLocation,
    trigger::{ScheduleDefinition, SensorDefinition},
};

/// An op that the engine can run: its spec, its parameters and its body.
#[derive(Clone)]
pub struct OpDefinition {
    /// The declared spec of an op that materializes assets or only evaluates checks.
    pub spec: OpSpec,
    /// The parameters that take upstream data, in the function's order.
    pub inputs: Vec<InputSpec>,
    /// The resources that it takes.
    pub resources: Vec<ResourceNeed>,
    /// The config that it takes, if any.
    pub config: Option<ConfigSpec>,
    /// The kind of its function.
    pub execution: Execution,
    /// `true` if its function reads earlier evaluations of its checks.
    pub reads_previous_checks: bool,
    /// The location of its declaration.
    pub source: SourceLocation,
    /// The computation.
    pub body: Arc<dyn OpBody>,
}

impl OpDefinition {
    /// Creates an op whose function takes no parameters.
    #[track_caller]
    pub fn new(spec: OpSpec, body: impl OpBody + 'static) -> Self {
        Self {
            spec,
            inputs: Vec::new(),
            resources: Vec::new(),
            config: None,
            execution: Execution::Async,
            reads_previous_checks: false,
            source: SourceLocation::here(),
            body: Arc::new(body),
        }
    }

    /// Adds to its spec what follows from its parameters.
    pub(super) fn into_complete(mut self) -> Self {
        let resources = self.resources.iter().map(|need| need.name.clone());
        self.spec.required_resources.extend(resources);
        // A schema written in the spec takes precedence over the parameter's type.
        if let (None, Some(config)) = (&self.spec.config_schema, &self.config) {
            self.spec.config_schema = config.schema.clone();
        }
        // What a skipped upstream partition means follows from the parameters that load it.
        let of_assets = self
            .spec
            .assets
            .iter_mut()
            .flat_map(|asset| &mut asset.deps);
        let of_checks = self.spec.checks.iter_mut();
        let of_checks = of_checks.flat_map(|check| &mut check.additional_deps);
        for dep in of_assets.chain(of_checks) {
            dep.need = need_of(&self.inputs, &dep.asset);
        }
        self
    }
}

/// Returns what an op with these parameters needs of an upstream asset.
fn need_of(inputs: &[InputSpec], asset: &AssetKey) -> DepNeed {
    let inputs = inputs.iter().filter(|input| input.asset == *asset);
    let needs = inputs.map(|input| {
        if input.needs.missing_ok {
            DepNeed::Optional
        } else {
            DepNeed::Data
        }
    });
    needs.max().unwrap_or(DepNeed::Order)
}

impl fmt::Debug for OpDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpDefinition")
            .field("spec", &self.spec)
            .field("inputs", &self.inputs)
            .field("resources", &self.resources)
            .field("config", &self.config)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// The declaration of a function or item.
#[derive(Debug, Clone)]
pub enum Declaration {
    /// An op with its assets or its checks.
    Op(Box<OpDefinition>),
    /// An external asset.
    External(Box<AssetSpec>, SourceLocation),
    /// A sensor.
    Sensor(Box<SensorDefinition>),
    /// A schedule.
    Schedule(Box<ScheduleDefinition>),
    /// An invalid declaration, such as one whose partitions definition cannot be built.
    Invalid {
        /// The name of the declared item.
        name: String,
        /// The reason.
        reason: String,
        /// The location of its declaration.
        source: SourceLocation,
    },
}

impl From<OpDefinition> for Declaration {
    fn from(op: OpDefinition) -> Self {
        Self::Op(Box::new(op))
    }
}

impl From<SensorDefinition> for Declaration {
    fn from(sensor: SensorDefinition) -> Self {
        Self::Sensor(Box::new(sensor))
    }
}

impl From<ScheduleDefinition> for Declaration {
    fn from(schedule: ScheduleDefinition) -> Self {
        Self::Schedule(Box::new(schedule))
    }
}
