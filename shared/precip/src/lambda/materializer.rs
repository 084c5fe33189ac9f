//! The materializer function.

use std::{process::ExitCode, sync::Arc, time::Duration};

use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use precip_aws::settings::SecretsManager;
use precip_engine::{
    definitions::{Definitions, InvalidDefinitions},
    machine::{Deadline, MaterializeRequest, Materializer, StepReport},
    run::{Clock, RunPorts},
};
use precip_io::ObjectStoreIoManager;
use precip_local::executor::{TokioBodies, TokioSleeper};
use serde_json::Value;
use tracing::Instrument;

use super::{failure, function, variables};

/// Runs one step of one item: one partition of one asset, unless the asset's backfill policy has it
/// take several.
pub fn materializer(definitions: fn() -> Result<Definitions, InvalidDefinitions>) -> ExitCode {
    function::run(
        definitions,
        async |world| {
            let name = std::env::var(variables::ENVIRONMENT).ok();
            let environment = world.definitions.environment(name.as_deref());
            let environment = environment.map_err(|error| error.to_string())?.clone();
            let data = ObjectStoreIoManager::open(&format!("s3://{}/data", world.bucket));
            let data = data.map_err(|error| error.to_string())?;
            let ports = RunPorts {
                state: world.state(),
                clock: Arc::clone(&world.clock),
                sleeper: Arc::new(TokioSleeper),
                randomness: Arc::clone(&world.randomness),
                bodies: Arc::new(TokioBodies),
                observer: Arc::new(()),
            };
            let settings = SecretsManager::new(world.aws.secrets_manager());
            let materializer = Materializer::new(
                Arc::clone(&world.definitions),
                ports,
                world.files.clone(),
                environment,
                Arc::new(settings),
                Arc::new(data),
            );
            let materializer = materializer.map_err(|error| error.to_string())?;
            Ok((materializer, world.clock))
        },
        answer,
    )
}

async fn answer(
    made: Arc<(Materializer, Arc<dyn Clock>)>,
    event: LambdaEvent<Value>,
) -> Result<StepReport, Diagnostic> {
    let (materializer, clock) = &*made;
    let deadline = deadline(&event.context, clock.as_ref());
    let request: MaterializeRequest =
        serde_json::from_value(event.payload).map_err(|error| failure::unreadable(&error))?;
    // In every line of the log, so that one partition's can be found.
    let span = tracing::info_span!(
        "materialize",
        run = %request.run,
        asset = %request.step,
        partition = materializer.targets(&request),
        attempt = request.retry + 1,
        trace = event.context.xray_trace_id.as_deref().unwrap_or_default(),
    );
    let work = async {
        let answer = materializer.run(&request, deadline).await;
        match &answer {
            Ok(report) => tracing::info!(materialized = report.materialized, "done"),
            Err(error) => tracing::warn!(name = error.name(), %error, "failed"),
        }
        answer.map_err(|error| failure::of_step(&error))
    };
    work.instrument(span).await
}

/// How long the invocation may still take.
fn deadline(context: &Context, clock: &dyn Clock) -> Deadline {
    let now = u64::try_from(clock.now().timestamp_millis()).unwrap_or_default();
    Deadline(Duration::from_millis(context.deadline.saturating_sub(now)))
}
