//! Triggers of runs: sensors of objects with their queues, schedules with their expressions.

use precip_core::{
    graph::AssetGraph,
    manifest::{Manifest, ScheduleManifest, SensorManifest},
    trigger::{
        Bucket, EventPattern, ObjectSensor, ScheduleSpec, SchedulerExpression, SensorSource,
        scheduler_expressions,
    },
};
use serde_json::Value;

use super::{
    SynthError,
    names::{LogicalIds, camel_case},
    settings::Settings,
};

/// Largest length of a sensor's name in the name of its queue, which has at most 80 characters with
/// the stack's name in front ("Amazon SQS queue quotas").
const MOST_NAME: usize = 40;

/// Replaces a bucket's name that is known only when the stack is deployed. No bucket has this name.
const PLACEHOLDER: &str = "@";

/// The triggers of runs.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    /// The sensors of objects.
    pub(super) sensors: Vec<Sensor>,
    /// The schedules of EventBridge Scheduler.
    pub(super) ticks: Vec<Tick>,
}

/// A sensor of objects: a rule, a queue, and the permissions to read the objects.
#[derive(Debug)]
pub(super) struct Sensor {
    /// The prefix of its resources' logical ids.
    pub(super) id: String,
    pub(super) name: String,
    /// The kinds of events.
    pub(super) kinds: Vec<String>,
    /// The pattern of the objects; `None` for all objects of the bucket.
    pub(super) object: Option<Value>,
    bucket: BucketName,
    prefix: String,
}

/// The name of a bucket, or a reference to it.
#[derive(Debug)]
enum BucketName {
    Plain(String),
    Reference(String),
}

/// The bucket that a sensor watches.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WatchedBucket<'a> {
    Name(&'a str),
    /// The variable that holds its name.
    Variable(&'a str),
    /// The project's own bucket.
    Own,
}

/// A schedule of EventBridge Scheduler.
#[derive(Debug)]
pub(super) struct Tick {
    pub(super) id: String,
    pub(super) description: String,
    pub(super) expression: SchedulerExpression,
    pub(super) input: String,
}

impl Triggers {
    /// Collects the triggers of a project.
    pub(super) fn from_manifest(
        manifest: &Manifest,
        graph: &AssetGraph,
        settings: &Settings,
    ) -> Result<Self, SynthError> {
        let mut ids = LogicalIds::default();
        let mut triggers = Self::default();
        for sensor in &manifest.sensors {
            let objects = match &sensor.spec.source {
                SensorSource::Objects(objects) => objects,
                // The reactor evaluates them: see `Reactions`.
                SensorSource::Assets { .. } | SensorSource::Runs { .. } => continue,
            };
            let id = ids.id_for(&format!("sensor {}", sensor.spec.name));
            triggers
                .sensors
                .push(Sensor::from_sensor(sensor, objects, id, settings)?);
        }
        for schedule in &manifest.schedules {
            let id = ids.id_for(&format!("schedule {}", schedule.spec.name));
            triggers
                .ticks
                .extend(scheduler_ticks(schedule, graph, &id)?);
        }
        Ok(triggers)
    }

    /// Returns whether a sensor watches the project's own bucket, which then has to send its events.
    pub(super) fn watch_own_bucket(&self) -> bool {
        self.sensors
            .iter()
            .any(|sensor| matches!(&sensor.bucket, BucketName::Reference(id) if id == "Bucket"))
    }

    /// Returns whether there are any triggers to deploy.
    pub(super) fn has_any(&self) -> bool {
        !self.sensors.is_empty() || !self.ticks.is_empty()
    }
}

impl Sensor {
    /// Creates a sensor's resources.
    fn from_sensor(
        sensor: &SensorManifest,
        objects: &ObjectSensor,
        id: String,
        settings: &Settings,
    ) -> Result<Self, SynthError> {
        let name = sensor.spec.name.to_string();
        let refused = |problem: String| SynthError::Trigger {
            who: format!("sensor `{name}`"),
            problem,
        };
        if name.len() > MOST_NAME {
            return Err(refused(format!(
                "has a name of {} characters, but the name of its queue has room for {MOST_NAME}: give \
                 it a shorter one",
                name.len()
            )));
        }
        // A bucket of a variable is known only when the stack is deployed.
        let bucket = match &objects.bucket {
            Bucket::Named(bucket) => BucketName::Plain(bucket.clone()),
            Bucket::Variable { name, .. } => BucketName::Reference(settings.value_id(name)),
        };
        if let BucketName::Plain(bucket) = &bucket
            && !is_bucket_name(bucket)
        {
            return Err(refused(format!(
                "watches bucket `{bucket}`, which is not valid in S3: write 3 to 63 \
                 lowercase letters, digits, `-` and `.`, or name a variable that holds it, like \
                 `bucket = env(\"LANDING_BUCKET\")`"
            )));
        }
        // The rule uses the same pattern that the engine matches events with.
        let event_pattern = EventPattern::new(objects, PLACEHOLDER)
            .map_err(|invalid| refused(format!("cannot be deployed: {invalid}")))?;
        let pattern = event_pattern.as_json();
        let types = pattern["detail-type"].as_array().into_iter().flatten();
        let kinds = types.filter_map(Value::as_str).map(str::to_owned);
        Ok(Self {
            kinds: kinds.collect(),
            object: pattern["detail"].get("object").cloned(),
            prefix: objects.filter.template().prefix().to_owned(),
            id,
            name,
            bucket,
        })
    }

    /// Returns its name in the function's event sources.
    pub(super) fn source_name(&self) -> String {
        camel_case(&self.name)
    }

    pub(super) fn description(&self) -> String {
        format!("Objects of sensor {}.", self.name)
    }

    pub(super) fn queue_id(&self) -> String {
        format!("{}Queue", self.id)
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn watched_bucket<'a>(&'a self, settings: &'a Settings) -> WatchedBucket<'a> {
        let id = match &self.bucket {
            BucketName::Plain(name) => return WatchedBucket::Name(name),
            BucketName::Reference(id) => id,
        };
        let mut parameters = settings.parameters.iter();
        // A reference is to a parameter or to the project's bucket.
        match parameters.find(|parameter| parameter.id == *id) {
            Some(parameter) => WatchedBucket::Variable(&parameter.variable),
            None => WatchedBucket::Own,
        }
    }

    /// Returns the bucket's name, as YAML.
    pub(super) fn bucket_yaml(&self) -> String {
        match &self.bucket {
            BucketName::Plain(name) => Value::from(name.as_str()).to_string(),
            BucketName::Reference(id) => format!("!Ref {id}"),
        }
    }

    /// Returns the bucket's ARN, as YAML.
    pub(super) fn bucket_arn(&self) -> String {
        self.arn_below("")
    }

    /// Returns the ARN of the objects, as YAML.
    pub(super) fn objects_arn(&self) -> String {
        self.arn_below(&format!("/{}*", self.prefix.replace("${", "${!")))
    }

    fn arn_below(&self, below: &str) -> String {
        let bucket = match &self.bucket {
            BucketName::Plain(name) => name.clone(),
            BucketName::Reference(id) => format!("${{{id}}}"),
        };
        let arn = format!("arn:${{AWS::Partition}}:s3:::{bucket}{below}");
        format!("!Sub {}", Value::from(arn))
    }

    /// Returns the prefix of the objects' keys, as YAML.
    pub(super) fn listed_prefix(&self) -> String {
        Value::from(format!("{}*", self.prefix)).to_string()
    }
}

/// Returns the schedules of EventBridge Scheduler for one schedule: its ticks, and a check after
/// changes of the clock.
fn scheduler_ticks(
    schedule: &ScheduleManifest,
    graph: &AssetGraph,
    id: &str,
) -> Result<Vec<Tick>, SynthError> {
    let ScheduleSpec { name, .. } = &schedule.spec;
    let refused = |problem: &dyn std::fmt::Display| SynthError::Trigger {
        who: format!("schedule `{name}`"),
        problem: format!("cannot be deployed: {problem}"),
    };
    let resolved = schedule
        .spec
        .resolve(graph)
        .map_err(|invalid| refused(&invalid))?;
    let expressions = scheduler_expressions(resolved.cron()).map_err(|cron| refused(&cron))?;
    // A schedule may need several expressions: cron of EventBridge cannot name both days.
    let numbered = |base: &str, index: usize| match index {
        0 => base.to_owned(),
        index => format!("{base}{}", index + 1),
    };
    let numbered_ticks = expressions.expressions.into_iter().enumerate();
    let ticks = numbered_ticks.map(|(index, expression)| Tick {
        id: numbered(id, index),
        description: format!("Ticks of schedule {name}."),
        expression,
        // Written by hand, so that the order of the fields is the same in every build.
        input: format!(
            "{{\"schedule\":\"{name}\",\"scheduled_for\":\"<aws.scheduler.scheduled-time>\",\
             \"execution\":\"<aws.scheduler.execution-id>\",\
             \"attempt\":\"<aws.scheduler.attempt-number>\"}}"
        ),
    });
    let base = format!("{id}AfterChange");
    let numbered_guards = expressions.guards.into_iter().enumerate();
    let guards = numbered_guards.map(|(index, guard)| Tick {
        id: numbered(&base, index),
        description: format!("Checks schedule {name} again after a change of the clock."),
        expression: guard.0,
        input: format!("{{\"schedule\":\"{name}\"}}"),
    });
    Ok(ticks.chain(guards).collect())
}

/// Returns whether a name is valid for a bucket ("General purpose bucket naming rules").
pub(super) fn is_bucket_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = |b: Option<u8>| b.is_some_and(inner);
    (3..=63).contains(&name.len())
        && name.bytes().all(|b| inner(b) || matches!(b, b'-' | b'.'))
        && ends(name.bytes().next())
        && ends(name.bytes().last())
        && !name.contains("..")
}
