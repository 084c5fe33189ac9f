//! [`await_run_start`]: waiting until a started run is on record.

use std::time::Duration;

use precip_engine::{
    run::Sleeper,
    run_id::RunId,
    state::{Run, StateStore},
};
use precip_local::executor::TokioSleeper;

use super::execution_failure;
use crate::{failure::Failure, target::Deployment};

/// Number of times the record is read.
const MAX_POLLS: u32 = 80;
/// Time between two reads.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Returns the run with this id. While an execution of its name runs, waits for the planner to record the
/// run. Returns `None` when there is neither.
///
/// # Errors
/// [`Failure`] when the run is not on record within 20 seconds, or execution or record cannot be read.
pub(crate) async fn await_run_start(
    deployment: &Deployment,
    store: &dyn StateStore,
    id: RunId,
) -> Result<Option<Run>, Failure> {
    let executions = deployment.executions.as_ref();
    let arn = executions.execution_arn(&id.to_string());
    for _ in 0..MAX_POLLS {
        let execution = executions
            .describe_execution(&arn)
            .await
            .map_err(execution_failure)?;
        // Read after the execution, so that a run that ended in between is found.
        if let Some(run) = store.find_run(id).await? {
            return Ok(Some(run));
        }
        if execution.is_none_or(|execution| execution.status.is_ended()) {
            return Ok(None);
        }
        TokioSleeper.sleep(POLL_INTERVAL).await;
    }
    Err(Failure::usage(format!(
        "run `{id}` has not started yet: it is being planned"
    ))
    .with_help(format!("try again in a moment; its execution is {arn}")))
}
