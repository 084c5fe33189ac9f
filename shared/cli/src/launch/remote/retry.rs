//! `retry --on aws`.

use std::io::Write;

use precip_engine::machine::StartInput;

use super::{Begin, begin, check, refused, settle};
use crate::{
    args::RunControlArgs, exit::Exit, failure::Failure, place::Deployment, session::Session,
};

/// Starts a run of what a finished run left unmade.
///
/// # Errors
/// [`Failure`] when there is no such run, it is not finished, or the new one cannot be started.
pub(in crate::launch) async fn retry(
    session: &Session,
    deployment: &Deployment,
    id: &str,
    control: &RunControlArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    check(session, control)?;
    let run = session.run(id).await?;
    let run = settle(session, deployment, run).await?.run;
    let planner = deployment.planner(&session.definitions)?;
    let plan = planner.planned_retry(run.id).await.map_err(refused)?;
    if plan.is_empty() {
        session.say(&format!("run {} left nothing to do", run.id));
        return Ok(Exit::Done);
    }
    let retry = Begin {
        input: StartInput::retry(run.id),
        plan: &plan,
        control,
    };
    begin(session, deployment, retry, out).await
}
