//! The deployment manifest: the values of the template, for a program that creates the resources
//! itself. The construct of `infra/cdk` reads it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{
    SynthError,
    access::Statement,
    machine::Machine,
    materializer::Materializer,
    reactions::Reactions,
    template::{PLANNER_SECONDS, SENSOR_SECONDS, SENSOR_VISIBILITY_SECONDS, Template},
    triggers::{Sensor, Tick, WatchedBucket},
};

/// The version of the format. A reader of one version refuses every other.
const VERSION: u32 = 1;

/// The deployment of a project.
#[derive(Debug, Serialize)]
pub(super) struct Deployment<'a> {
    deployment_version: u32,
    project: &'a str,
    description: &'a str,
    environment: Option<&'a str>,
    architecture: String,
    variables: Vec<Variable<'a>>,
    secrets: Vec<&'a str>,
    planner: Function<'a>,
    materializers: Vec<MaterializerFunction<'a>>,
    materializer_access: Vec<Access<'a>>,
    reactor: Reactor<'a>,
    sensor: Option<SensorFunction<'a>>,
    run: MachineFile<'a>,
    backfill: MachineFile<'a>,
}

/// A variable of the functions, whose value the deployment gives.
#[derive(Debug, Serialize)]
struct Variable<'a> {
    name: &'a str,
    description: String,
    optional: bool,
    secret: bool,
    bucket: bool,
    default: Option<&'a str>,
}

/// A statement that allows actions on rows of the table.
#[derive(Debug, Serialize)]
struct Access<'a> {
    sid: &'a str,
    actions: Vec<String>,
    keys: &'a [&'static str],
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    timeout_seconds: u64,
    access: Vec<Access<'a>>,
}

#[derive(Debug, Serialize)]
struct MaterializerFunction<'a> {
    id: &'a str,
    name: &'a str,
    description: String,
    binary: &'a str,
    memory_mib: u32,
    timeout_seconds: u64,
    ephemeral_storage_mib: u32,
}

#[derive(Debug, Serialize)]
struct Reactor<'a> {
    description: &'a str,
    batching_seconds: u32,
    reacts: bool,
    requests_runs: bool,
    ticks: bool,
    freshness: bool,
    resources: bool,
    stream_filters: Vec<String>,
    access: Vec<Access<'a>>,
}

/// The function of sensors and schedules, with its triggers.
#[derive(Debug, Serialize)]
struct SensorFunction<'a> {
    timeout_seconds: u64,
    visibility_seconds: u64,
    access: Vec<Access<'a>>,
    sensors: Vec<ObjectSource<'a>>,
    schedules: Vec<Schedule<'a>>,
}

#[derive(Debug, Serialize)]
struct ObjectSource<'a> {
    id: &'a str,
    name: &'a str,
    source_name: String,
    bucket: WatchedBucket<'a>,
    prefix: &'a str,
    detail_types: &'a [String],
    object: Option<&'a Value>,
}

#[derive(Debug, Serialize)]
struct Schedule<'a> {
    id: &'a str,
    description: &'a str,
    expression: String,
    timezone: String,
    input: &'a str,
}

#[derive(Debug, Serialize)]
struct MachineFile<'a> {
    definition: &'a str,
    /// The logical ids of the resources that placeholders stand for.
    substitutions: BTreeMap<&'a str, &'a str>,
    functions: &'a [String],
}

impl<'a> Deployment<'a> {
    /// Returns the deployment that a template describes.
    pub(super) fn from_template(template: &'a Template<'a>) -> Self {
        let settings = &template.settings;
        let variables = settings.parameters.iter().map(|parameter| Variable {
            name: &parameter.variable,
            description: parameter.description(),
            optional: parameter.optional,
            secret: parameter.secret,
            bucket: parameter.bucket,
            default: parameter.default.as_deref(),
        });
        Self {
            deployment_version: VERSION,
            project: template.project,
            description: &template.description,
            environment: settings.environment.as_deref(),
            architecture: template.architecture.to_string(),
            variables: variables.collect(),
            secrets: settings.secrets.iter().map(|s| s.name.as_str()).collect(),
            planner: Function {
                timeout_seconds: PLANNER_SECONDS,
                access: access_list(&template.access.planner),
            },
            materializers: template.materializers.iter().map(materializer).collect(),
            materializer_access: access_list(&template.access.materializer),
            reactor: reactor(template),
            sensor: template.triggers.has_any().then(|| sensor(template)),
            run: MachineFile::from_machine(&template.run),
            backfill: MachineFile::from_machine(&template.backfill),
        }
    }

    /// Returns the manifest as JSON.
    pub(super) fn to_json(&self) -> Result<String, SynthError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| SynthError::Template(error.to_string()))?;
        Ok(text + "\n")
    }
}

impl<'a> MachineFile<'a> {
    fn from_machine(machine: &'a Machine) -> Self {
        let substitutions = machine.resources.iter();
        Self {
            definition: machine.definition_uri(),
            substitutions: substitutions
                .map(|(name, resource)| (name.as_str(), resource.as_str()))
                .collect(),
            functions: &machine.functions,
        }
    }
}

fn access_list<'a>(statements: &'a [Statement]) -> Vec<Access<'a>> {
    let of = |statement: &'a Statement| Access {
        sid: statement.sid,
        actions: statement.action_names(),
        keys: statement.keys,
    };
    statements.iter().map(of).collect()
}

fn materializer(materializer: &Materializer) -> MaterializerFunction<'_> {
    MaterializerFunction {
        id: &materializer.id,
        name: &materializer.name,
        description: materializer.description(),
        binary: &materializer.binary,
        memory_mib: materializer.memory_mib,
        timeout_seconds: materializer.timeout_seconds,
        ephemeral_storage_mib: materializer.ephemeral_storage_mib,
    }
}

fn reactor<'a>(template: &'a Template<'a>) -> Reactor<'a> {
    let reactions: Reactions = template.reactions;
    Reactor {
        description: reactions.description(),
        batching_seconds: reactions.batching_seconds(),
        reacts: reactions.has_any(),
        requests_runs: reactions.requests_runs(),
        ticks: reactions.ticks,
        freshness: reactions.freshness,
        resources: reactions.resources,
        stream_filters: template.access.stream_filters(),
        access: access_list(&template.access.reactor),
    }
}

fn sensor<'a>(template: &'a Template<'a>) -> SensorFunction<'a> {
    let source = |sensor: &'a Sensor| ObjectSource {
        id: &sensor.id,
        name: &sensor.name,
        source_name: sensor.source_name(),
        bucket: sensor.watched_bucket(&template.settings),
        prefix: sensor.prefix(),
        detail_types: &sensor.kinds,
        object: sensor.object.as_ref(),
    };
    let schedule = |tick: &'a Tick| Schedule {
        id: &tick.id,
        description: &tick.description,
        expression: tick.expression.expression.to_string(),
        timezone: tick.expression.timezone.to_string(),
        input: &tick.input,
    };
    SensorFunction {
        timeout_seconds: SENSOR_SECONDS,
        visibility_seconds: SENSOR_VISIBILITY_SECONDS,
        access: access_list(&template.access.sensor),
        sensors: template.triggers.sensors.iter().map(source).collect(),
        schedules: template.triggers.ticks.iter().map(schedule).collect(),
    }
}
