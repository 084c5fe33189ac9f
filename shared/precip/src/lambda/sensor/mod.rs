//! The function `sensor`.

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

/// Evaluates sensors of objects for the events in their queues, evaluates schedules when they tick,
/// and sweeps buckets for objects whose event was lost. Starts the requested runs.
pub fn sensor(definitions: fn() -> Result<Definitions, InvalidDefinitions>) -> ExitCode {
    function::run_function(
        definitions,
        async |shared| {
            Ok(Sensors {
                triggers: Triggers::new(&shared)?,
                definitions: Arc::clone(&shared.definitions),
                objects: S3Objects::new(shared.aws.s3()),
            })
        },
        handle_invocation,
    )
}

/// The state that all invocations share.
struct Sensors {
    triggers: Triggers,
    definitions: Arc<Definitions>,
    objects: S3Objects,
}

/// The answer to an invocation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    /// The messages of a batch that have to be delivered again.
    Batch(SqsBatchResponse),
    /// The requested runs, whether new or not.
    Requested { runs: Vec<String> },
}

/// Handles one invocation.
async fn handle_invocation(
    sensors: Arc<Sensors>,
    event: LambdaEvent<Value>,
) -> Result<Answer, Diagnostic> {
    let call = Invocation::from_payload(&event.payload)
        .map_err(|error| failure::diagnostic("Precip.BadInput", &error))?;
    match call {
        Invocation::Objects { queue, messages } => sensors.evaluate_objects(queue, messages).await,
        Invocation::Tick(tick) => sensors.evaluate_schedule(&tick).await,
        Invocation::Sweep(sweep) => sensors.sweep_buckets(&sweep).await,
    }
}

impl Answer {
    fn requested_runs<'a>(runs: impl IntoIterator<Item = &'a CreatedRun>) -> Self {
        let ids = runs.into_iter().map(|created| created.run().id.to_string());
        Self::Requested {
            runs: ids.collect(),
        }
    }
}

/// Returns the number of new runs.
fn new_run_count(runs: &[CreatedRun]) -> usize {
    runs.iter().filter(|run| run.is_new()).count()
}

impl Sensors {
    /// Returns the sensor of objects with a name, or all sensors of objects.
    fn object_sensors(&self, name: Option<&str>) -> Vec<&SensorDefinition> {
        use precip_core::trigger::SensorSource;
        let sensors = self
            .definitions
            .sensors()
            .filter(|sensor| match sensor.spec.source {
                SensorSource::Objects(_) => true,
                SensorSource::Assets { .. } | SensorSource::Runs { .. } => false,
            });
        sensors
            .filter(|sensor| name.is_none_or(|name| sensor.name().as_str() == name))
            .collect()
    }
}
