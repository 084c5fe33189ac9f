//! `cancel`: asking a run to stop.

use precip_engine::state::{Run, RunChange, RunChanged, RunStatus};
use precip_local::executor::TokioSleeper;

use crate::{
    exit::Exit,
    failure::Failure,
    place::{Deployment, Place},
    session::Session,
};

/// What the record says of it.
const WHY: &str = "canceled by command";

/// Asks a run to stop. The process that executes it learns of it with its next sign of life and
/// lets what it began come to its end; where that process is gone, the run is over at once. On AWS
/// its execution is stopped.
///
/// # Errors
/// [`Failure`] when there is no such run, or the record cannot be read or written.
pub async fn cancel(session: &Session, id: &str) -> Result<Exit, Failure> {
    let run = session.run(id).await?;
    if run.status.is_finished() {
        session.say(&format!(
            "run {} is over already: it {}",
            run.id, run.status
        ));
        return Ok(Exit::Done);
    }
    let home = match &session.place {
        Place::Local(home) => home,
        Place::Aws(deployment) => return stop(session, deployment, &run).await,
    };
    let alive = match &run.owner {
        Some(owner) => home
            .is_alive(&owner.id)
            .map_err(crate::launch::home_failure)?,
        None => false,
    };
    let to = if alive {
        RunStatus::Canceling
    } else {
        RunStatus::Canceled
    };
    let from = [RunStatus::Queued, RunStatus::Running, RunStatus::Canceling];
    let change = RunChange {
        message: Some(WHY.to_owned()),
        ..RunChange::new(from, to, session.context.now)
    };
    let changed = match session.store.change_run(run.id, change).await? {
        RunChanged::Changed(run) | RunChanged::Refused(run) => run,
    };
    session.say(&match changed.status {
        RunStatus::Canceling => {
            format!("run {} stops: what it began comes to its end", run.id)
        }
        status => format!(
            "run {} is {status}; `resume {}` goes on with it",
            run.id, run.id
        ),
    });
    Ok(Exit::Done)
}

/// Stops a run that a deployment carries out.
async fn stop(session: &Session, deployment: &Deployment, run: &Run) -> Result<Exit, Failure> {
    let planner = deployment.planner(&session.definitions)?;
    let executions = deployment.executions.as_ref();
    let ended = planner.cancel(run, executions, &TokioSleeper, WHY).await?;
    let (id, suffix) = (ended.id, session.place.suffix());
    session.say(&match ended.status {
        RunStatus::Canceled => {
            format!("run {id} is canceled; `retry {id}{suffix}` makes what it left")
        }
        status if status.is_finished() => {
            format!("run {id} came to its end meanwhile: it {status}")
        }
        _ => format!(
            "run {id} stops: its execution takes its time; `run {id}{suffix}` says when it has"
        ),
    });
    Ok(Exit::Done)
}
