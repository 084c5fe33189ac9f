//! `cancel`: asking a run to stop.

use precip_engine::state::{RunChange, RunChanged, RunStatus};

use crate::{exit::Exit, failure::Failure, session::Session};

/// Asks a run to stop. The process that executes it learns of it with its next sign of life and
/// lets what it began come to its end; where that process is gone, the run is over at once.
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
    let alive = match &run.owner {
        Some(owner) => session
            .home
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
        message: Some("canceled by command".to_owned()),
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
