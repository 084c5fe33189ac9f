//! Planning of the rest of an earlier run.

use precip_core::plan::{CheckSelection, Plan};

use crate::{
    machine::{
        InvalidStart, Planner, PlannerError,
        work::{StoredPlan, check_numbering, plan_key, read_plan},
    },
    run::{
        PlanRunError, RefusedData, partition_context, plan_retry, plan_run, renumber_changed,
        translate_plan,
    },
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

    /// Numbers the record by the current definitions and plans the rest of a run.
    pub(super) async fn start_retry_of(&self, earlier: RunId) -> Result<Plan, PlannerError> {
        // Before the record is numbered anew: a plan that does not say what its ordinals mean is
        // compared with the numbers of the record.
        if self.has_plan(earlier).await? {
            let stored = read_plan(self.files.as_ref(), earlier, 0).await?;
            check_numbering(&self.definitions, &self.state, &stored.plan).await?;
        }
        let now = self.clock.now();
        let context = partition_context(&self.definitions, &self.state, now).await?;
        renumber_changed(&self.definitions, &self.state, &context).await?;
        self.plan_retry_of(earlier).await
    }

    /// Plans the rest of a finished run: the partitions that failed and those that were held back.
    /// The plan is empty when nothing is left. Changes nothing, so it also serves previews.
    ///
    /// # Errors
    /// [`PlannerError`] when the run does not exist or is not finished, its plan cannot be read, or
    /// the project no longer has a partition that is left.
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
        if !self.has_plan(earlier).await? {
            // It failed before it was planned: its whole request remains.
            return Ok(self.plan_whole_request(&run.request).await?);
        }
        let StoredPlan { plan, .. } = read_plan(self.files.as_ref(), earlier, 0).await?;
        check_numbering(&self.definitions, &self.state, &plan).await?;
        let planned = translate_plan(&self.definitions, &self.state, &plan, earlier).await?;
        let rest = plan_retry(
            &self.definitions,
            &self.state,
            &planned,
            earlier,
            RefusedData::MakeAgain,
        )
        .await?;
        Ok(rest)
    }

    async fn has_plan(&self, run: RunId) -> Result<bool, PlannerError> {
        let file = self.files.read_file(&plan_key(run, 0)).await?;
        Ok(file.is_some())
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
