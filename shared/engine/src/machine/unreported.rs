//! Runs whose execution has ended without an event.

use chrono::TimeDelta;

use crate::{
    deployment::Executions,
    machine::{CancelError, Planner},
    state::{PageRequest, Run, RunFilter, RunStatus},
};

/// Number of runs that are read at once.
const PAGE: usize = 100;

impl Planner {
    /// Ends the unfinished runs whose execution has ended, among the runs that were created in the `period`
    /// before now. Returns those that this call ended.
    ///
    /// EventBridge reports the end of an execution, and delivers events on a best-effort basis: a run whose
    /// event is lost would be running for good.
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>
    ///
    /// # Errors
    /// [`CancelError`]. The call may be repeated.
    pub async fn end_unreported_runs(
        &self,
        executions: &dyn Executions,
        period: TimeDelta,
    ) -> Result<Vec<Run>, CancelError> {
        let filter = RunFilter {
            statuses: vec![RunStatus::Queued, RunStatus::Running, RunStatus::Canceling],
            since: Some(self.clock.now() - period),
            ..RunFilter::default()
        };
        let mut ended = Vec::new();
        let mut page = PageRequest::first(PAGE);
        loop {
            let runs = self.state.list_runs(&filter, &page).await?;
            for run in runs.items {
                // No execution has taken up a run without an owner: it may still be started.
                let Some(owner) = &run.owner else { continue };
                let Some(execution) = executions.describe_execution(&owner.id.0).await? else {
                    continue;
                };
                let now = self.end_with_execution(&run, &execution).await?;
                if now.status.is_finished() {
                    ended.push(now);
                }
            }
            match runs.next {
                Some(next) => page = page.next_page(next),
                None => return Ok(ended),
            }
        }
    }
}
