//! [`Executor`]: the loop that runs whatever can run.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

use precip_core::{
    partitions::PartitionSet,
    plan::{Held, Plan, Ready, Schedule, Step, StepId},
};
use precip_engine::{
    run::{
        ItemFailure, ItemOutcome, PlannedRun, RunEnd, RunEvent, RunItemError, RunSession, end_run,
        finished_in,
    },
    state::{OwnerId, SkipReason, Skipped, SlotHolder},
};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    ExecuteError, RunReport,
    heartbeat::{self, Beat},
    pools::{Pools, wait_for_slot},
};

/// How many items run at a time for each core, unless told otherwise.
const ITEMS_PER_CORE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);
/// How many records of what was not run are written at a time.
const SKIPS: usize = 256;

/// Runs plans in this process.
#[derive(Debug, Clone)]
pub struct Executor {
    owner: OwnerId,
    concurrency: NonZeroUsize,
}

/// How to stop a run on the way.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Begin nothing more, and wait for what is running.
    pub gently: CancellationToken,
    /// Do not wait either. What was committed stays; the rest runs when the run is resumed.
    pub at_once: CancellationToken,
}

impl Executor {
    /// An executor that runs four items at a time for each core of the machine: most of an item's
    /// time is waiting for disks and networks. `owner` names this process for ever: a run that it
    /// leaves behind is known to be nobody's.
    pub fn new(owner: OwnerId) -> Self {
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            owner,
            concurrency: cores.saturating_mul(ITEMS_PER_CORE),
        }
    }

    /// The same, running this many items at a time.
    #[must_use]
    pub fn with_concurrency(self, concurrency: NonZeroUsize) -> Self {
        Self {
            concurrency,
            ..self
        }
    }

    /// Runs a plan to its end. The run has to be on record
    /// ([`create_run`](precip_engine::run::create_run)).
    ///
    /// A partition runs as soon as everything in the plan that it is made from is there. What fails
    /// holds back what depends on it, and nothing else. How it ended goes on record.
    ///
    /// # Errors
    /// [`ExecuteError`] when the run could not be executed to its end; it can be resumed.
    pub async fn execute(
        &self,
        session: Arc<RunSession>,
        planned: &PlannedRun,
        stop: &Stop,
    ) -> Result<RunReport, ExecuteError> {
        let schedule = Schedule::new(session.lineage(), &planned.plan)?;
        heartbeat::claim(&session, &self.owner).await?;
        self.follow(session, &planned.plan, schedule, stop).await
    }

    /// Takes a run up again that was canceled, failed, or left behind by a process that ended: what
    /// it has published is not made again, everything else of the plan is.
    ///
    /// # Errors
    /// As for [`Self::execute`].
    pub async fn resume(
        &self,
        session: Arc<RunSession>,
        planned: &PlannedRun,
        stop: &Stop,
    ) -> Result<RunReport, ExecuteError> {
        let mut schedule = Schedule::new(session.lineage(), &planned.plan)?;
        heartbeat::claim(&session, &self.owner).await?;
        let state = &session.ports.state;
        let finished = finished_in(&session.definitions, state, planned, session.run).await?;
        for (step, partitions) in &finished {
            let nothing = PartitionSet::empty();
            schedule.settle(session.lineage(), *step, partitions, &nothing)?;
        }
        self.follow(session, &planned.plan, schedule, stop).await
    }

    async fn follow(
        &self,
        session: Arc<RunSession>,
        plan: &Plan,
        schedule: Schedule,
        stop: &Stop,
    ) -> Result<RunReport, ExecuteError> {
        let pools = Pools::new(&session, plan).await?;
        pools.give_back(&session).await?;
        let mut following = Following {
            session,
            plan,
            schedule,
            pools,
            items: JoinSet::new(),
            begun: BTreeMap::new(),
            failures: Vec::new(),
            skips: Vec::new(),
            materialized: 0,
            gently: stop.gently.clone(),
        };
        let started = Instant::now();
        let canceled = following.run(self, stop).await?;
        if stop.at_once.is_cancelled() {
            following.items.shutdown().await;
            following.pools.give_back(&following.session).await?;
        }
        following.write_skips().await?;
        let tally = following.schedule.tally();
        let end = if canceled && tally.left() + tally.held > 0 {
            RunEnd::Canceled
        } else if tally.failed > 0 {
            RunEnd::Failed {
                failed: tally.failed,
                held: tally.held,
            }
        } else {
            RunEnd::Succeeded
        };
        end_run(&following.session, end).await?;
        Ok(RunReport {
            end,
            tally,
            materialized: following.materialized,
            failures: following.failures,
            took: started.elapsed(),
        })
    }
}

/// A plan on its way.
struct Following<'a> {
    session: Arc<RunSession>,
    plan: &'a Plan,
    schedule: Schedule,
    pools: Pools,
    items: JoinSet<Answer>,
    begun: BTreeMap<Id, (Ready, Instant)>,
    failures: Vec<ItemFailure>,
    skips: Vec<Skipped>,
    materialized: u64,
    gently: CancellationToken,
}

/// What an item answers: nothing when the run was stopped before it began.
type Answer = Result<Option<ItemOutcome>, RunItemError>;

impl Following<'_> {
    /// Runs what can run until nothing can. Answers whether the run was stopped.
    async fn run(&mut self, executor: &Executor, stop: &Stop) -> Result<bool, ExecuteError> {
        let mut stopped = false;
        let mut pulse = tokio::time::interval(heartbeat::EVERY);
        pulse.reset();
        loop {
            while !stopped && self.items.len() < executor.concurrency.get() && self.begin_one()? {}
            if self.items.is_empty() {
                return Ok(stopped);
            }
            tokio::select! {
                biased;
                () = stop.at_once.cancelled() => {
                    self.items.abort_all();
                    return Ok(true);
                }
                () = stop.gently.cancelled(), if !stopped => {
                    stopped = true;
                    self.schedule.cancel();
                }
                _ = pulse.tick() => match heartbeat::beat(&self.session, &executor.owner).await? {
                    Beat::Ours => {}
                    Beat::Stop => stop.gently.cancel(),
                    Beat::Lost => {
                        self.items.abort_all();
                        return Err(ExecuteError::Taken { run: self.session.run });
                    }
                },
                Some(ended) = self.items.join_next_with_id() => self.end_one(ended).await?,
            }
        }
    }

    /// Begins something that can run. `false` when there is nothing right now.
    fn begin_one(&mut self) -> Result<bool, ExecuteError> {
        let (plan, pools) = (self.plan, &self.pools);
        let definitions = &self.session.definitions;
        let allowed = |id: StepId| pools.allows(definitions, &step_at(plan, id).op);
        let Some(ready) = self.schedule.next(self.session.lineage(), allowed)? else {
            return Ok(false);
        };
        let step = step_at(plan, ready.step);
        self.pools.began(&self.session.definitions, &step.op);
        self.session.ports.observer.observe(&RunEvent::Started {
            id: ready.step,
            step,
            partitions: &ready.partitions,
        });
        let item = item(
            Arc::clone(&self.session),
            step.clone(),
            ready.partitions.clone(),
            self.gently.clone(),
        );
        let task = self.items.spawn(item);
        self.begun.insert(task.id(), (ready, Instant::now()));
        Ok(true)
    }

    async fn end_one(
        &mut self,
        ended: Result<(Id, Answer), JoinError>,
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
            return Ok(());
        };
        let step = step_at(self.plan, ready.step);
        self.pools.ended(&self.session.definitions, &step.op);
        match answer? {
            None => self.schedule.give_up(ready.step, &ready.partitions),
            Some(outcome) => self.settle(&ready, step, outcome, began.elapsed()).await?,
        }
        Ok(())
    }

    async fn settle(
        &mut self,
        ready: &Ready,
        step: &Step,
        outcome: ItemOutcome,
        took: Duration,
    ) -> Result<(), ExecuteError> {
        let lineage = self.session.lineage();
        // What the op left out on purpose is made from nothing: it is settled with the rest.
        let held =
            self.schedule
                .settle(lineage, ready.step, &outcome.succeeded, &outcome.failed)?;
        self.materialized += u64::try_from(outcome.materialized.len()).unwrap_or(u64::MAX);
        let observer = &self.session.ports.observer;
        observer.observe(&RunEvent::Ended {
            id: ready.step,
            step,
            outcome: &outcome,
            took,
            tally: self.schedule.tally(),
        });
        for held in &held {
            observer.observe(&RunEvent::Held {
                id: held.step,
                step: step_at(self.plan, held.step),
                partitions: &held.partitions,
                tally: self.schedule.tally(),
            });
        }
        self.put_down(step, &held, &outcome.failures);
        let room = RunReport::MOST_FAILURES.saturating_sub(self.failures.len());
        self.failures
            .extend(outcome.failures.into_iter().take(room));
        if self.skips.len() >= SKIPS {
            self.write_skips().await?;
        }
        Ok(())
    }

    fn put_down(&mut self, step: &Step, held: &[Held], failures: &[ItemFailure]) {
        let Some(failure) = failures.first() else {
            return;
        };
        // What only checks and could not, holds back as if it had found something wrong.
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
            let assets = &step_at(self.plan, held.step).assets;
            self.skips.extend(assets.iter().map(|asset| Skipped {
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
                .persist(|| session.ports.state.skip(session.run, skips.clone()))
                .await?;
        }
        Ok(())
    }
}

fn step_at(plan: &Plan, id: StepId) -> &Step {
    &plan.stages[id.stage].steps[id.step]
}

/// Runs one item, within its pool.
async fn item(
    session: Arc<RunSession>,
    step: Step,
    partitions: PartitionSet,
    gently: CancellationToken,
) -> Answer {
    let pooled = session
        .definitions
        .op_named(&step.op)
        .filter(|op| op.spec.pool.is_some());
    let Some(op) = pooled else {
        return session.run_item(&step, &partitions).await.map(Some);
    };
    let first = partitions.first().unwrap_or_default();
    let holder = SlotHolder(format!("{}/{}/{first}", session.run, step.op));
    let slot = tokio::select! {
        () = gently.cancelled() => return Ok(None),
        slot = wait_for_slot(&session, op, holder) => slot?,
    };
    let answer = session.run_item(&step, &partitions).await;
    if let Some((pool, holder)) = slot {
        session
            .persist(|| session.ports.state.release(&pool, &holder))
            .await?;
    }
    answer.map(Some)
}
