//! Ownership of a run: one process executes it, and shows by a heartbeat that it is alive.

use std::time::Duration;

use precip_engine::{
    run::RunSession,
    state::{OwnerId, RunChange, RunChanged, RunStatus, StateResult},
};

use super::ExecuteError;

/// The interval between the heartbeats of a run's owner.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);
/// The time without a heartbeat after which another process may take the run over.
const STALE_AFTER: chrono::TimeDelta = chrono::TimeDelta::seconds(45);

/// The answer to a heartbeat.
pub(super) enum Ownership {
    /// The run still belongs to this process: continue.
    Kept,
    /// The run was asked to stop.
    StopRequested,
    /// Another process has taken the run over.
    Lost,
}

/// Makes this process the owner of the run, or fails if another process is.
pub(super) async fn claim_run(session: &RunSession, owner: &OwnerId) -> Result<(), ExecuteError> {
    let state = &session.ports.state;
    let now = session.ports.clock.now();
    // Running is not among the statuses: an interrupted run keeps it, and only the claim decides.
    let from = [RunStatus::Queued, RunStatus::Failed, RunStatus::Canceled];
    // Refused if the run is running already (then only the claim decides) or has succeeded.
    let begin = RunChange::new(from, RunStatus::Running, now);
    let begun = session
        .with_state_retries(|| state.change_run(session.run, begin.clone()))
        .await?;
    let status = begun.run().status;
    if status != RunStatus::Running {
        return Err(ExecuteError::Over {
            run: session.run,
            status,
        });
    }
    let claimed = session
        // A claim succeeds on a run without an owner, or with one whose heartbeat is stale.
        .with_state_retries(|| state.claim_run(session.run, owner.clone(), now, now - STALE_AFTER))
        .await?;
    match claimed {
        RunChanged::Changed(_) => Ok(()),
        RunChanged::Refused(_) => Err(ExecuteError::Taken { run: session.run }),
    }
}

/// Records that this process is alive, and returns what became of the run.
pub(super) async fn send_heartbeat(
    session: &RunSession,
    owner: &OwnerId,
) -> StateResult<Ownership> {
    let now = session.ports.clock.now();
    let answer = session
        .with_state_retries(|| {
            session
                .ports
                .state
                .record_heartbeat(session.run, owner, now)
        })
        .await?;
    Ok(match answer {
        RunChanged::Refused(_) => Ownership::Lost,
        RunChanged::Changed(run) if run.status == RunStatus::Canceling => Ownership::StopRequested,
        RunChanged::Changed(_) => Ownership::Kept,
    })
}
