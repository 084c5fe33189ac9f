//! `retry`: running again what failed in a run, and what that held back.

use std::io::Write;

use precip_engine::{
    run::plan_retry,
    state::{RunOrigin, RunRequest},
};

use super::{
    open, plan_file, remote,
    start::{attached, failure, start},
};
use crate::{args::RunControlArgs, exit::Exit, failure::Failure, place::Place, session::Session};

/// Starts a new run of what a finished run left unmade.
///
/// # Errors
/// [`Failure`] when there is no such run, it is not finished, or the new one cannot be executed.
pub async fn retry(
    session: &Session,
    id: &str,
    control: &RunControlArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let home = match &session.place {
        Place::Local(home) => home,
        Place::Aws(deployment) => {
            return remote::retry(session, deployment, id, control, out).await;
        }
    };
    attached(control)?;
    let run = session.run(id).await?;
    if !run.status.is_finished() {
        return Err(
            Failure::usage(format!("run {} is {}, not finished", run.id, run.status)).help(
                format!("`resume {}` goes on with it if its process is gone", run.id),
            ),
        );
    }
    let mut planned = open::planned(session, plan_file::read(home, run.id)?).await?;
    planned.plan = plan_retry(&session.definitions, &session.store, &planned, run.id)
        .await
        .map_err(failure)?;
    if planned.plan.is_empty() {
        session.say(&format!("run {} left nothing to do", run.id));
        return Ok(Exit::Done);
    }
    let request = RunRequest {
        origin: RunOrigin::RetryOf(run.id),
        ..run.request
    };
    start(session, home, request, None, planned, control, out).await
}
