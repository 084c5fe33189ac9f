//! Planning and starting of a run on a machine.

use chrono::{DateTime, Utc};
use precip_core::plan::{CheckSelection, Plan, PlanError};
use serde_json::Value;

use crate::{
    machine::{
        ExecutionRef, InvalidStart, Mode, Planner, PlannerError, StartInput, WaveDocument,
        failure_impact::FailureImpact,
        work::{PlannedWork, plan_key},
    },
    run::{
        PlanRunError, QueuedRunPlan, next_run_id, partition_context, plan_queued_run, plan_run,
        renumber_changed,
    },
    run_id::RunId,
    state::{
        CreatedRun, NewRun, OwnerId, PlanSummary, RequestedWork, Run, RunChange, RunKey, RunStatus,
    },
};

impl Planner {
    /// Plans the run of an input, starts it, and hands out its first wave. A repeated call for the
    /// same execution, wherever the first was interrupted, continues with the same run and plan.
    pub(super) async fn start_run(
        &self,
        input: &Value,
        execution: &ExecutionRef,
        functions: u32,
        looped: bool,
    ) -> Result<WaveDocument, PlannerError> {
        let input = StartInput::from_json(input)?;
        if let Some(run) = input.run {
            return self
                .start_queued_run(run, execution, functions, looped)
                .await;
        }
        // 1. Find the run of an earlier call: its time and id are kept, so that the plan is the same.
        let key = run_key(input.run_key.as_deref(), &execution.id);
        let known = self.state.find_run_by_key(&key).await?;
        let moment = known
            .as_ref()
            .map_or_else(|| self.clock.now(), |run| run.created_at);
        let proposed = match &known {
            Some(run) => run.id,
            None => match execution.name.parse() {
                Ok(id) => id,
                Err(_) => self.next_run_id().await?,
            },
        };
        let retried = input.retry_of;
        let checks = if input.without_checks {
            CheckSelection::None
        } else {
            CheckSelection::All
        };
        let mut request = match retried {
            Some(earlier) => self.retry_request(earlier).await?,
            None => input.into_request(),
        };
        // 2. Plan, unless an earlier call stored a plan: the statuses may have changed since.
        let planned_before = self
            .files
            .read_file(&plan_key(proposed, 0))
            .await?
            .is_some();
        let plan = match retried {
            _ if planned_before => self.read_planned_work(proposed, 0).await?.planned.plan,
            Some(earlier) => self.start_retry_of(earlier).await?,
            None => self.plan_request(&mut request, moment, checks).await?,
        };
        if plan.is_empty() {
            let message = match retried {
                Some(earlier) => format!("run {earlier} left nothing to do"),
                None => nothing_to_do_message(&request),
            };
            return Ok(self.nothing_to_do(proposed, message));
        }
        // 3. Record the run, claim it for this execution, and store the plan before any work starts.
        let created = self
            .record_run(proposed, key, request, &plan, moment)
            .await?;
        let run = created.run();
        if let Some(message) = self.claim_for_execution(run, execution).await? {
            return Ok(self.nothing_to_do(run.id, message));
        }
        let planned = self.store_plan(run.id, 0, plan).await?;
        self.start_planned(&planned, functions, looped).await
    }

    /// Plans and starts a run that a trigger recorded, and hands out its first wave. Of several
    /// executions that are started for it, one carries it out.
    async fn start_queued_run(
        &self,
        id: RunId,
        execution: &ExecutionRef,
        functions: u32,
        looped: bool,
    ) -> Result<WaveDocument, PlannerError> {
        let run = self.state.find_run(id).await?.ok_or_else(|| {
            InvalidStart(format!(
                "there is no run {id}: `runs` lists the runs; to start a new one, name its assets \
                 with `select`"
            ))
        })?;
        if let Some(message) = self.claim_for_execution(&run, execution).await? {
            return Ok(self.nothing_to_do(id, message));
        }
        let planned = match self.files.read_file(&plan_key(id, 0)).await? {
            Some(_) => self.read_planned_work(id, 0).await?,
            None => {
                let now = self.clock.now();
                match plan_queued_run(&self.definitions, &self.state, now, &run).await? {
                    QueuedRunPlan::Planned(planned) => self.store_plan(id, 0, planned.plan).await?,
                    QueuedRunPlan::NothingToDo(message) => {
                        return Ok(self.nothing_to_do(id, message));
                    }
                    QueuedRunPlan::Invalid(error) => return Err(error.into()),
                }
            }
        };
        let summary = plan_summary(id, planned.plan());
        self.state.set_run_plan(id, summary).await?;
        self.start_planned(&planned, functions, looped).await
    }

    /// Starts a run whose plan is stored.
    async fn start_planned(
        &self,
        planned: &PlannedWork,
        functions: u32,
        looped: bool,
    ) -> Result<WaveDocument, PlannerError> {
        let start = RunChange::new([RunStatus::Queued], RunStatus::Running, self.clock.now());
        self.state.change_run(planned.run, start).await?;
        let work = self.remaining_work(planned, &FailureImpact::default())?;
        let mode = Mode::of_work(&work, &self.layout, self.definitions.graph());
        self.next_document(planned, work, 0, mode, functions, looped)
            .await
    }

    /// Plans a request. Without partitions it asks for the missing ones.
    async fn plan_request(
        &self,
        request: &mut RequestedWork,
        moment: DateTime<Utc>,
        checks: CheckSelection,
    ) -> Result<Plan, PlannerError> {
        let now = self.clock.now();
        let context = partition_context(&self.definitions, &self.state, now).await?;
        // Before planning: the plan's ordinals must agree with the recorded ones.
        renumber_changed(&self.definitions, &self.state, &context).await?;
        let unspecified = request.partitions.is_none();
        if unspecified {
            request.partitions = Some("missing".to_owned());
        }
        match self.try_plan(request, moment, checks.clone()).await {
            // `missing` needs a partitioned asset; a selection without one is run as a whole.
            Err(PlanRunError::Plan(PlanError::NotPartitioned)) if unspecified => {
                request.partitions = None;
                Ok(self.try_plan(request, moment, checks).await?)
            }
            planned => Ok(planned?),
        }
    }

    async fn try_plan(
        &self,
        request: &RequestedWork,
        moment: DateTime<Utc>,
        checks: CheckSelection,
    ) -> Result<Plan, PlanRunError> {
        let planned = plan_run(&self.definitions, &self.state, moment, request, checks).await?;
        Ok(planned.plan)
    }

    async fn next_run_id(&self) -> Result<RunId, PlannerError> {
        let (clock, randomness) = (self.clock.as_ref(), self.randomness.as_ref());
        Ok(next_run_id(self.state.as_ref(), clock, randomness).await?)
    }

    async fn record_run(
        &self,
        id: RunId,
        key: RunKey,
        request: RequestedWork,
        plan: &Plan,
        created_at: DateTime<Utc>,
    ) -> Result<CreatedRun, PlannerError> {
        let run = NewRun {
            id,
            key: Some(key),
            request,
            plan: Some(plan_summary(id, plan)),
            created_at,
        };
        Ok(self.state.create_run(run).await?)
    }

    /// Makes an execution the owner of a run. Returns a message if it cannot, because another
    /// execution owns the run or the run has ended.
    async fn claim_for_execution(
        &self,
        run: &Run,
        execution: &ExecutionRef,
    ) -> Result<Option<String>, PlannerError> {
        let owner = OwnerId(execution.id.clone());
        let now = self.clock.now();
        // The earliest time: no owner counts as stale, since an execution always reports its end.
        let claim = self
            .state
            .claim_run(run.id, owner, now, DateTime::<Utc>::MIN_UTC)
            .await?;
        if claim.is_changed() {
            return Ok(None);
        }
        let current = claim.run();
        Ok(Some(match &current.owner {
            Some(owner) => format!(
                "run {} was started already, by the execution {}",
                current.id, owner.id.0
            ),
            None => format!(
                "run {} was started already: it {}",
                current.id, current.status
            ),
        }))
    }

    fn nothing_to_do(&self, run: RunId, message: String) -> WaveDocument {
        WaveDocument {
            message: Some(message),
            ..self.empty_document(run, Mode::Nothing, 0, 0, self.functions_at_once)
        }
    }
}

/// Returns the key of an execution's run: the requested one, or else the execution's own.
pub(super) fn run_key(asked: Option<&str>, execution: &str) -> RunKey {
    match asked {
        Some(key) => RunKey::from_request(key),
        None => RunKey::from_execution(execution),
    }
}

fn plan_summary(run: RunId, plan: &Plan) -> PlanSummary {
    PlanSummary {
        items: plan.pair_count(),
        waves: plan.wave_count(),
        assets: plan.partition_counts(),
        pointer: Some(plan_key(run, 0)),
    }
}

fn nothing_to_do_message(request: &RequestedWork) -> String {
    let asked = request.partitions.as_deref().unwrap_or_default();
    match asked.split(':').next() {
        Some("failed") => "no requested partition has failed",
        Some("skipped") => "no requested partition is skipped",
        Some("missing") => {
            "nothing is missing: every requested partition is materialized or skipped; to materialize \
             some again, name them, like \"partitions\": \"all\" or \"skipped\""
        }
        _ => "no requested partition exists yet",
    }
    .to_owned()
}
