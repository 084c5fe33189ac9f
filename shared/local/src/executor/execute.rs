//! [`Executor`]: the loop that runs the items of a plan as they become ready.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

use precip_core::{
    partitions::PartitionSet,
    plan::{Frontier, LossCause, Plan, Ready, Step, StepId, Withheld},
};
use precip_engine::{
    run::{
        ItemFailure, ItemOutcome, PlannedRun, RunEnd, RunEvent, RunItemError, RunSession, end_run,
        finished_partitions, step_at,
    },
    state::{OwnerId, SlotHolder, UntriedPartitions, UntriedReason},
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
/// Number of records of partitions that are not tried, which are written together.
const UNTRIED_PER_WRITE: usize = 256;

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
        self.run_plan(session, &planned.plan, frontier, &[], stop)
            .await
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
        let mut withheld = Vec::new();
        for (step, outcome) in &finished {
            withheld.extend(frontier.record_outcome(session.lineage(), *step, outcome)?);
        }
        self.run_plan(session, &planned.plan, frontier, &withheld, stop)
            .await
    }

    async fn run_plan(
        &self,
        session: Arc<RunSession>,
        plan: &Plan,
        frontier: Frontier,
        withheld: &[Withheld],
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
            untried: Vec::new(),
            materialized: 0,
            skipped: 0,
            gently: stop.gently.clone(),
        };
        // What earlier skips pass over may not be on record yet.
        for withheld in withheld {
            running.note_withheld(None, withheld, &[]);
        }
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
        running.write_untried().await?;
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
            skipped: running.skipped,
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
    untried: Vec<UntriedPartitions>,
    materialized: u64,
    skipped: u64,
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
        let withheld =
            self.frontier
                .record_outcome(lineage, ready.step, &outcome.step_outcome(step))?;
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        self.materialized += count(outcome.materialized.len());
        self.skipped += count(outcome.nothing_made.len());
        // The observer gets outcome and counts before the list of failures is cut.
        let observer = &self.session.ports.observer;
        observer.on_event(&RunEvent::Ended {
            id: ready.step,
            step,
            outcome: &outcome,
            took,
            tally: self.frontier.tally(),
        });
        for withheld in &withheld {
            observer.on_event(&RunEvent::Withheld {
                id: withheld.step,
                step: step_at(self.plan, withheld.step),
                partitions: &withheld.partitions,
                cause: withheld.cause,
                tally: self.frontier.tally(),
            });
        }
        self.note_untried(outcome.untried);
        for withheld in &withheld {
            self.note_withheld(Some(step), withheld, &outcome.failures);
        }
        // Failures beyond the limit are only recorded.
        let room = RunReport::MAX_FAILURES.saturating_sub(self.failures.len());
        self.failures
            .extend(outcome.failures.into_iter().take(room));
        if self.untried.len() >= UNTRIED_PER_WRITE {
            self.write_untried().await?;
        }
        Ok(())
    }

    /// Notes partitions that are not tried, to be recorded.
    fn note_untried(&mut self, untried: Vec<UntriedPartitions>) {
        let skipped = untried.iter().filter(|other| other.reason.is_skip());
        self.skipped += skipped.map(|other| other.partitions.len()).sum::<u64>();
        self.untried.extend(untried);
    }

    /// Notes partitions that are withheld, given the step that has ended and its failures.
    fn note_withheld(
        &mut self,
        step: Option<&Step>,
        withheld: &Withheld,
        failures: &[ItemFailure],
    ) {
        let reason = self.reason_of(step, withheld, failures);
        // A step that only checks has no assets, and leaves no record.
        let assets = &step_at(self.plan, withheld.step).assets;
        let untried = assets.iter().map(|asset| UntriedPartitions {
            asset: asset.clone(),
            partitions: withheld.partitions.clone(),
            reason: reason.clone(),
        });
        self.note_untried(untried.collect());
    }

    /// Returns the reason why partitions are withheld.
    fn reason_of(
        &self,
        step: Option<&Step>,
        withheld: &Withheld,
        failures: &[ItemFailure],
    ) -> UntriedReason {
        let source = withheld.source.as_ref();
        let partition =
            source.and_then(|(asset, ordinal)| self.session.partition_key(asset, *ordinal));
        if let (LossCause::Skipped, Some((asset, _))) = (withheld.cause, source) {
            return UntriedReason::UpstreamSkipped {
                asset: asset.clone(),
                partition,
            };
        }
        let failure = failures.iter().find(|failure| {
            let target = &failure.target;
            source.is_some_and(|(asset, ordinal)| {
                (&target.asset, target.ordinal) == (asset, *ordinal)
            })
        });
        // An op that only checks holds back what depends on it when it fails, as a failed check would.
        let only_checks = step.filter(|step| step.assets.is_empty());
        let own = only_checks.and_then(|step| step.checks.first());
        let check = failure.and_then(|failure| failure.checks.first());
        match (check.or(own), source) {
            (Some(check), _) => UntriedReason::CheckFailed {
                check: check.clone(),
            },
            (None, Some((asset, _))) => UntriedReason::UpstreamFailed {
                asset: asset.clone(),
                partition,
            },
            (None, None) => UntriedReason::Canceled,
        }
    }

    async fn write_untried(&mut self) -> Result<(), ExecuteError> {
        let untried = std::mem::take(&mut self.untried);
        if !untried.is_empty() {
            let session = &self.session;
            let record = || {
                session
                    .ports
                    .state
                    .record_untried(session.run, untried.clone())
            };
            session.with_state_retries(record).await?;
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
