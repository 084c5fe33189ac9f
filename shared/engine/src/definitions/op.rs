//! [`OpDefinition`]: an op with its body.

use std::{fmt, sync::Arc};

use precip_core::spec::{AssetSpec, OpSpec};

use crate::{
    asset::{ConfigSpec, Execution, InputSpec, OpBody, ResourceNeed},
    definitions::SourceLocation,
    trigger::{ScheduleDefinition, SensorDefinition},
};

/// An op as the engine can run it: what is declared of it, what it takes, and its body.
#[derive(Clone)]
pub struct OpDefinition {
    /// What is declared of it. It makes assets, or it only checks.
    pub spec: OpSpec,
    /// The parameters that take data of upstream assets, in the function's order.
    pub inputs: Vec<InputSpec>,
    /// The resources it takes.
    pub resources: Vec<ResourceNeed>,
    /// The config it takes, if it takes any.
    pub config: Option<ConfigSpec>,
    /// How its function waits.
    pub execution: Execution,
    /// Whether its function is told what its checks found before.
    pub recalls: bool,
    /// Where it is declared.
    pub source: SourceLocation,
    /// Its computation.
    pub body: Arc<dyn OpBody>,
}

impl OpDefinition {
    /// An op with a body that takes nothing.
    #[track_caller]
    pub fn new(spec: OpSpec, body: impl OpBody + 'static) -> Self {
        Self {
            spec,
            inputs: Vec::new(),
            resources: Vec::new(),
            config: None,
            execution: Execution::Async,
            recalls: false,
            source: SourceLocation::here(),
            body: Arc::new(body),
        }
    }

    /// The same with what its parameters say written into its spec.
    pub(super) fn into_complete(mut self) -> Self {
        let resources = self.resources.iter().map(|need| need.name.clone());
        self.spec.required_resources.extend(resources);
        if let (None, Some(config)) = (&self.spec.config_schema, &self.config) {
            self.spec.config_schema = config.schema.clone();
        }
        self
    }
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

/// What one declared function or item comes to.
#[derive(Debug, Clone)]
pub enum Declaration {
    /// An op, with the asset or assets it makes, or the checks it runs.
    Op(Box<OpDefinition>),
    /// An asset that something else makes.
    External(Box<AssetSpec>, SourceLocation),
    /// A sensor.
    Sensor(Box<SensorDefinition>),
    /// A schedule.
    Schedule(Box<ScheduleDefinition>),
    /// A declaration that cannot be used, such as one whose partitions could not be made.
    Invalid {
        /// What was to be declared.
        name: String,
        /// Why not.
        reason: String,
        /// Where it is declared.
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
