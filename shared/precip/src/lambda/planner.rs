//! The function `planner`.

use std::{env, process::ExitCode, sync::Arc};

use lambda_runtime::{Diagnostic, LambdaEvent};
use precip_engine::{
    definitions::{Definitions, InvalidDefinitions},
    machine::{ExecutionEnded, Planner, PlannerAnswer, PlannerRequest},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{failure, function, variables};

/// Plans runs, their next waves and their ends for the state machines, and ends the runs of
/// executions that were stopped, as reported by EventBridge.
pub fn planner(definitions: fn() -> Result<Definitions, InvalidDefinitions>) -> ExitCode {
    function::run_function(
        definitions,
        async |shared| {
            let planner = Planner::new(
                Arc::clone(&shared.definitions),
                shared.state_store(),
                shared.files.clone(),
                Arc::clone(&shared.clock),
                Arc::clone(&shared.randomness),
            )
            .map_err(|error| error.to_string())?;
            Ok(match rows_at_once()? {
                Some(rows) => planner.with_rows_at_once(rows),
                None => planner,
            })
        },
        handle_invocation,
    )
}

/// Returns the number of rows that run at once, if it is configured.
fn rows_at_once() -> Result<Option<u32>, String> {
    let Ok(text) = env::var(variables::MAX_CONCURRENCY) else {
        return Ok(None);
    };
    let rows = text.parse().map_err(|_| {
        format!(
            "{} is `{text}`: set it to a number such as 20",
            variables::MAX_CONCURRENCY
        )
    });
    rows.map(Some)
}

/// The payload of an invocation.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Call {
    /// An event of EventBridge: an execution has ended.
    Ended { detail: ExecutionEnded },
    /// A call of a state machine.
    Machine(Value),
}

/// The answer to an invocation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Machine(PlannerAnswer),
    Ended { ended: Option<String> },
}

/// Handles one invocation.
async fn handle_invocation(
    planner: Arc<Planner>,
    event: LambdaEvent<Value>,
) -> Result<Answer, Diagnostic> {
    // Untagged: an event of EventBridge has `detail`, a call of a machine has none.
    let call: Call =
        serde_json::from_value(event.payload).map_err(|error| failure::invalid_request(&error))?;
    let answer = match call {
        Call::Ended { detail } => {
            let ended = planner.end_run_of_execution(&detail).await;
            ended.map(|run| Answer::Ended {
                ended: run.map(|run| run.id.to_string()),
            })
        }
        Call::Machine(request) => {
            let request: PlannerRequest = serde_json::from_value(request)
                .map_err(|error| failure::invalid_request(&error))?;
            // The name is read before the request is moved.
            let what = request.name();
            let answer = planner.handle_request(request).await;
            tracing::info!(what, failed = answer.is_err(), "answered");
            answer.map(Answer::Machine)
        }
    };
    answer.map_err(|error| {
        tracing::warn!(name = error.name(), %error, "refused");
        failure::planner_failure(&error)
    })
}
