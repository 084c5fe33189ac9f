//! The sensor function.

mod objects;
mod sweeps;
mod ticks;

use std::{process::ExitCode, sync::Arc};

use aws_lambda_events::event::sqs::SqsBatchResponse;
use lambda_runtime::{Diagnostic, LambdaEvent};
use precip_aws::objects::S3Objects;
use precip_engine::{
    definitions::{Definitions, InvalidDefinitions},
    state::CreatedRun,
    trigger::{Invocation, SensorDefinition},
};
use serde::Serialize;
use serde_json::Value;

use super::{failure, function, triggers::Triggers};

/// Evaluates sensors of objects for the events that wait in their queues, schedules when they tick, and
/// looks through buckets for what no event told of. Runs that this asks for are started.
pub fn sensor(definitions: fn() -> Result<Definitions, InvalidDefinitions>) -> ExitCode {
    function::run(
        definitions,
        async |world| {
            Ok(Sensors {
                triggers: Triggers::new(&world)?,
                definitions: Arc::clone(&world.definitions),
                objects: S3Objects::new(world.aws.s3()),
            })
        },
        answer,
    )
}

/// What the function stands on.
struct Sensors {
    triggers: Triggers,
    definitions: Arc<Definitions>,
    objects: S3Objects,
}

/// What the function answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    /// Which messages of a batch have to come again.
    Batch(SqsBatchResponse),
    /// The runs that were requested, new or not.
    Requested { runs: Vec<String> },
}

async fn answer(sensors: Arc<Sensors>, event: LambdaEvent<Value>) -> Result<Answer, Diagnostic> {
    let call = Invocation::read(&event.payload)
        .map_err(|error| failure::diagnostic("Precip.BadInput", &error))?;
    match call {
        Invocation::Objects { queue, messages } => sensors.objects(queue, messages).await,
        Invocation::Tick(tick) => sensors.tick(&tick).await,
        Invocation::Sweep(sweep) => sensors.sweep(&sweep).await,
    }
}

impl Answer {
    fn requested<'a>(runs: impl IntoIterator<Item = &'a CreatedRun>) -> Self {
        let runs = runs.into_iter().map(|created| created.run().id.to_string());
        Self::Requested {
            runs: runs.collect(),
        }
    }
}

/// How many of some runs are new.
fn new(runs: &[CreatedRun]) -> usize {
    runs.iter().filter(|run| run.is_new()).count()
}

impl Sensors {
    /// The sensors of objects: the one of a name, or all.
    fn of_objects(&self, name: Option<&str>) -> Vec<&SensorDefinition> {
        use precip_core::trigger::SensorSource::Objects;
        let sensors = self.definitions.sensors();
        let sensors = sensors.filter(|sensor| matches!(sensor.spec.source, Objects(_)));
        sensors
            .filter(|sensor| name.is_none_or(|name| sensor.name().as_str() == name))
            .collect()
    }
}
