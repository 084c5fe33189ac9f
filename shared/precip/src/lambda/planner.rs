//! The planner function.

use std::{env, process::ExitCode, sync::Arc};

use lambda_runtime::{Diagnostic, LambdaEvent};
use precip_engine::{
    definitions::{Definitions, InvalidDefinitions},
    machine::{ExecutionEnded, Planner, PlannerAnswer, PlannerRequest},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{failure, function, variables};

/// Plans runs, settles their waves and ends them, as the state machines ask; and ends the runs of
/// executions that EventBridge says were stopped.
pub fn planner(definitions: fn() -> Result<Definitions, InvalidDefinitions>) -> ExitCode {
    function::run(
        definitions,
        async |world| {
            let planner = Planner::new(
                Arc::clone(&world.definitions),
                world.state(),
                world.files.clone(),
                Arc::clone(&world.clock),
                Arc::clone(&world.randomness),
            )
            .map_err(|error| error.to_string())?;
            Ok(match rows_at_once()? {
                Some(rows) => planner.with_rows_at_once(rows),
                None => planner,
            })
        },
        answer,
    )
}

fn rows_at_once() -> Result<Option<u32>, String> {
    let Ok(text) = env::var(variables::MAX_CONCURRENCY) else {
        return Ok(None);
    };
    let rows = text.parse().map_err(|_| {
        format!(
            "{} is `{text}`, and has to be a number such as 20",
            variables::MAX_CONCURRENCY
        )
    });
    rows.map(Some)
}

/// What the planner is called with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Call {
    /// By EventBridge.
    Ended { detail: ExecutionEnded },
    /// By a state machine.
    Asked(Value),
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Asked(PlannerAnswer),
    Ended { ended: Option<String> },
}

async fn answer(planner: Arc<Planner>, event: LambdaEvent<Value>) -> Result<Answer, Diagnostic> {
    let call: Call =
        serde_json::from_value(event.payload).map_err(|error| failure::unreadable(&error))?;
    let answer = match call {
        Call::Ended { detail } => {
            let ended = planner.ended(&detail).await;
            ended.map(|run| Answer::Ended {
                ended: run.map(|run| run.id.to_string()),
            })
        }
        Call::Asked(request) => {
            let request: PlannerRequest =
                serde_json::from_value(request).map_err(|error| failure::unreadable(&error))?;
            let what = request.name();
            let answer = planner.answer(request).await;
            tracing::info!(what, failed = answer.is_err(), "answered");
            answer.map(Answer::Asked)
        }
    };
    answer.map_err(|error| {
        tracing::warn!(name = error.name(), %error, "refused");
        failure::of_planner(&error)
    })
}
