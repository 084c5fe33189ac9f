//! Making the record tell the truth about a run whose execution has ended.

use precip_engine::{deployment::Execution, state::Run};

use super::{not_reached, refused};
use crate::{failure::Failure, place::Deployment, session::Session};

/// A run, and the execution that works or worked for it.
#[derive(Debug)]
pub(crate) struct Settled {
    /// The run as it is now.
    pub(crate) run: Run,
    /// The execution's ARN.
    pub(crate) arn: String,
    /// The execution; `None` when it is not there (any more).
    pub(crate) execution: Option<Execution>,
}

/// Looks at the execution of a run. If it has ended and the record does not know it, because nobody
/// was told, puts that down.
///
/// # Errors
/// [`Failure`] when the execution cannot be looked at, or the record not be written.
pub(crate) async fn settle(
    session: &Session,
    deployment: &Deployment,
    run: Run,
) -> Result<Settled, Failure> {
    let arn = deployment.executions.of_run(&run);
    let execution = deployment.executions.describe(&arn).await;
    let execution = execution.map_err(not_reached)?;
    let run = match &execution {
        Some(ended) if ended.status.is_ended() && !run.status.is_finished() => {
            let planner = deployment.planner(&session.definitions)?;
            planner.settled(&run, ended).await.map_err(refused)?
        }
        _ => run,
    };
    Ok(Settled {
        run,
        arn,
        execution,
    })
}
