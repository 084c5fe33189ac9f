//! A run that was started a moment ago.

use std::time::Duration;

use precip_engine::{
    run::Sleeper,
    run_id::RunId,
    state::{Run, StateStore},
};
use precip_local::executor::TokioSleeper;

use super::not_reached;
use crate::{failure::Failure, place::Deployment};

/// How often it is looked whether a run has begun, and how long is waited in between.
const LOOKS: u32 = 80;
const WAIT: Duration = Duration::from_millis(250);

/// The run of this id. An execution of its name that is at work is waited for: the planner puts the run
/// down with its first step. `None` when there is neither.
///
/// # Errors
/// [`Failure`] when nothing has begun within 20 seconds, the execution cannot be looked at, or the record
/// not be read.
pub(crate) async fn begun(
    deployment: &Deployment,
    store: &dyn StateStore,
    id: RunId,
) -> Result<Option<Run>, Failure> {
    let executions = deployment.executions.as_ref();
    let arn = executions.arn(&id.to_string());
    for _ in 0..LOOKS {
        let execution = executions.describe(&arn).await.map_err(not_reached)?;
        // After that look, so that a run which ended in between is found.
        if let Some(run) = store.run(id).await? {
            return Ok(Some(run));
        }
        if execution.is_none_or(|execution| execution.status.is_ended()) {
            return Ok(None);
        }
        TokioSleeper.sleep(WAIT).await;
    }
    Err(
        Failure::usage(format!("run `{id}` has not begun: it is being planned"))
            .help(format!("try again in a moment; its execution is {arn}")),
    )
}
