//! Executions that came to their end before their run did.

use chrono::{DateTime, Utc};

use crate::{
    deployment::name_of_key,
    machine::{ExecutionEnded, Planner, PlannerError, plan::run_key},
    run_id::RunId,
    state::{Run, RunChange, RunStatus, StateResult, StateStore},
};

impl Planner {
    /// Ends the run of an execution that was stopped, timed out, or failed outside the planner.
    /// Answers the run that it ended, if it did.
    ///
    /// # Errors
    /// [`PlannerError`] when the record cannot be read or written.
    pub async fn ended(&self, ended: &ExecutionEnded) -> Result<Option<Run>, PlannerError> {
        match self.run_of(ended).await? {
            Some(run) => self.end_by(&run, ended).await,
            None => Ok(None),
        }
    }

    /// As [`end_by`], now.
    pub(crate) async fn end_by(
        &self,
        run: &Run,
        ended: &ExecutionEnded,
    ) -> Result<Option<Run>, PlannerError> {
        Ok(end_by(self.state.as_ref(), self.clock.now(), run, ended).await?)
    }

    async fn run_of(&self, ended: &ExecutionEnded) -> StateResult<Option<Run>> {
        if let Ok(id) = ended.name.parse::<RunId>()
            && let Some(run) = self.state.run(id).await?
        {
            return Ok(Some(run));
        }
        let input: Option<serde_json::Value> = ended
            .input
            .as_deref()
            .and_then(|input| serde_json::from_str(input).ok());
        let asked = input
            .as_ref()
            .and_then(|input| input.get("run_key")?.as_str());
        let key = run_key(asked, &ended.execution_arn);
        self.state.run_of_key(&key).await
    }
}

/// Ends a run whose execution has ended, at the moment `now`. Answers it if that changed it: not when
/// it is at its end already, nor when another execution works for it.
///
/// # Errors
/// When the record cannot be written.
pub async fn end_by(
    state: &dyn StateStore,
    now: DateTime<Utc>,
    run: &Run,
    ended: &ExecutionEnded,
) -> StateResult<Option<Run>> {
    if run.status.is_finished() || !is_of(run, ended) {
        return Ok(None);
    }
    let from = [RunStatus::Queued, RunStatus::Running, RunStatus::Canceling];
    // Who asked it to stop said why, and an execution that was stopped may not.
    let why = ended.cause.as_deref().or(ended.error.as_deref());
    let why = why.or(run.message.as_deref());
    let change = match ended.status.as_str() {
        "ABORTED" => RunChange::new(from, RunStatus::Canceled, now)
            .because(why.unwrap_or("its execution was stopped")),
        "FAILED" | "TIMED_OUT" => RunChange::new(from, RunStatus::Failed, now)
            .because(why.unwrap_or("its execution failed")),
        _ => return Ok(None),
    };
    let changed = state.change_run(run.id, change).await?;
    Ok(changed.is_changed().then(|| changed.run().clone()))
}

/// Whether a run that is under way is this execution's. One that was put on record and never taken
/// is told by what it is named after.
fn is_of(run: &Run, ended: &ExecutionEnded) -> bool {
    match (&run.owner, &run.key) {
        (Some(owner), _) => owner.id.0 == ended.execution_arn,
        (None, Some(key)) => {
            key.execution() == Some(ended.execution_arn.as_str())
                || key.request().map(name_of_key).as_ref() == Some(&ended.name)
                || run.id.to_string() == ended.name
        }
        (None, None) => run.id.to_string() == ended.name,
    }
}
