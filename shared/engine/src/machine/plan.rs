//! Planning a run on a machine.

use chrono::{DateTime, Utc};
use precip_core::{
    machine::{INLINE_EVENTS, Work},
    plan::{CheckSelection, Plan, PlanError},
};
use serde_json::Value;

use crate::{
    machine::{
        ExecutionRef, InvalidStart, Mode, Planner, PlannerError, StartInput, WaveDocument,
        standing::Standing,
        work::{Laid, plan_key},
    },
    run::{
        PlanRunError, Requested, new_run_id, partition_context, plan_requested, plan_run,
        renumber_changed,
    },
    run_id::RunId,
    state::{
        CreatedRun, NewRun, OwnerId, PlanSummary, Run, RunChange, RunKey, RunRequest, RunStatus,
    },
};

impl Planner {
    /// Plans what an input asks for, and hands out the first wave. Asked again for the same
    /// execution, wherever it was interrupted, it goes on with the same run and the same plan.
    pub(super) async fn plan(
        &self,
        input: &Value,
        execution: &ExecutionRef,
        looped: bool,
    ) -> Result<WaveDocument, PlannerError> {
        let input = StartInput::read(input)?;
        if let Some(run) = input.run {
            return self.carry_out(run, execution, looped).await;
        }
        let key = run_key(input.run_key.as_deref(), &execution.id);
        let known = self.state.run_of_key(&key).await?;
        let moment = known
            .as_ref()
            .map_or_else(|| self.clock.now(), |run| run.created_at);
        let proposed = match &known {
            Some(run) => run.id,
            None => execution
                .name
                .parse()
                .unwrap_or_else(|_| new_run_id(self.clock.as_ref(), self.randomness.as_ref())),
        };
        let retried = input.retry_of;
        let checks = match input.without_checks {
            true => CheckSelection::None,
            false => CheckSelection::All,
        };
        let mut request = match retried {
            Some(earlier) => self.retry_request(earlier).await?,
            None => input.into_request(),
        };
        let planned_before = self.files.read(&plan_key(proposed, 0)).await?.is_some();
        let plan = match retried {
            // Planned before: the record may say something else by now.
            _ if planned_before => self.laid(proposed, 0).await?.planned.plan,
            Some(earlier) => self.planned_retry(earlier).await?,
            None => self.planned(&mut request, moment, checks).await?,
        };
        if plan.is_empty() {
            let message = match retried {
                Some(earlier) => format!("run {earlier} left nothing to do"),
                None => nothing_to_do(&request),
            };
            return Ok(self.nothing(proposed, message));
        }
        let created = self.create(proposed, key, request, &plan, moment).await?;
        let run = created.run();
        if let Some(message) = self.taken_by_another(run, execution).await? {
            return Ok(self.nothing(run.id, message));
        }
        let laid = self.keep(run.id, 0, plan).await?;
        self.begin(&laid, looped).await
    }

    /// Takes up a run that a trigger put on record, plans it, and hands out the first wave. Of several
    /// executions that are started for it one carries it out.
    async fn carry_out(
        &self,
        id: RunId,
        execution: &ExecutionRef,
        looped: bool,
    ) -> Result<WaveDocument, PlannerError> {
        let run = self.state.run(id).await?;
        let run = run.ok_or_else(|| {
            InvalidStart(format!(
                "there is no run {id} on record that could be carried out: `runs` lists the runs; to \
                 start a new one, name its assets with `select`"
            ))
        })?;
        if let Some(message) = self.taken_by_another(&run, execution).await? {
            return Ok(self.nothing(id, message));
        }
        let laid = match self.files.read(&plan_key(id, 0)).await? {
            Some(_) => self.laid(id, 0).await?,
            None => {
                let now = self.clock.now();
                match plan_requested(&self.definitions, &self.state, now, &run).await? {
                    Requested::Planned(planned) => self.keep(id, 0, planned.plan).await?,
                    Requested::Nothing(message) => return Ok(self.nothing(id, message)),
                    Requested::Never(error) => return Err(error.into()),
                }
            }
        };
        self.state.set_plan(id, summary(id, laid.plan())).await?;
        self.begin(&laid, looped).await
    }

    /// Begins a run whose plan is kept.
    async fn begin(&self, laid: &Laid, looped: bool) -> Result<WaveDocument, PlannerError> {
        let start = RunChange::new([RunStatus::Queued], RunStatus::Running, self.clock.now());
        self.state.change_run(laid.run, start).await?;
        let work = self.lay_out(laid, &Standing::default())?;
        let mode = match self.fits_inline(&work) {
            true => Mode::Inline,
            false => Mode::Distributed,
        };
        self.next(laid, work, 0, mode, looped).await
    }

    /// Whether an execution can hold some work itself, in its states' inputs and in its history.
    fn fits_inline(&self, work: &Work) -> bool {
        let items: Vec<_> = work.stages.iter().map(|stage| &stage.items).collect();
        let bytes = serde_json::to_vec(&items).map_or(usize::MAX, |items| items.len());
        bytes <= Mode::MOST_INLINE_BYTES && work.inline_events(&self.layout) <= INLINE_EVENTS
    }

    /// Plans a request; without partitions it is about what is missing.
    async fn planned(
        &self,
        request: &mut RunRequest,
        moment: DateTime<Utc>,
        checks: CheckSelection,
    ) -> Result<Plan, PlannerError> {
        let context = partition_context(&self.definitions, &self.state, moment).await?;
        renumber_changed(&self.definitions, &self.state, &context).await?;
        let unspecified = request.partitions.is_none();
        if unspecified {
            request.partitions = Some("missing".to_owned());
        }
        match self.attempt(request, moment, checks.clone()).await {
            // `missing` is about partitioned assets; a selection without any is run as it is.
            Err(PlanRunError::Plan(PlanError::NotPartitioned)) if unspecified => {
                request.partitions = None;
                Ok(self.attempt(request, moment, checks).await?)
            }
            planned => Ok(planned?),
        }
    }

    async fn attempt(
        &self,
        request: &RunRequest,
        moment: DateTime<Utc>,
        checks: CheckSelection,
    ) -> Result<Plan, PlanRunError> {
        let planned = plan_run(&self.definitions, &self.state, moment, request, checks).await?;
        Ok(planned.plan)
    }

    async fn create(
        &self,
        id: RunId,
        key: RunKey,
        request: RunRequest,
        plan: &Plan,
        created_at: DateTime<Utc>,
    ) -> Result<CreatedRun, PlannerError> {
        let run = NewRun {
            id,
            key: Some(key),
            request,
            plan: Some(summary(id, plan)),
            created_at,
        };
        Ok(self.state.create_run(run).await?)
    }

    /// Makes the execution the run's owner. Answers why there is nothing to do when another
    /// execution is, or the run has ended.
    async fn taken_by_another(
        &self,
        run: &Run,
        execution: &ExecutionRef,
    ) -> Result<Option<String>, PlannerError> {
        let owner = OwnerId(execution.id.clone());
        let now = self.clock.now();
        // An execution is never stale: it ends, or it is stopped.
        let claim = self
            .state
            .claim_run(run.id, owner, now, DateTime::<Utc>::MIN_UTC)
            .await?;
        if claim.is_changed() {
            return Ok(None);
        }
        let run = claim.run();
        Ok(Some(match &run.owner {
            Some(owner) => format!(
                "run {} was started already, by the execution {}",
                run.id, owner.id.0
            ),
            None => format!("run {} was started already: it {}", run.id, run.status),
        }))
    }

    fn nothing(&self, run: RunId, message: String) -> WaveDocument {
        WaveDocument {
            message: Some(message),
            ..self.empty(run, Mode::Nothing, 0, 0)
        }
    }
}

/// The key of the run of an execution: the one that was asked for, or else the execution's own.
pub(super) fn run_key(asked: Option<&str>, execution: &str) -> RunKey {
    match asked {
        Some(key) => RunKey::requested(key),
        None => RunKey::executed(execution),
    }
}

fn summary(run: RunId, plan: &Plan) -> PlanSummary {
    PlanSummary {
        items: plan.items(),
        waves: plan.waves(),
        assets: plan.assets(),
        pointer: Some(plan_key(run, 0)),
    }
}

fn nothing_to_do(request: &RunRequest) -> String {
    let asked = request.partitions.as_deref().unwrap_or_default();
    match asked.split(':').next() {
        Some("failed") => "nothing that was asked for failed",
        Some("missing") => {
            "nothing is missing: everything asked for is materialized; name partitions to make them \
             again, like \"partitions\": \"all\""
        }
        _ => "no partition that was asked for exists yet",
    }
    .to_owned()
}
