//! `retry --on aws`.

use std::io::Write;

use precip_engine::machine::StartInput;

use super::{RunStart, planner_failure, reconcile_run, refuse_local_options, start_run};
use crate::{
    args::RunControlArgs, exit::Exit, failure::Failure, launch::find_partition_mismatch,
    session::Session, target::Deployment,
};

/// Starts a new run of what a finished run did not materialize.
///
/// # Errors
/// [`Failure`] when there is no such run, it is not finished, or the new one cannot be started.
pub(in crate::launch) async fn retry_run(
    session: &Session,
    deployment: &Deployment,
    id: &str,
    control: &RunControlArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    refuse_local_options(session, control)?;
    if let Some(mismatch) = find_partition_mismatch(session).await? {
        return Err(mismatch);
    }
    let found = session.find_run(id).await?;
    // A run whose execution was stopped may still be active on record.
    let run = reconcile_run(session, deployment, found).await?.run;
    let planner = deployment.new_planner(&session.definitions)?;
    let plan = planner
        .plan_retry_of(run.id)
        .await
        .map_err(planner_failure)?;
    if plan.is_empty() {
        session.print_note(&format!("run {} left nothing to do", run.id));
        return Ok(Exit::Done);
    }
    let retry = RunStart {
        input: StartInput::retry_of_run(run.id),
        plan: &plan,
        control,
    };
    start_run(session, deployment, retry, out).await
}
