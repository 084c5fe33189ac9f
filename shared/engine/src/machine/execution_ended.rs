//! Executions that ended before their run did.

use chrono::{DateTime, Utc};

use crate::{
    deployment::execution_name,
    machine::{ExecutionEnded, Planner, PlannerError, plan::run_key},
    run_id::RunId,
    state::{Run, RunChange, RunStatus, StateResult, StateStore},
};

impl Planner {
    /// Ends the run of an execution that was stopped, timed out, or failed outside the planner.
    /// Returns the run if this call ended it.
    ///
    /// # Errors
    /// [`PlannerError`] when the state store cannot be read or written.
    pub async fn end_run_of_execution(
        &self,
        ended: &ExecutionEnded,
    ) -> Result<Option<Run>, PlannerError> {
        match self.run_of(ended).await? {
            Some(run) => self.end_run_by_execution(&run, ended).await,
            None => Ok(None),
        }
    }

    /// Calls [`end_run_by_execution`] with the current time.
    pub(crate) async fn end_run_by_execution(
        &self,
        run: &Run,
        ended: &ExecutionEnded,
    ) -> Result<Option<Run>, PlannerError> {
        Ok(end_run_by_execution(self.state.as_ref(), self.clock.now(), run, ended).await?)
    }

    /// Finds the run of an execution: by the execution's name, or else by the run key of its input.
    async fn run_of(&self, ended: &ExecutionEnded) -> StateResult<Option<Run>> {
        // Executions that a trigger or a person started by run id are named after it.
        if let Ok(id) = ended.name.parse::<RunId>()
            && let Some(run) = self.state.find_run(id).await?
        {
            return Ok(Some(run));
        }
        let input: Option<serde_json::Value> = ended
            .input
            .as_deref()
            .and_then(|input| serde_json::from_str(input).ok());
        let requested_key = input
            .as_ref()
            .and_then(|input| input.get("run_key")?.as_str());
        let key = run_key(requested_key, &ended.execution_arn);
        self.state.find_run_by_key(&key).await
    }
}

/// Ends a run whose execution has ended, at the time `now`. Returns the run if that changed it: not
/// when it has ended already, nor when another execution owns it.
///
/// # Errors
/// When the state store cannot be written.
pub async fn end_run_by_execution(
    state: &dyn StateStore,
    now: DateTime<Utc>,
    run: &Run,
    ended: &ExecutionEnded,
) -> StateResult<Option<Run>> {
    if run.status.is_finished() || !belongs_to(run, ended) {
        return Ok(None);
    }
    let from = [RunStatus::Queued, RunStatus::Running, RunStatus::Canceling];
    // An execution may be stopped without a cause: then the reason recorded by `cancel` is used.
    let why = ended
        .cause
        .as_deref()
        .or(ended.error.as_deref())
        .or(run.message.as_deref());
    let change = match ended.status.as_str() {
        "ABORTED" => RunChange::new(from, RunStatus::Canceled, now)
            .with_message(why.unwrap_or("its execution was stopped")),
        "FAILED" | "TIMED_OUT" => RunChange::new(from, RunStatus::Failed, now)
            .with_message(why.unwrap_or("its execution failed")),
        _ => return Ok(None),
    };
    let changed = state.change_run(run.id, change).await?;
    Ok(changed.is_changed().then(|| changed.run().clone()))
}

/// Returns whether an unfinished run belongs to an execution. A run without an owner yet is
/// recognized by the execution's name, which is derived from the run's key or id.
fn belongs_to(run: &Run, ended: &ExecutionEnded) -> bool {
    match (&run.owner, &run.key) {
        (Some(owner), _) => owner.id.0 == ended.execution_arn,
        (None, Some(key)) => {
            key.execution_arn() == Some(ended.execution_arn.as_str())
                || key.request_key().map(execution_name).as_ref() == Some(&ended.name)
                || run.id.to_string() == ended.name
        }
        (None, None) => run.id.to_string() == ended.name,
    }
}
