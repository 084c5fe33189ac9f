//! `retry`: a new run of what failed in a run, and of what that held back.

use std::io::Write;

use precip_engine::{
    run::{RefusedData, plan_retry},
    state::{RequestedWork, RunOrigin},
};

use super::{
    open, plan_file, remote,
    start::{plan_failure, refuse_detach, start_run},
};
use crate::{args::RunControlArgs, exit::Exit, failure::Failure, session::Session, target::Target};

/// Starts a new run of what a finished run did not materialize.
///
/// # Errors
/// [`Failure`] when there is no such run, it is not finished, or the new one cannot be executed.
pub(crate) async fn retry_run(
    session: &Session,
    id: &str,
    control: &RunControlArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let home = match &session.target {
        Target::Local(home) => home,
        Target::Aws(deployment) => {
            return remote::retry_run(session, deployment, id, control, out).await;
        }
    };
    refuse_detach(control)?;
    let run = session.find_run(id).await?;
    if !run.status.is_finished() {
        return Err(
            Failure::usage(format!("run {} is {}, not finished", run.id, run.status)).with_help(
                format!("`resume {}` resumes it if its process is gone", run.id),
            ),
        );
    }
    let stored = plan_file::read_plan(home, run.id)?;
    let mut planned = open::translate_stored_plan(session, &stored, run.id)
        .await
        .map_err(plan_failure)?;
    planned.plan = plan_retry(
        &session.definitions,
        &session.store,
        &planned,
        run.id,
        RefusedData::MakeAgain,
    )
    .await
    .map_err(plan_failure)?;
    if planned.plan.is_empty() {
        session.print_note(&format!("run {} left nothing to do", run.id));
        return Ok(Exit::Done);
    }
    // The original request, so that tags and config apply again.
    let request = RequestedWork {
        origin: RunOrigin::RetryOf(run.id),
        ..run.request
    };
    start_run(session, home, request, None, planned, control, out).await
}
