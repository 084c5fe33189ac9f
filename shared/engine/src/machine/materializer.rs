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
    definitions::{Definitions, Environment, OpenEnvironment, Wanted},
    io::IoManager,
    machine::{MaterializeRequest, PlannerError, RunFiles, StepError, work::read_plan},
    run::{ItemOutcome, PlannedRun, RunPorts, RunSession, partition_context, planned_partitions},
    run_id::RunId,
    settings::SettingReader,
    state::{SlotAnswer, SlotHolder, SlotRequest},
};

/// How long a caller lives, counted from the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub Duration);

/// How long past its caller's end a slot of a pool stays taken, if the caller is killed.
const SLOT_MARGIN: Duration = Duration::from_secs(30);

/// Runs steps of items: what the materializer function does.
pub struct Materializer {
    definitions: Arc<Definitions>,
    layout: Layout,
    ports: RunPorts,
    files: Arc<dyn RunFiles>,
    environment: Environment,
    settings: Arc<dyn SettingReader>,
    platform: Arc<dyn IoManager>,
    known: Mutex<Known>,
}

/// What one process finds out once.
#[derive(Default)]
struct Known {
    runs: BTreeMap<RunId, Arc<KnownRun>>,
    open: BTreeMap<String, OpenEnvironment>,
}

struct KnownRun {
    planned: PlannedRun,
    makes: Arc<BTreeMap<AssetKey, PartitionSet>>,
}

/// How many runs one process remembers.
const RUNS_KNOWN: usize = 8;

/// What a step came to for an item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReport {
    /// How many (asset, partition) pairs were published.
    pub materialized: usize,
    /// How many partitions of a batch failed.
    pub failed: u64,
    /// How many partitions of a batch were not tried, since what they are made from failed.
    pub held: u64,
}

impl Materializer {
    /// A materializer of a project, in one of its environments. `platform` is the IO manager of
    /// assets that name none.
    ///
    /// # Errors
    /// [`PlanError::Circle`] when the project's ops wait for each other.
    pub fn new(
        definitions: Arc<Definitions>,
        ports: RunPorts,
        files: Arc<dyn RunFiles>,
        environment: Environment,
        settings: Arc<dyn SettingReader>,
        platform: Arc<dyn IoManager>,
    ) -> Result<Self, PlanError> {
        Ok(Self {
            layout: Layout::of(definitions.graph())?,
            definitions,
            ports,
            files,
            environment,
            settings,
            platform,
            known: Mutex::default(),
        })
    }

    /// Runs one step of one item, once: the machine tries again. What was made before, by this
    /// invocation's twin or a retry that came late, is not made again.
    ///
    /// # Errors
    /// [`StepError`]; its [name](StepError::name) is what the machine matches. A batch fails only if
    /// none of its partitions succeeded.
    pub async fn run(
        &self,
        request: &MaterializeRequest,
        deadline: Deadline,
    ) -> Result<StepReport, StepError> {
        let (stage, laid_out) = self.place(request)?;
        let Some(partitions) = request.item.partitions_of(&request.step) else {
            return Err(self.stale("step of this item", &request.step).into());
        };
        let step = self.step(request, laid_out);
        let session = self.session(request.run, &step).await?;
        let holder = SlotHolder(format!(
            "{}/{}/{}",
            request.run,
            step.op,
            partitions.first().unwrap_or_default()
        ));
        let slot = self.take_slot(&step, &holder, deadline).await?;
        let answer = self
            .try_once(
                request, &session, stage, laid_out, &step, partitions, deadline,
            )
            .await;
        if let Some(pool) = slot {
            let release = || self.ports.state.release(&pool, &holder);
            session.persist(release).await.map_err(PlannerError::from)?;
        }
        answer
    }

    /// The partitions that a request is about, for logs.
    pub fn targets(&self, request: &MaterializeRequest) -> String {
        match &request.item.key {
            Some(key) if request.item.partitions.len() == 1 => key.to_string(),
            Some(key) => format!("{key} and {} more", request.item.partitions.len() - 1),
            None => String::new(),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one request, read once"
    )]
    async fn try_once(
        &self,
        request: &MaterializeRequest,
        session: &RunSession,
        stage: &LayoutStage,
        laid_out: &LayoutStep,
        step: &Step,
        partitions: &PartitionSet,
        deadline: Deadline,
    ) -> Result<StepReport, StepError> {
        let mut free = partitions.clone();
        if stage.in_order || stage.batched || request.looped {
            let held = session
                .held(step, partitions, &nearby(stage, laid_out))
                .await?;
            free -= &held;
            if free.is_empty() {
                return Err(StepError::Held {
                    message: format!(
                        "`{}` is made from something that this run was to make and did not",
                        request.step
                    ),
                });
            }
        }
        let outcome = session
            .run_once(step, &free, request.retry, deadline.0)
            .await?;
        report(outcome, partitions.len() - free.len())
    }

    fn place(
        &self,
        request: &MaterializeRequest,
    ) -> Result<(&LayoutStage, &LayoutStep), PlannerError> {
        let stage = self.layout.stage(request.stage.as_str());
        let (_, stage) = stage.ok_or_else(|| self.stale("stage", &request.stage))?;
        let step = stage.step(request.step.as_str());
        let (_, step) = step.ok_or_else(|| self.stale("step", &request.step))?;
        Ok((stage, step))
    }

    fn stale(&self, what: &'static str, name: &dyn fmt::Display) -> PlannerError {
        PlannerError::Stale(PlanError::Stale {
            what,
            name: name.to_string(),
        })
    }

    /// The part of a step of the layout that is wanted.
    fn step(&self, request: &MaterializeRequest, laid_out: &LayoutStep) -> Step {
        let taken = request.item.steps.get(&request.step);
        let part = taken.and_then(|taken| taken.part.clone());
        let (assets, checks): (Vec<AssetKey>, Vec<CheckKey>) = match part {
            Some(part) => (part.assets, part.checks),
            None => (laid_out.assets.clone(), laid_out.checks.clone()),
        };
        Step {
            op: laid_out.op.clone(),
            assets,
            checks,
            after: Vec::new(),
        }
    }

    async fn session(&self, run: RunId, step: &Step) -> Result<RunSession, StepError> {
        let known = self.run_known(run).await?;
        let open = self.open(step).await?;
        let session = RunSession::new(
            Arc::clone(&self.definitions),
            self.ports.clone(),
            known.planned.context.clone(),
            run,
            &known.planned.plan,
            open,
        );
        Ok(session.repeated().lagging(Arc::clone(&known.makes)))
    }

    /// What is known of a run, read once a process.
    async fn run_known(&self, run: RunId) -> Result<Arc<KnownRun>, PlannerError> {
        if let Some(known) = self.known().runs.get(&run) {
            return Ok(Arc::clone(known));
        }
        let plan = read_plan(self.files.as_ref(), run, 0).await?;
        let context = partition_context(&self.definitions, &self.ports.state, plan.at).await?;
        let known = Arc::new(KnownRun {
            makes: Arc::new(planned_partitions(&plan)),
            planned: PlannedRun { plan, context },
        });
        let mut all = self.known();
        if all.runs.len() >= RUNS_KNOWN {
            // The oldest run is the least likely to come again.
            all.runs.pop_first();
        }
        all.runs.insert(run, Arc::clone(&known));
        Ok(known)
    }

    /// What an op uses of the environment, made once a process.
    async fn open(&self, step: &Step) -> Result<OpenEnvironment, StepError> {
        if let Some(open) = self.known().open.get(&step.op) {
            return Ok(open.clone());
        }
        let wanted = self.wanted(step)?;
        let platform = Some(Arc::clone(&self.platform));
        let open = self
            .environment
            .open(&wanted, self.settings.as_ref(), platform)
            .await?;
        self.known().open.insert(step.op.clone(), open.clone());
        Ok(open)
    }

    fn wanted(&self, step: &Step) -> Result<Wanted, PlannerError> {
        let op = self.definitions.op_named(&step.op);
        let op = op.ok_or_else(|| self.stale("op", &step.op))?;
        let mut wanted = Wanted::default();
        wanted.add_with_inputs(op, self.definitions.graph());
        Ok(wanted)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot of an op's pool. Answers the pool, if a slot was taken and has to be given back.
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
        let now = self.ports.clock.now();
        let lives = chrono::TimeDelta::from_std(deadline.0 + SLOT_MARGIN)
            .unwrap_or(chrono::TimeDelta::minutes(20));
        let request = SlotRequest {
            pool: pool.clone(),
            holder: holder.clone(),
            now,
            expires_at: now + lives,
        };
        let answer = self.ports.state.acquire(request).await;
        match answer.map_err(PlannerError::from)? {
            SlotAnswer::Granted => Ok(Some(pool)),
            SlotAnswer::Unlimited => Ok(None),
            SlotAnswer::Full { limit, .. } => Err(StepError::PoolFull { pool, limit }),
        }
    }
}

/// The assets that a step may be made from without a settled wave in between: those of the steps
/// before it in its stage, and its own.
fn nearby(stage: &LayoutStage, step: &LayoutStep) -> Vec<AssetKey> {
    let before = step.after.iter().map(|place| &stage.steps[*place]);
    let all = before.chain(std::iter::once(step));
    all.flat_map(|step| step.assets.iter().cloned()).collect()
}

fn report(outcome: ItemOutcome, held: u64) -> Result<StepReport, StepError> {
    if let Some(again) = outcome.again {
        return Err(StepError::Failed {
            kind: again.kind(),
            message: again.message().to_owned(),
        });
    }
    if outcome.succeeded.is_empty()
        && let Some(first) = outcome.failures.first()
    {
        let message = first.message.clone();
        return Err(match first.checks.is_empty() {
            true => StepError::Failed {
                kind: first.kind,
                message,
            },
            false => StepError::CheckFailed { message },
        });
    }
    Ok(StepReport {
        materialized: outcome.materialized.len(),
        failed: outcome.failed.len(),
        held,
    })
}

impl fmt::Debug for Materializer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Materializer")
            .field("ports", &self.ports)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}
