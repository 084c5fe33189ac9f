//! Owning a run.

use std::time::Duration;

use precip_engine::{
    run::RunSession,
    state::{OwnerId, RunChange, RunChanged, RunStatus, StateResult},
};

use super::ExecuteError;

/// How often the owner of a run says that it is alive.
pub(super) const EVERY: Duration = Duration::from_secs(10);
/// After how long without a word the run may be taken over.
const STALE_AFTER: chrono::TimeDelta = chrono::TimeDelta::seconds(45);

/// What the record says of a run.
pub(super) enum Beat {
    /// Go on.
    Ours,
    /// Somebody asked the run to stop.
    Stop,
    /// Another process has taken it over.
    Lost,
}

/// Makes this process the one that executes the run.
pub(super) async fn claim(session: &RunSession, owner: &OwnerId) -> Result<(), ExecuteError> {
    let state = &session.ports.state;
    let now = session.ports.clock.now();
    let from = [RunStatus::Queued, RunStatus::Failed, RunStatus::Canceled];
    let begin = RunChange::new(from, RunStatus::Running, now);
    let begun = session
        .persist(|| state.change_run(session.run, begin.clone()))
        .await?;
    let status = begun.run().status;
    if status != RunStatus::Running {
        return Err(ExecuteError::Over {
            run: session.run,
            status,
        });
    }
    let claimed = session
        .persist(|| state.claim_run(session.run, owner.clone(), now, now - STALE_AFTER))
        .await?;
    match claimed {
        RunChanged::Changed(_) => Ok(()),
        RunChanged::Refused(_) => Err(ExecuteError::Taken { run: session.run }),
    }
}

/// Says that this process is alive.
pub(super) async fn beat(session: &RunSession, owner: &OwnerId) -> StateResult<Beat> {
    let now = session.ports.clock.now();
    let answer = session
        .persist(|| session.ports.state.heartbeat(session.run, owner, now))
        .await?;
    Ok(match answer {
        RunChanged::Refused(_) => Beat::Lost,
        RunChanged::Changed(run) if run.status == RunStatus::Canceling => Beat::Stop,
        RunChanged::Changed(_) => Beat::Ours,
    })
}
