//! Stopping a run that an execution works for.

use std::time::Duration;

use crate::{
    deployment::{Execution, ExecutionError, ExecutionStatus, Executions},
    machine::{Planner, PlannerError},
    run::Sleeper,
    state::{Run, RunChange, RunStatus, StateError},
};

/// How often an execution is asked whether it has ended, and how long is waited in between.
const ASKED: u32 = 20;
const WAIT: Duration = Duration::from_millis(500);

/// A run that could not be stopped.
#[derive(Debug, thiserror::Error)]
pub enum Cancellation {
    /// The executions cannot be reached.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
    /// The record cannot be read or written.
    #[error(transparent)]
    Planner(#[from] PlannerError),
}

impl From<StateError> for Cancellation {
    fn from(error: StateError) -> Self {
        Self::Planner(error.into())
    }
}

impl Planner {
    /// Stops a run: says so on the record, stops the run's execution, and puts down the end. Answers
    /// the run as it is then; it is still [`RunStatus::Canceling`] when the execution takes its time.
    ///
    /// # Errors
    /// [`Cancellation`]. What was done stays done; the call may be made again.
    pub async fn cancel(
        &self,
        run: &Run,
        executions: &dyn Executions,
        sleeper: &dyn Sleeper,
        cause: &str,
    ) -> Result<Run, Cancellation> {
        let from = [RunStatus::Queued, RunStatus::Running];
        let asked =
            RunChange::new(from, RunStatus::Canceling, self.clock.now()).because(cause.to_owned());
        let changed = self.state.change_run(run.id, asked).await?;
        let run = changed.run().clone();
        if run.status.is_finished() {
            return Ok(run);
        }
        let arn = executions.of_run(&run);
        executions.stop(&arn, cause).await?;
        for _ in 0..ASKED {
            let stopped = match executions.describe(&arn).await? {
                Some(execution) => execution,
                None => gone(&arn),
            };
            if stopped.status.is_ended() {
                return Ok(self.settled(&run, &stopped).await?);
            }
            sleeper.sleep(WAIT).await;
        }
        Ok(run)
    }

    /// A run as it is once its execution, which has ended, is taken into account.
    ///
    /// # Errors
    /// [`PlannerError`] when the record cannot be read or written.
    pub async fn settled(&self, run: &Run, ended: &Execution) -> Result<Run, PlannerError> {
        let now = self.state.run(run.id).await?;
        let run = now.unwrap_or_else(|| run.clone());
        let settled = self.end_by(&run, &ended.as_ended()).await?;
        Ok(settled.unwrap_or(run))
    }
}

/// What stands for an execution that Step Functions does not know (any more): it keeps those that
/// ended for 90 days.
pub(crate) fn gone(arn: &str) -> Execution {
    Execution {
        arn: arn.to_owned(),
        name: arn.rsplit(':').next().unwrap_or_default().to_owned(),
        status: ExecutionStatus::Aborted,
        input: None,
        output: None,
        error: None,
        cause: Some("its execution is not there".to_owned()),
    }
}
