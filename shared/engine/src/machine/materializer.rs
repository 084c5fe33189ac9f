//! [`Materializer`].

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use precip_core::{
    key::{AssetKey, CheckKey},
    machine::{Layout, LayoutStage, LayoutStep},
    partitions::PartitionSet,
    plan::{PlanError, Step},
};
use serde::Serialize;

use crate::{
    definitions::{Definitions, Environment, EnvironmentNeeds, OpenEnvironment},
    io::IoManager,
    machine::{
        MaterializeRequest, PlannerError, RunFiles, StepError, error::stale_plan, work::read_plan,
    },
    run::{ItemOutcome, PlannedRun, RunPorts, RunSession, WithheldPartitions, planned_partitions},
    run_id::RunId,
    settings::SettingReader,
    state::{SlotAnswer, SlotHolder, SlotRequest, UntriedPartitions},
};

/// The time left to the caller, counted from the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub Duration);

/// The time past the caller's deadline for which a pool's slot stays taken if the caller is killed.
const SLOT_MARGIN: Duration = Duration::from_secs(30);

/// Runs the steps of items: the materializer function.
pub struct Materializer {
    definitions: Arc<Definitions>,
    layout: Layout,
    ports: RunPorts,
    files: Arc<dyn RunFiles>,
    environment: Environment,
    settings: Arc<dyn SettingReader>,
    platform: Arc<dyn IoManager>,
    cache: Mutex<Cache>,
}

/// What a process reads and opens only once.
#[derive(Default)]
struct Cache {
    runs: BTreeMap<RunId, Arc<CachedRun>>,
    open: BTreeMap<String, OpenEnvironment>,
}

struct CachedRun {
    planned: PlannedRun,
    partitions: Arc<BTreeMap<AssetKey, PartitionSet>>,
}

/// Number of runs that a process caches.
const CACHED_RUNS: usize = 8;

/// The outcome of a step for an item.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StepReport {
    /// Number of published (asset, partition) pairs.
    pub materialized: usize,
    /// Number of failed partitions of the item.
    pub failed: u64,
    /// Number of partitions of the item that were held back.
    pub held: u64,
    /// Number of partitions of the item that there is nothing to make for.
    pub skipped: u64,
}

impl Materializer {
    /// Creates the materializer of a project in one of its environments. `platform` is the IO manager
    /// of assets that name none.
    ///
    /// # Errors
    /// [`PlanError::Cycle`] when the project's ops wait for each other.
    pub fn new(
        definitions: Arc<Definitions>,
        ports: RunPorts,
        files: Arc<dyn RunFiles>,
        environment: Environment,
        settings: Arc<dyn SettingReader>,
        platform: Arc<dyn IoManager>,
    ) -> Result<Self, PlanError> {
        Ok(Self {
            layout: Layout::from_graph(definitions.graph())?,
            definitions,
            ports,
            files,
            environment,
            settings,
            platform,
            cache: Mutex::default(),
        })
    }

    /// Makes one attempt at a step of an item; the machine retries. Partitions that were materialized
    /// by a concurrent or earlier invocation are not run again.
    ///
    /// # Errors
    /// [`StepError`], whose [name](StepError::name) the machine matches. A batch fails only if none
    /// of its partitions succeeded.
    pub async fn run_step(
        &self,
        request: &MaterializeRequest,
        deadline: Deadline,
    ) -> Result<StepReport, StepError> {
        // Before the step is looked up: it says why a step of an earlier deployment is gone.
        self.cached_run(request.run).await?;
        let (stage, layout_step) = self.find_step(request)?;
        let Some(partitions) = request.item.partitions_of(&request.step) else {
            return Err(stale_plan("step of this item", &request.step).into());
        };
        let step = requested_step(request, layout_step);
        let session = self.open_session(request.run, &step).await?;
        let session = session.with_unsettled(unsettled_upstream(stage, layout_step));
        let holder = SlotHolder(format!(
            "{}/{}/{}",
            request.run,
            step.op,
            partitions.first().unwrap_or_default()
        ));
        let slot = self.take_slot(&step, &holder, deadline).await?;
        let answer = self
            .try_once(request, &session, stage, &step, partitions, deadline)
            .await;
        // Released after a failed attempt too: the retry takes a slot again.
        if let Some(pool) = slot {
            let release = || self.ports.state.release_slot(&pool, &holder);
            session
                .with_state_retries(release)
                .await
                .map_err(PlannerError::from)?;
        }
        answer
    }

    /// Describes the partitions of a request, for logs.
    pub fn describe_partitions(&self, request: &MaterializeRequest) -> String {
        match &request.item.key {
            Some(key) if request.item.partitions.len() == 1 => key.to_string(),
            Some(key) => format!("{key} and {} more", request.item.partitions.len() - 1),
            None => String::new(),
        }
    }

    async fn try_once(
        &self,
        request: &MaterializeRequest,
        session: &RunSession,
        stage: &LayoutStage,
        step: &Step,
        partitions: &PartitionSet,
        deadline: Deadline,
    ) -> Result<StepReport, StepError> {
        let mut withheld = WithheldPartitions::default();
        // Elsewhere the machine itself leaves out the steps that follow a failed one.
        if stage.in_order || stage.batched || request.looped {
            withheld = session.withheld_partitions(step, partitions).await?;
        }
        let free = partitions - &withheld.all();
        let mut report = StepReport {
            held: withheld.held.len(),
            skipped: withheld.skipped.len(),
            ..StepReport::default()
        };
        let mut untried = withheld.untried;
        if free.is_empty() && report.held > 0 {
            self.record_untried(session, untried).await?;
            return Err(StepError::Held {
                message: format!(
                    "`{}` is held back: its upstream was planned in this run and is not published",
                    request.step
                ),
            });
        }
        if !free.is_empty() {
            let outcome = session
                .run_once(step, &free, request.retry, deadline.0)
                .await?;
            untried.extend(outcome.untried.iter().cloned());
            self.record_untried(session, untried).await?;
            report.add_outcome(outcome)?;
        } else {
            self.record_untried(session, untried).await?;
        }
        Ok(report)
    }

    /// Records the partitions that were not tried because they need something that is skipped: without
    /// a trace they would count as lost.
    async fn record_untried(
        &self,
        session: &RunSession,
        untried: Vec<UntriedPartitions>,
    ) -> Result<(), StepError> {
        if !untried.is_empty() {
            let record = || {
                self.ports
                    .state
                    .record_untried(session.run, untried.clone())
            };
            session
                .with_state_retries(record)
                .await
                .map_err(PlannerError::from)?;
        }
        Ok(())
    }

    /// Finds the stage and the step of a request in the layout.
    fn find_step(
        &self,
        request: &MaterializeRequest,
    ) -> Result<(&LayoutStage, &LayoutStep), PlannerError> {
        let stage = self.layout.stage_named(request.stage.as_str());
        let (_, stage) = stage.ok_or_else(|| stale_plan("stage", &request.stage))?;
        let step = stage.step_named(request.step.as_str());
        let (_, step) = step.ok_or_else(|| stale_plan("step", &request.step))?;
        Ok((stage, step))
    }

    async fn open_session(&self, run: RunId, step: &Step) -> Result<RunSession, StepError> {
        let cached = self.cached_run(run).await?;
        let open = self.open_environment(step).await?;
        let session = RunSession::new(
            Arc::clone(&self.definitions),
            self.ports.clone(),
            cached.planned.context.clone(),
            run,
            &cached.planned.plan,
            open,
        );
        Ok(session
            .resumed()
            .with_eventual_reads(Arc::clone(&cached.partitions)))
    }

    /// Returns the plan of a run, read once per process.
    async fn cached_run(&self, run: RunId) -> Result<Arc<CachedRun>, PlannerError> {
        if let Some(cached) = self.lock_cache().runs.get(&run) {
            return Ok(Arc::clone(cached));
        }
        // The lock is not held while the plan is read: two tasks may read it, with the same result.
        let stored = read_plan(self.files.as_ref(), run, 0).await?;
        // The item names its step and holds ordinals: a function that was deployed since may have
        // others, and would make what was not asked for.
        let planned = stored
            .check_current(&self.definitions, &self.layout, &self.ports.state)
            .await?;
        let cached = Arc::new(CachedRun {
            partitions: Arc::new(planned_partitions(&planned.plan)),
            planned,
        });
        let mut cache = self.lock_cache();
        if cache.runs.len() >= CACHED_RUNS {
            // The oldest run is the least likely to be needed again.
            cache.runs.pop_first();
        }
        cache.runs.insert(run, Arc::clone(&cached));
        Ok(cached)
    }

    /// Returns the part of the environment that an op uses, opened once per process.
    async fn open_environment(&self, step: &Step) -> Result<OpenEnvironment, StepError> {
        if let Some(open) = self.lock_cache().open.get(&step.op) {
            return Ok(open.clone());
        }
        let needs = self.environment_needs(step)?;
        let platform = Some(Arc::clone(&self.platform));
        let open = self
            .environment
            .open(&needs, self.settings.as_ref(), platform)
            .await?;
        self.lock_cache().open.insert(step.op.clone(), open.clone());
        Ok(open)
    }

    fn environment_needs(&self, step: &Step) -> Result<EnvironmentNeeds, PlannerError> {
        let found = self.definitions.op_named(&step.op);
        let op = found.ok_or_else(|| stale_plan("op", &step.op))?;
        let mut wanted = EnvironmentNeeds::default();
        wanted.add_op_with_inputs(op, self.definitions.graph());
        Ok(wanted)
    }

    fn lock_cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot of an op's pool. Returns the pool if a slot was taken and must be released.
    async fn take_slot(
        &self,
        step: &Step,
        holder: &SlotHolder,
        deadline: Deadline,
    ) -> Result<Option<String>, StepError> {
        let op = self.definitions.op_named(&step.op);
        let Some(pool) = op.and_then(|op| op.spec.pool.clone()) else {
            return Ok(None);
        };
        // The slot expires by itself: a killed invocation cannot release it.
        let now = self.ports.clock.now();
        let lifetime = chrono::TimeDelta::from_std(deadline.0 + SLOT_MARGIN)
            .unwrap_or(chrono::TimeDelta::minutes(20));
        let request = SlotRequest {
            pool: pool.clone(),
            holder: holder.clone(),
            now,
            expires_at: now + lifetime,
        };
        let answer = self.ports.state.acquire_slot(request).await;
        match answer.map_err(PlannerError::from)? {
            SlotAnswer::Granted => Ok(Some(pool)),
            SlotAnswer::Unlimited => Ok(None),
            SlotAnswer::Full { limit, .. } => Err(StepError::PoolFull { pool, limit }),
        }
    }
}

/// Returns the part of a layout's step that a request asks for.
fn requested_step(request: &MaterializeRequest, layout_step: &LayoutStep) -> Step {
    let taken = request.item.steps.get(&request.step);
    let part = taken.and_then(|taken| taken.part.clone());
    let (assets, checks): (Vec<AssetKey>, Vec<CheckKey>) = match part {
        Some(part) => (part.assets, part.checks),
        None => (layout_step.assets.clone(), layout_step.checks.clone()),
    };
    Step {
        op: layout_step.op.clone(),
        assets,
        checks,
        after: Vec::new(),
    }
}

/// Returns the assets that may be upstream of a step without a settled wave in between: those of the
/// steps before it in its stage, and its own.
fn unsettled_upstream(stage: &LayoutStage, step: &LayoutStep) -> Vec<AssetKey> {
    let before = step.after.iter().map(|index| &stage.steps[*index]);
    let all = before.chain(std::iter::once(step));
    all.flat_map(|step| step.assets.iter().cloned()).collect()
}

impl StepReport {
    /// Adds the outcome of an attempt.
    ///
    /// # Errors
    /// The first failure, if no partition of the item succeeded.
    fn add_outcome(&mut self, outcome: ItemOutcome) -> Result<(), StepError> {
        if let Some(again) = outcome.retry_cause {
            return Err(StepError::Failed {
                kind: again.kind(),
                message: again.message().to_owned(),
            });
        }
        if outcome.succeeded.is_empty()
            && let Some(first) = outcome.failures.first()
        {
            let message = first.message.clone();
            return Err(if first.checks.is_empty() {
                StepError::Failed {
                    kind: first.kind,
                    message,
                }
            } else {
                StepError::CheckFailed { message }
            });
        }
        self.materialized += outcome.materialized.len();
        self.failed += outcome.failed.len();
        self.skipped += outcome.skipped.len();
        Ok(())
    }
}

impl fmt::Debug for Materializer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Materializer")
            .field("ports", &self.ports)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}
