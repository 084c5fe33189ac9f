//! What starts runs: sensors of objects with their queues, schedules with their expressions.

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

/// How many characters of a sensor's name fit into the name of its queue, which has at most 80 with
/// that of the stack before it ("Amazon SQS queue quotas").
const MOST_NAME: usize = 40;

/// What stands where the bucket's name is known only when the stack is deployed. No bucket has it.
const PLACEHOLDER: &str = "@";

/// What starts runs.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    /// Sensors that wait for objects.
    pub(super) sensors: Vec<Sensor>,
    /// What EventBridge Scheduler is told.
    pub(super) ticks: Vec<Tick>,
}

/// A sensor that waits for objects: a rule, a queue, and what is read from both.
#[derive(Debug)]
pub(super) struct Sensor {
    /// What the logical ids of its resources begin with.
    pub(super) id: String,
    pub(super) name: String,
    /// The kinds of events, as YAML.
    pub(super) kinds: String,
    /// Which objects, as JSON; none for all of the bucket.
    pub(super) object: Option<String>,
    bucket: Name,
    prefix: String,
}

/// The name of a bucket, or what stands for it.
#[derive(Debug)]
enum Name {
    Plain(String),
    Reference(String),
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
    pub(super) fn of(
        manifest: &Manifest,
        graph: &AssetGraph,
        settings: &Settings,
    ) -> Result<Self, SynthError> {
        let mut ids = LogicalIds::default();
        let mut triggers = Self::default();
        for sensor in &manifest.sensors {
            if let SensorSource::Objects(objects) = &sensor.spec.source {
                let id = ids.of(&format!("sensor {}", sensor.spec.name));
                triggers
                    .sensors
                    .push(Sensor::of(sensor, objects, id, settings)?);
            }
        }
        for schedule in &manifest.schedules {
            let id = ids.of(&format!("schedule {}", schedule.spec.name));
            triggers.ticks.extend(ticks(schedule, graph, &id)?);
        }
        Ok(triggers)
    }

    /// Whether there is anything to deploy for it.
    pub(super) fn any(&self) -> bool {
        !self.sensors.is_empty() || !self.ticks.is_empty()
    }
}

impl Sensor {
    fn of(
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
                "has a name of {} characters, and that of its queue has room for {MOST_NAME}: give \
                 it a shorter one",
                name.len()
            )));
        }
        let bucket = match &objects.bucket {
            Bucket::Named(bucket) => Name::Plain(bucket.clone()),
            Bucket::Variable { name, .. } => Name::Reference(settings.reference(name)),
        };
        if let Name::Plain(bucket) = &bucket
            && !is_bucket_name(bucket)
        {
            return Err(refused(format!(
                "watches bucket `{bucket}`, and no bucket of S3 has such a name: write 3 to 63 \
                 lowercase letters, digits, `-` and `.`, or name a variable that holds it, like \
                 `bucket = env(\"LANDING_BUCKET\")`"
            )));
        }
        let pattern = EventPattern::new(objects, PLACEHOLDER);
        let pattern =
            pattern.map_err(|invalid| refused(format!("cannot be deployed: {invalid}")))?;
        let pattern = pattern.as_json();
        let kinds = pattern["detail-type"].as_array().into_iter().flatten();
        let kinds: Vec<&str> = kinds.filter_map(Value::as_str).collect();
        Ok(Self {
            kinds: kinds.join(", "),
            object: pattern["detail"].get("object").map(Value::to_string),
            prefix: objects.filter.template().prefix().to_owned(),
            id,
            name,
            bucket,
        })
    }

    /// Its name among the function's event sources.
    pub(super) fn source(&self) -> String {
        camel_case(&self.name)
    }

    pub(super) fn description(&self) -> String {
        format!("Objects that sensor {} waits for.", self.name)
    }

    pub(super) fn queue(&self) -> String {
        format!("{}Queue", self.id)
    }

    /// The bucket's name, as YAML.
    pub(super) fn bucket(&self) -> String {
        match &self.bucket {
            Name::Plain(name) => Value::from(name.as_str()).to_string(),
            Name::Reference(id) => format!("!Ref {id}"),
        }
    }

    /// The bucket's ARN, as YAML.
    pub(super) fn bucket_arn(&self) -> String {
        self.arn("")
    }

    /// The ARN of the objects that it waits for, as YAML.
    pub(super) fn objects_arn(&self) -> String {
        self.arn(&format!("/{}*", self.prefix.replace("${", "${!")))
    }

    fn arn(&self, below: &str) -> String {
        let bucket = match &self.bucket {
            Name::Plain(name) => name.clone(),
            Name::Reference(id) => format!("${{{id}}}"),
        };
        let arn = format!("arn:${{AWS::Partition}}:s3:::{bucket}{below}");
        format!("!Sub {}", Value::from(arn))
    }

    /// What the keys begin with, as YAML.
    pub(super) fn listed(&self) -> String {
        Value::from(format!("{}*", self.prefix)).to_string()
    }
}

/// What EventBridge Scheduler is told of a schedule: the ticks, and a look after changes of the clock.
fn ticks(
    schedule: &ScheduleManifest,
    graph: &AssetGraph,
    id: &str,
) -> Result<Vec<Tick>, SynthError> {
    let ScheduleSpec { name, .. } = &schedule.spec;
    let refused = |problem: &dyn std::fmt::Display| SynthError::Trigger {
        who: format!("schedule `{name}`"),
        problem: format!("cannot be deployed: {problem}"),
    };
    let ticking = schedule.spec.ticking(graph);
    let ticking = ticking.map_err(|invalid| refused(&invalid))?;
    let told = scheduler_expressions(ticking.cron()).map_err(|cron| refused(&cron))?;
    let numbered = |base: &str, place: usize| match place {
        0 => base.to_owned(),
        place => format!("{base}{}", place + 1),
    };
    let ticks = told.expressions.into_iter().enumerate();
    let ticks = ticks.map(|(place, expression)| Tick {
        id: numbered(id, place),
        description: format!("Ticks of schedule {name}."),
        expression,
        // In an order of its own, whatever that of JSON objects is in this build.
        input: format!(
            "{{\"schedule\":\"{name}\",\"scheduled_for\":\"<aws.scheduler.scheduled-time>\",\
             \"execution\":\"<aws.scheduler.execution-id>\",\
             \"attempt\":\"<aws.scheduler.attempt-number>\"}}"
        ),
    });
    let base = format!("{id}AfterChange");
    let guards = told.guards.into_iter().enumerate();
    let guards = guards.map(|(place, guard)| Tick {
        id: numbered(&base, place),
        description: format!("Looks at schedule {name} once more when the clock has changed."),
        expression: guard.0,
        input: format!("{{\"schedule\":\"{name}\"}}"),
    });
    Ok(ticks.chain(guards).collect())
}

/// Whether S3 would take a name ("General purpose bucket naming rules").
pub(super) fn is_bucket_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = |b: Option<u8>| b.is_some_and(inner);
    (3..=63).contains(&name.len())
        && name.bytes().all(|b| inner(b) || matches!(b, b'-' | b'.'))
        && ends(name.bytes().next())
        && ends(name.bytes().last())
        && !name.contains("..")
}
