//! [`Executor`]: the loop that runs the items of a plan as they become ready.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

use precip_core::{
    partitions::PartitionSet,
    plan::{Frontier, HeldBack, Plan, Ready, Step, StepId},
};
use precip_engine::{
    run::{
        ItemFailure, ItemOutcome, PlannedRun, RunEnd, RunEvent, RunItemError, RunSession, end_run,
        finished_partitions, step_at,
    },
    state::{OwnerId, SkipReason, SkippedPartitions, SlotHolder},
};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    ExecuteError, RunReport,
    heartbeat::{self, Ownership},
    pools::{Pools, wait_for_slot},
};

/// The default number of concurrent items per core.
const ITEMS_PER_CORE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);
/// Number of skip records that are written together.
const SKIPS_PER_WRITE: usize = 256;

/// An executor of plans in this process.
#[derive(Debug, Clone)]
pub struct Executor {
    owner: OwnerId,
    concurrency: NonZeroUsize,
}

/// Requests to stop a run before its end.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Cancel to begin nothing more, and wait for the running items.
    pub gently: CancellationToken,
    /// Cancel to abort the running items as well. Committed partitions stay; resuming the run does
    /// the rest.
    pub at_once: CancellationToken,
}

impl Executor {
    /// Creates an executor that runs four items at a time for each core of the machine: most of an
    /// item's time is spent waiting for disks and networks. `owner` identifies this process uniquely,
    /// so that a run it leaves behind is recognized as interrupted.
    pub fn new(owner: OwnerId) -> Self {
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            owner,
            concurrency: cores.saturating_mul(ITEMS_PER_CORE),
        }
    }

    /// Sets the number of items that run at a time.
    #[must_use]
    pub fn with_concurrency(self, concurrency: NonZeroUsize) -> Self {
        Self {
            concurrency,
            ..self
        }
    }

    /// Runs a plan to its end. The run must have been recorded by
    /// [`create_run`](precip_engine::run::create_run).
    ///
    /// A partition runs as soon as the planned partitions that it depends on are done. A failure holds
    /// back what depends on it, and nothing else. The end of the run is recorded.
    ///
    /// # Errors
    /// [`ExecuteError`] when the run could not be executed to its end; it can be resumed.
    pub async fn execute_run(
        &self,
        session: Arc<RunSession>,
        planned: &PlannedRun,
        stop: &Stop,
    ) -> Result<RunReport, ExecuteError> {
        let frontier = Frontier::new(session.lineage(), &planned.plan)?;
        heartbeat::claim_run(&session, &self.owner).await?;
        self.run_plan(session, &planned.plan, frontier, stop).await
    }

    /// Resumes a run that was canceled, failed, or was interrupted by the end of its process: the
    /// partitions it has published are not made again, everything else in the plan is.
    ///
    /// # Errors
    /// As for [`Self::execute_run`].
    pub async fn resume_run(
        &self,
        session: Arc<RunSession>,
        planned: &PlannedRun,
        stop: &Stop,
    ) -> Result<RunReport, ExecuteError> {
        let mut frontier = Frontier::new(session.lineage(), &planned.plan)?;
        // The claim comes before anything is read: from then on no other process changes the run.
        heartbeat::claim_run(&session, &self.owner).await?;
        let state = &session.ports.state;
        let finished =
            finished_partitions(&session.definitions, state, planned, session.run).await?;
        // Published steps count as done from the start, so the frontier begins after them.
        for (step, partitions) in &finished {
            let nothing = PartitionSet::empty();
            frontier.record_outcome(session.lineage(), *step, partitions, &nothing)?;
        }
        self.run_plan(session, &planned.plan, frontier, stop).await
    }

    async fn run_plan(
        &self,
        session: Arc<RunSession>,
        plan: &Plan,
        frontier: Frontier,
        stop: &Stop,
    ) -> Result<RunReport, ExecuteError> {
        let pools = Pools::new(&session, plan).await?;
        pools.release_leftover_slots(&session).await?;
        let mut running = RunningPlan {
            session,
            plan,
            frontier,
            pools,
            items: JoinSet::new(),
            begun: BTreeMap::new(),
            failures: Vec::new(),
            skips: Vec::new(),
            materialized: 0,
            gently: stop.gently.clone(),
        };
        let started = Instant::now();
        let canceled = running.run_items(self, stop).await?;
        if stop.at_once.is_cancelled() {
            // Aborted items could not release their slots themselves.
            running.items.shutdown().await;
            running
                .pools
                .release_leftover_slots(&running.session)
                .await?;
        }
        running.write_skips().await?;
        // A run that was stopped after its last item has ended as it would have anyway.
        let tally = running.frontier.tally();
        let end = if canceled && tally.open_count() + tally.held > 0 {
            RunEnd::Canceled
        } else if tally.failed > 0 {
            RunEnd::Failed {
                failed: tally.failed,
                held: tally.held,
            }
        } else {
            RunEnd::Succeeded
        };
        end_run(&running.session, end).await?;
        Ok(RunReport {
            end,
            tally,
            materialized: running.materialized,
            failures: running.failures,
            elapsed: started.elapsed(),
        })
    }
}

/// A plan that is being executed.
struct RunningPlan<'a> {
    session: Arc<RunSession>,
    plan: &'a Plan,
    frontier: Frontier,
    pools: Pools,
    items: JoinSet<ItemResult>,
    begun: BTreeMap<Id, (Ready, Instant)>,
    failures: Vec<ItemFailure>,
    skips: Vec<SkippedPartitions>,
    materialized: u64,
    gently: CancellationToken,
}

/// The result of an item: `None` if the run was stopped before the item began.
type ItemResult = Result<Option<ItemOutcome>, RunItemError>;

impl RunningPlan<'_> {
    /// Runs ready items until none are left. Returns `true` if the run was stopped.
    async fn run_items(&mut self, executor: &Executor, stop: &Stop) -> Result<bool, ExecuteError> {
        let mut stopped = false;
        let mut pulse = tokio::time::interval(heartbeat::INTERVAL);
        pulse.reset();
        loop {
            while !stopped && self.items.len() < executor.concurrency.get() && self.begin_one()? {}
            // Nothing runs and nothing could be begun: every item is done or held back.
            if self.items.is_empty() {
                return Ok(stopped);
            }
            tokio::select! {
                biased;
                // The order matters: a stop comes before more work, and the heartbeat before results,
                // so that a flood of short items does not make the run look abandoned.
                () = stop.at_once.cancelled() => {
                    self.items.abort_all();
                    return Ok(true);
                }
                () = stop.gently.cancelled(), if !stopped => {
                // The guard keeps a stop that was handled from winning every further turn.
                    stopped = true;
                    self.frontier.cancel_remaining();
                }
                _ = pulse.tick() => match heartbeat::send_heartbeat(&self.session, &executor.owner).await? {
                    Ownership::Kept => {}
                    Ownership::StopRequested => stop.gently.cancel(),
                    Ownership::Lost => {
                    // Aborted at once: the new owner may run the same items.
                        self.items.abort_all();
                        return Err(ExecuteError::Taken { run: self.session.run });
                    }
                },
                Some(ended) = self.items.join_next_with_id() => self.end_one(ended).await?,
            }
        }
    }

    /// Begins a ready item. Returns `false` if there is none right now.
    fn begin_one(&mut self) -> Result<bool, ExecuteError> {
        let (plan, pools) = (self.plan, &self.pools);
        let definitions = &self.session.definitions;
        let allowed = |id: StepId| pools.may_begin(definitions, &step_at(plan, id).op);
        let Some(ready) = self.frontier.take_ready(self.session.lineage(), allowed)? else {
            return Ok(false);
        };
        let step = step_at(plan, ready.step);
        self.pools.count_begun(&self.session.definitions, &step.op);
        self.session.ports.observer.on_event(&RunEvent::Started {
            id: ready.step,
            step,
            partitions: &ready.partitions,
        });
        let item = run_pooled_item(
            Arc::clone(&self.session),
            step.clone(),
            ready.partitions.clone(),
            self.gently.clone(),
        );
        let task = self.items.spawn(item);
        self.begun.insert(task.id(), (ready, Instant::now()));
        Ok(true)
    }

    /// Processes the result of an item's task.
    async fn end_one(
        &mut self,
        ended: Result<(Id, ItemResult), JoinError>,
    ) -> Result<(), ExecuteError> {
        let (id, answer) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                return Err(ExecuteError::Lost {
                    run: self.session.run,
                    reason: error.to_string(),
                });
            }
        };
        let Some((ready, began)) = self.begun.remove(&id) else {
            // Every task is entered when it is spawned, so this does not occur.
            return Ok(());
        };
        let step = step_at(self.plan, ready.step);
        self.pools.count_ended(&self.session.definitions, &step.op);
        match answer? {
            None => self
                .frontier
                .abandon_partitions(ready.step, &ready.partitions),
            Some(outcome) => {
                self.record_outcome(&ready, step, outcome, began.elapsed())
                    .await?
            }
        }
        Ok(())
    }

    async fn record_outcome(
        &mut self,
        ready: &Ready,
        step: &Step,
        outcome: ItemOutcome,
        took: Duration,
    ) -> Result<(), ExecuteError> {
        let lineage = self.session.lineage();
        // Partitions that the op deliberately left out are done as well: what depends on them may run.
        let held = self.frontier.record_outcome(
            lineage,
            ready.step,
            &outcome.succeeded,
            &outcome.failed,
        )?;
        self.materialized += u64::try_from(outcome.materialized.len()).unwrap_or(u64::MAX);
        // The observer gets outcome and counts before the list of failures is cut.
        let observer = &self.session.ports.observer;
        observer.on_event(&RunEvent::Ended {
            id: ready.step,
            step,
            outcome: &outcome,
            took,
            tally: self.frontier.tally(),
        });
        for held in &held {
            observer.on_event(&RunEvent::Held {
                id: held.step,
                step: step_at(self.plan, held.step),
                partitions: &held.partitions,
                tally: self.frontier.tally(),
            });
        }
        self.note_skips(step, &held, &outcome.failures);
        // Failures beyond the limit are only recorded.
        let room = RunReport::MAX_FAILURES.saturating_sub(self.failures.len());
        self.failures
            .extend(outcome.failures.into_iter().take(room));
        if self.skips.len() >= SKIPS_PER_WRITE {
            self.write_skips().await?;
        }
        Ok(())
    }

    /// Notes partitions that were held back by a failure, as skips to be recorded.
    fn note_skips(&mut self, step: &Step, held: &[HeldBack], failures: &[ItemFailure]) {
        let Some(failure) = failures.first() else {
            return;
        };
        // An op that only checks holds back what depends on it when it fails, as a failed check would.
        let own = step.checks.first().filter(|_| step.assets.is_empty());
        let reason = match failure.checks.first().or(own) {
            Some(check) => SkipReason::CheckFailed {
                check: check.clone(),
            },
            None => SkipReason::UpstreamFailed {
                asset: failure.target.asset.clone(),
                partition: failure.target.partition.clone(),
            },
        };
        for held in held {
            // A step that only checks has no assets, and leaves no skips.
            let assets = &step_at(self.plan, held.step).assets;
            self.skips
                .extend(assets.iter().map(|asset| SkippedPartitions {
                    asset: asset.clone(),
                    partitions: held.partitions.clone(),
                    reason: reason.clone(),
                }));
        }
    }

    async fn write_skips(&mut self) -> Result<(), ExecuteError> {
        let skips = std::mem::take(&mut self.skips);
        if !skips.is_empty() {
            let session = &self.session;
            session
                .with_state_retries(|| session.ports.state.record_skips(session.run, skips.clone()))
                .await?;
        }
        Ok(())
    }
}

/// Runs one item, with a slot of its pool if it has one.
async fn run_pooled_item(
    session: Arc<RunSession>,
    step: Step,
    partitions: PartitionSet,
    gently: CancellationToken,
) -> ItemResult {
    let pooled = session
        // Limits are per op, so an item needs one slot, whatever the number of its partitions.
        .definitions
        .op_named(&step.op)
        .filter(|op| op.spec.pool.is_some());
    let Some(op) = pooled else {
        return session.run_item(&step, &partitions).await.map(Some);
    };
    let first = partitions.first().unwrap_or_default();
    let holder = SlotHolder(format!("{}/{}/{first}", session.run, step.op));
    // Only the wait for a slot can be canceled: an item that has begun runs to its end.
    let slot = tokio::select! {
        () = gently.cancelled() => return Ok(None),
        slot = wait_for_slot(&session, op, holder) => slot?,
    };
    let answer = session.run_item(&step, &partitions).await;
    if let Some((pool, holder)) = slot {
        session
            .with_state_retries(|| session.ports.state.release_slot(&pool, &holder))
            .await?;
    }
    answer.map(Some)
}
