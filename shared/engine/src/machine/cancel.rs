//! Canceling of a run that an execution carries out.

use std::time::Duration;

use crate::{
    deployment::{Execution, ExecutionError, ExecutionStatus, Executions},
    machine::{Planner, PlannerError},
    run::Sleeper,
    state::{Run, RunChange, RunStatus, StateError},
};

/// Number of times that an execution is polled for its end.
const POLLS: u32 = 20;
/// The wait between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// An error of canceling a run.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The execution could not be read or stopped.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
    /// The state store could not be read or written.
    #[error(transparent)]
    Planner(#[from] PlannerError),
}

impl From<StateError> for CancelError {
    fn from(error: StateError) -> Self {
        Self::Planner(error.into())
    }
}

impl Planner {
    /// Cancels a run: marks it as canceling, stops its execution, and records its end. Returns the
    /// run as it is then; it is still [`RunStatus::Canceling`] when the execution takes longer to
    /// stop.
    ///
    /// # Errors
    /// [`CancelError`]. The call may be repeated.
    pub async fn cancel_run(
        &self,
        run: &Run,
        executions: &dyn Executions,
        sleeper: &dyn Sleeper,
        cause: &str,
    ) -> Result<Run, CancelError> {
        let from = [RunStatus::Queued, RunStatus::Running];
        let canceling = RunChange::new(from, RunStatus::Canceling, self.clock.now())
            .with_message(cause.to_owned());
        // Recorded before the execution stops: its end then finds the reason.
        let changed = self.state.change_run(run.id, canceling).await?;
        let current = changed.run().clone();
        if current.status.is_finished() {
            return Ok(current);
        }
        let arn = executions.execution_of_run(&current);
        executions.stop_execution(&arn, cause).await?;
        for _ in 0..POLLS {
            let stopped = match executions.describe_execution(&arn).await? {
                Some(execution) => execution,
                None => missing_execution(&arn),
            };
            if stopped.status.is_ended() {
                return Ok(self.end_with_execution(&current, &stopped).await?);
            }
            sleeper.sleep(POLL_INTERVAL).await;
        }
        Ok(current)
    }

    /// Ends a run whose execution has ended, unless it is finished, and returns the run as it is
    /// then.
    ///
    /// # Errors
    /// [`PlannerError`] when the state store cannot be read or written.
    pub async fn end_with_execution(
        &self,
        run: &Run,
        ended: &Execution,
    ) -> Result<Run, PlannerError> {
        let recorded = self.state.find_run(run.id).await?;
        let current = recorded.unwrap_or_else(|| run.clone());
        let finished = self
            .end_run_by_execution(&current, &ended.as_ended())
            .await?;
        Ok(finished.unwrap_or(current))
    }
}

/// Returns a placeholder for an execution that Step Functions does not know (any more): it keeps
/// ended executions for 90 days.
pub(crate) fn missing_execution(arn: &str) -> Execution {
    Execution {
        arn: arn.to_owned(),
        name: arn.rsplit(':').next().unwrap_or_default().to_owned(),
        status: ExecutionStatus::Aborted,
        input: None,
        output: None,
        error: None,
        cause: Some("its execution does not exist".to_owned()),
    }
}
