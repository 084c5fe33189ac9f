//! Planning what an earlier run left unmade.

use precip_core::plan::{CheckSelection, Plan};

use crate::{
    machine::{InvalidStart, Planner, PlannerError, work::plan_key},
    run::{PlanRunError, plan_retry, plan_run},
    run_id::RunId,
    state::{Run, RunOrigin, RunRequest},
};

impl Planner {
    /// The request of a retry: that of the run which it is a retry of.
    pub(super) async fn retry_request(&self, earlier: RunId) -> Result<RunRequest, PlannerError> {
        let run = self.earlier(earlier).await?;
        Ok(RunRequest {
            origin: RunOrigin::RetryOf(earlier),
            ..run.request
        })
    }

    /// Plans what a finished run left unmade: what failed in it, and what that held back. The plan is
    /// empty when it left nothing.
    ///
    /// # Errors
    /// [`PlannerError`] when there is no such run, it is not finished, or its plan cannot be read.
    pub async fn planned_retry(&self, earlier: RunId) -> Result<Plan, PlannerError> {
        let run = self.earlier(earlier).await?;
        if !run.status.is_finished() {
            return Err(InvalidStart(format!(
                "run {earlier} is {}, not finished: wait for its end, or stop it with `cancel \
                 {earlier}`",
                run.status
            ))
            .into());
        }
        if self.files.read(&plan_key(earlier, 0)).await?.is_none() {
            // It failed before it was planned: all that it was asked for is left.
            return Ok(self.anew(&run.request).await?);
        }
        let laid = self.laid(earlier, 0).await?;
        let left = plan_retry(&self.definitions, &self.state, &laid.planned, earlier).await?;
        Ok(left)
    }

    async fn anew(&self, request: &RunRequest) -> Result<Plan, PlanRunError> {
        let (now, all) = (self.clock.now(), CheckSelection::All);
        let planned = plan_run(&self.definitions, &self.state, now, request, all).await?;
        Ok(planned.plan)
    }

    async fn earlier(&self, earlier: RunId) -> Result<Run, PlannerError> {
        let run = self.state.run(earlier).await?;
        let unknown = || {
            InvalidStart(format!(
                "there is no run {earlier} that could be retried: `runs` lists the runs"
            ))
        };
        Ok(run.ok_or_else(unknown)?)
    }
}
