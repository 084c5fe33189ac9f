//! The function `materializer`.

use std::{process::ExitCode, sync::Arc, time::Duration};

use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use precip_aws::settings::SecretsManager;
use precip_engine::{
    definitions::{Definitions, InvalidDefinitions},
    machine::{Deadline, MaterializeRequest, Materializer, StepReport},
    run::{Clock, RunPorts},
};
use precip_io::ObjectStoreIoManager;
use precip_local::executor::{TokioOpRunner, TokioSleeper};
use serde_json::Value;
use tracing::Instrument;

use super::{failure, function, variables};

/// Runs one step of an item: one partition of an asset, or several if its backfill policy says so.
pub fn materializer(definitions: fn() -> Result<Definitions, InvalidDefinitions>) -> ExitCode {
    function::run_function(
        definitions,
        async |shared| {
            let name = std::env::var(variables::ENVIRONMENT).ok();
            let environment = shared
                .definitions
                .environment(name.as_deref())
                .map_err(|error| error.to_string())?
                .clone();
            let data = ObjectStoreIoManager::open(&format!("s3://{}/data", shared.bucket))
                .map_err(|error| error.to_string())?;
            let ports = RunPorts {
                clock: Arc::clone(&shared.clock),
                randomness: Arc::clone(&shared.randomness),
                ..RunPorts::system(
                    shared.state_store(),
                    Arc::new(TokioSleeper),
                    Arc::new(TokioOpRunner),
                )
            };
            let settings = SecretsManager::new(shared.aws.secrets_manager());
            let materializer = Materializer::new(
                Arc::clone(&shared.definitions),
                ports,
                shared.files.clone(),
                environment,
                Arc::new(settings),
                Arc::new(data),
            )
            .map_err(|error| error.to_string())?;
            Ok((materializer, shared.clock))
        },
        handle_invocation,
    )
}

/// Handles one invocation.
async fn handle_invocation(
    state: Arc<(Materializer, Arc<dyn Clock>)>,
    event: LambdaEvent<Value>,
) -> Result<StepReport, Diagnostic> {
    let (materializer, clock) = &*state;
    // Read before anything else, so that the attempt's limit counts from the invocation's start.
    let deadline = remaining_time(&event.context, clock.as_ref());
    let request: MaterializeRequest =
        serde_json::from_value(event.payload).map_err(|error| failure::invalid_request(&error))?;
    // The fields are in every line of the log, so that the lines of one partition can be found.
    let span = tracing::info_span!(
        "materialize",
        run = %request.run,
        asset = %request.step,
        partition = materializer.describe_partitions(&request),
        attempt = request.retry + 1,
        trace = event.context.xray_trace_id.as_deref().unwrap_or_default(),
    );
    let work = async {
        let answer = materializer.run_step(&request, deadline).await;
        match &answer {
            Ok(report) => tracing::info!(materialized = report.materialized, "done"),
            Err(error) => tracing::warn!(name = error.name(), %error, "failed"),
        }
        answer.map_err(|error| failure::step_failure(&error))
    };
    work.instrument(span).await
}

/// Returns the time that is left to the invocation.
fn remaining_time(context: &Context, clock: &dyn Clock) -> Deadline {
    // Lambda gives the deadline as milliseconds since the epoch.
    let now = u64::try_from(clock.now().timestamp_millis()).unwrap_or_default();
    Deadline(Duration::from_millis(context.deadline.saturating_sub(now)))
}
