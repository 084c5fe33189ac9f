//! [`reconcile_run`]: bringing the record of a run in line with its execution.

use precip_engine::{deployment::Execution, state::Run};

use super::{execution_failure, planner_failure};
use crate::{failure::Failure, session::Session, target::Deployment};

/// A run and its execution.
#[derive(Debug)]
pub(crate) struct ReconciledRun {
    /// The run as recorded now.
    pub(crate) run: Run,
    /// The execution's ARN.
    pub(crate) arn: String,
    /// The execution; `None` when it does not exist (any more).
    pub(crate) execution: Option<Execution>,
}

/// Reads the execution of a run, and records its end if it has ended and no function could record that.
///
/// # Errors
/// [`Failure`] when the execution cannot be read, or the record not be written.
pub(crate) async fn reconcile_run(
    session: &Session,
    deployment: &Deployment,
    run: Run,
) -> Result<ReconciledRun, Failure> {
    let arn = deployment.executions.execution_of_run(&run);
    let described = deployment.executions.describe_execution(&arn).await;
    let execution = described.map_err(execution_failure)?;
    let run = match &execution {
        // The execution ended, and the function that records that did not run.
        Some(ended) if ended.status.is_ended() && !run.status.is_finished() => {
            let planner = deployment.new_planner(&session.definitions)?;
            planner
                .end_with_execution(&run, ended)
                .await
                .map_err(planner_failure)?
        }
        _ => run,
    };
    Ok(ReconciledRun {
        run,
        arn,
        execution,
    })
}
