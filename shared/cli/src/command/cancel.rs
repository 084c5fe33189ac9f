//! `cancel`: stopping a run.

use precip_engine::state::{Run, RunChange, RunChanged, RunStatus};
use precip_local::executor::TokioSleeper;

use crate::{
    exit::Exit,
    failure::Failure,
    session::Session,
    target::{Deployment, Target},
};

/// The run's message on record.
const MESSAGE: &str = "canceled by command";

/// Asks a run to stop. The process that executes it notices at its next heartbeat, and finishes the ops
/// that are running. If that process is gone, the run is canceled at once. On AWS its execution is
/// stopped.
///
/// # Errors
/// [`Failure`] when there is no such run, or the record cannot be read or written.
pub(crate) async fn cancel_run(session: &Session, id: &str) -> Result<Exit, Failure> {
    let run = session.find_run(id).await?;
    if run.status.is_finished() {
        session.print_note(&format!(
            "run {} has ended already: it {}",
            run.id, run.status
        ));
        return Ok(Exit::Done);
    }
    let home = match &session.target {
        Target::Local(home) => home,
        Target::Aws(deployment) => return cancel_on_deployment(session, deployment, &run).await,
    };
    let alive = match &run.owner {
        Some(owner) => home
            .is_alive(&owner.id)
            .map_err(crate::launch::home_failure)?,
        None => false,
    };
    // Only the process that executes a run can end it in order.
    let to = if alive {
        RunStatus::Canceling
    } else {
        RunStatus::Canceled
    };
    let from = [RunStatus::Queued, RunStatus::Running, RunStatus::Canceling];
    let change = RunChange {
        message: Some(MESSAGE.to_owned()),
        ..RunChange::new(from, to, session.context.now)
    };
    let changed = match session.store.change_run(run.id, change).await? {
        RunChanged::Changed(run) | RunChanged::Refused(run) => run,
    };
    session.print_note(&match changed.status {
        RunStatus::Canceling => {
            format!(
                "run {} is stopping: ops that are running finish first",
                run.id
            )
        }
        status => format!("run {} is {status}; `resume {}` resumes it", run.id, run.id),
    });
    Ok(Exit::Done)
}

/// Stops a run of a deployment.
async fn cancel_on_deployment(
    session: &Session,
    deployment: &Deployment,
    run: &Run,
) -> Result<Exit, Failure> {
    let planner = deployment.new_planner(&session.definitions)?;
    let executions = deployment.executions.as_ref();
    let ended = planner
        .cancel_run(run, executions, &TokioSleeper, MESSAGE)
        .await?;
    let (id, suffix) = (ended.id, session.target.option_suffix());
    session.print_note(&match ended.status {
        RunStatus::Canceled => {
            format!("run {id} is canceled; `retry {id}{suffix}` runs the rest")
        }
        status if status.is_finished() => {
            format!("run {id} has ended meanwhile: it {status}")
        }
        _ => format!("run {id} is stopping: `run {id}{suffix}` shows when its execution has ended"),
    });
    Ok(Exit::Done)
}
