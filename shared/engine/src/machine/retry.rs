//! Planning of the rest of an earlier run.

use precip_core::plan::{CheckSelection, Plan};

use crate::{
    machine::{InvalidStart, Planner, PlannerError, work::plan_key},
    run::{PlanRunError, plan_retry, plan_run},
    run_id::RunId,
    state::{RequestedWork, Run, RunOrigin},
};

impl Planner {
    /// Returns the request of a retry: the request of the earlier run.
    pub(super) async fn retry_request(
        &self,
        earlier: RunId,
    ) -> Result<RequestedWork, PlannerError> {
        let run = self.find_run(earlier).await?;
        Ok(RequestedWork {
            origin: RunOrigin::RetryOf(earlier),
            ..run.request
        })
    }

    /// Plans the rest of a finished run: the partitions that failed and those that were held back.
    /// The plan is empty when nothing is left.
    ///
    /// # Errors
    /// [`PlannerError`] when the run does not exist or is not finished, or its plan cannot be read.
    pub async fn plan_retry_of(&self, earlier: RunId) -> Result<Plan, PlannerError> {
        let run = self.find_run(earlier).await?;
        if !run.status.is_finished() {
            return Err(InvalidStart(format!(
                "run {earlier} is {}, not finished: wait for its end, or stop it with `cancel \
                 {earlier}`",
                run.status
            ))
            .into());
        }
        if self.files.read_file(&plan_key(earlier, 0)).await?.is_none() {
            // It failed before it was planned: its whole request remains.
            return Ok(self.plan_whole_request(&run.request).await?);
        }
        let planned = self.read_planned_work(earlier, 0).await?;
        let rest = plan_retry(&self.definitions, &self.state, &planned.planned, earlier).await?;
        Ok(rest)
    }

    async fn plan_whole_request(&self, request: &RequestedWork) -> Result<Plan, PlanRunError> {
        let (now, all) = (self.clock.now(), CheckSelection::All);
        let planned = plan_run(&self.definitions, &self.state, now, request, all).await?;
        Ok(planned.plan)
    }

    async fn find_run(&self, id: RunId) -> Result<Run, PlannerError> {
        let run = self.state.find_run(id).await?;
        let unknown = || {
            InvalidStart(format!(
                "there is no run {id} to retry: `runs` lists the runs"
            ))
        };
        Ok(run.ok_or_else(unknown)?)
    }
}
