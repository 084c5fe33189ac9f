//! The function `planner`.

use std::{env, process::ExitCode, sync::Arc};

use chrono::TimeDelta;
use lambda_runtime::{Diagnostic, LambdaEvent};
use precip_aws::launch::SfnExecutions;
use precip_engine::{
    definitions::{Definitions, InvalidDefinitions},
    machine::{
        ExecutionEnded, PLATFORM_ERROR, Planner, PlannerAnswer, PlannerError, PlannerRequest,
    },
    state::{Run, RunStatus},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{context::required_machine, failure, function, variables};

/// Plans runs, their next waves and their ends for the state machines, and ends the runs of
/// executions that were stopped, as reported by EventBridge or found by a sweep.
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
            let planner = match read_number(variables::MAX_CONCURRENCY)? {
                Some(functions) => planner.with_functions_at_once(functions),
                None => planner,
            };
            let planner = match read_number(variables::RESERVED_CONCURRENCY)? {
                // The template's parameter is 0 where nothing is reserved.
                Some(functions @ 1..) => planner.with_reserved_concurrency(functions),
                Some(0) | None => planner,
            };
            let machine = required_machine()?;
            Ok(Function {
                planner,
                executions: SfnExecutions::new(shared.aws.step_functions(), machine),
            })
        },
        handle_invocation,
    )
}

/// Returns the number in an environment variable, if it is set.
fn read_number(variable: &str) -> Result<Option<u32>, String> {
    let Ok(text) = env::var(variable) else {
        return Ok(None);
    };
    let number = text
        .parse()
        .map_err(|_| format!("{variable} is `{text}`: set it to a number such as 800"));
    number.map(Some)
}

/// The planner, and the executions whose runs it ends.
struct Function {
    planner: Planner,
    executions: SfnExecutions,
}

/// The period before a sweep in which it looks for runs that are still unfinished.
const SWEPT_PERIOD: TimeDelta = TimeDelta::days(14);

/// The payload of an invocation.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Call {
    /// An event of EventBridge: an execution has ended.
    Ended { detail: ExecutionEnded },
    /// A tick of the schedule that looks for ended executions whose event was lost.
    Sweep { sweep: Swept },
    /// A call of a state machine.
    Machine(Value),
}

/// The things that a sweep looks at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Swept {
    Runs,
}

/// The answer to an invocation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Machine(PlannerAnswer),
    Ended { ended: Vec<String> },
}

/// Handles one invocation.
async fn handle_invocation(
    function: Arc<Function>,
    event: LambdaEvent<Value>,
) -> Result<Answer, Diagnostic> {
    let Function {
        planner,
        executions,
    } = &*function;
    // Untagged: an event of EventBridge has `detail`, a tick `sweep`, and a call of a machine neither.
    let call: Call =
        serde_json::from_value(event.payload).map_err(|error| failure::invalid_request(&error))?;
    let answer = match call {
        Call::Ended { detail } => {
            let ended = planner.end_run_of_execution(&detail).await;
            ended.map(|run| Answer::from_ended(run.as_slice()))
        }
        Call::Sweep { sweep: Swept::Runs } => {
            let ended = planner.end_unreported_runs(executions, SWEPT_PERIOD).await;
            let ended = ended.map_err(|error| {
                tracing::error!(%error, "the planner failed");
                failure::diagnostic(PLATFORM_ERROR, &error)
            })?;
            return Ok(Answer::from_ended(&ended));
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
        log_error(&error);
        failure::planner_failure(&error)
    })
}

impl Answer {
    /// Returns the answer for runs that were ended because their execution had, and logs those that failed.
    fn from_ended(runs: &[Run]) -> Self {
        for run in runs.iter().filter(|run| run.status == RunStatus::Failed) {
            log_failed_run(run.message.as_deref().unwrap_or_default());
        }
        Self::Ended {
            ended: runs.iter().map(|run| run.id.to_string()).collect(),
        }
    }
}

/// Logs an error. The template counts the messages of failed runs and of the planner's own failures, and
/// raises alarms by them; an input that a person mistyped raises none.
fn log_error(error: &PlannerError) {
    let name = error.name();
    match error {
        PlannerError::RunFailed { summary } => log_failed_run(summary),
        _ if name == "Precip.BadInput" => tracing::warn!(name, %error, "refused"),
        _ => tracing::error!(name, %error, "the planner failed"),
    }
}

fn log_failed_run(summary: &str) {
    tracing::error!(summary, "a run failed");
}
