//! The port: [`StateStore`] and its parts.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{
    key::{AssetKey, CheckKey},
    partitions::{DynamicKeys, PartitionKey, PartitionSet},
};

use crate::{
    run_id::RunId,
    state::{
        Advance, Advanced, AttemptStart, CheckEvaluation, CreatedRun, Event, Failure,
        FailureRecorded, Finished, Latest, Materialization, NewRun, OwnerId, Page, PageRequest,
        PartitionRef, PartitionStatuses, PlanSummary, PoolState, ReadConsistency, Run, RunChange,
        RunChanged, RunFilter, RunMade, RunProgress, Sequence, Skipped, SlotAnswer, SlotHolder,
        SlotRequest, StateError, Tick, TriggerId, TriggerState, Updates,
    },
};

/// The answer of every call of the port.
///
/// # Errors
/// [`StateError::kind`] says what to do. Every call may be repeated: repeating one that did its work
/// although its answer was lost does no harm.
pub type StateResult<T> = Result<T, StateError>;

/// Answers the ordinal of a partition key (`None` for an unpartitioned asset's one partition) in a
/// definition; `None` for a key that the definition does not have.
pub type OrdinalOf<'a> =
    dyn for<'key> Fn(Option<&'key PartitionKey>) -> Option<u64> + Send + Sync + 'a;

/// The record of runs.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Creates a run, unless there is one of the same key or the same id: then answers that one.
    async fn create_run(&self, run: NewRun) -> StateResult<CreatedRun>;

    /// A run; `None` when there is none of this id.
    async fn run(&self, run: RunId) -> StateResult<Option<Run>>;

    /// The run that was created for a key.
    async fn run_of_key(&self, key: &crate::state::RunKey) -> StateResult<Option<Run>>;

    /// Runs, newest (greatest id) first.
    async fn runs(&self, filter: &RunFilter, page: &PageRequest) -> StateResult<Page<Run>>;

    /// Puts down how large the plan is and where it is kept.
    ///
    /// # Errors
    /// `NotFound` for a run that is not there.
    async fn set_plan(&self, run: RunId, plan: PlanSummary) -> StateResult<()>;

    /// Changes a run's status if the change [applies](RunChange::applies_to). Finishing a run takes
    /// its owner away and ends its attempts: none of its partitions is in progress any more.
    ///
    /// # Errors
    /// `NotFound` for a run that is not there.
    async fn change_run(&self, run: RunId, change: RunChange) -> StateResult<RunChanged>;

    /// Makes a process the run's owner, if it has none, has this one already, or has one last heard
    /// of before `stale_before`. Refused for a run that is finished.
    ///
    /// # Errors
    /// `NotFound` for a run that is not there.
    async fn claim_run(
        &self,
        run: RunId,
        owner: OwnerId,
        now: DateTime<Utc>,
        stale_before: DateTime<Utc>,
    ) -> StateResult<RunChanged>;

    /// Says that the run's owner is alive. Answers the run, so that the owner learns that it is to
    /// stop; refused when the run has another owner by now: stop at once.
    ///
    /// # Errors
    /// `NotFound` for a run that is not there.
    async fn heartbeat(
        &self,
        run: RunId,
        owner: &OwnerId,
        now: DateTime<Utc>,
    ) -> StateResult<RunChanged>;

    /// Puts down partitions that the run does not try. Repeated records add up: each partition
    /// counts once.
    async fn skip(&self, run: RunId, skipped: Vec<Skipped>) -> StateResult<()>;

    /// What the run did not try, by asset, then reason.
    async fn skipped(&self, run: RunId) -> StateResult<Vec<Skipped>>;

    /// What the run gave up on and has not made since, by asset, then partition key.
    async fn failures(&self, run: RunId, page: &PageRequest) -> StateResult<Page<Failure>>;

    /// The checks that are failures of the run, by asset, then partition key, then check name: of each
    /// check and partition the run's last evaluation, if it
    /// [fails the run](CheckEvaluation::fails_run). Those of an op's own checks count from when they
    /// are published. Reading them takes as long as there are failures, however large the run is.
    async fn failed_checks(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>>;

    /// What the run has published and readers see now. A store may be behind, and one that keeps no
    /// such list answers nothing: who has to be sure asks for what is not in the answer.
    async fn made(&self, run: RunId) -> StateResult<RunMade> {
        let _ = run;
        Ok(RunMade::default())
    }

    /// How far the run is. A store may be a little behind.
    async fn progress(&self, run: RunId) -> StateResult<RunProgress>;
}

/// The record of what was made: the commit protocol and what can be read of it.
///
/// Of two runs the one with the greater id is newer, and of two attempts of one run the one with the
/// greater number. What is newest is what readers see; the order in which the calls arrive does not
/// matter.
#[async_trait]
pub trait MaterializationStore: Send + Sync {
    /// Puts down that attempts begin. Optional: nothing but [`PartitionStatuses::in_progress`] and
    /// the event log hangs on it.
    async fn start(&self, attempts: Vec<AttemptStart>) -> StateResult<()>;

    /// Publishes what attempts made, each item by itself: answers one outcome an item, in order.
    ///
    /// An item is committed if the partition has nothing published, or an older run's, or the same
    /// run's from the same or an earlier attempt. Otherwise nothing of it is kept. Committing clears
    /// a failure that is not newer, and the run's own failure.
    ///
    /// # Errors
    /// `TooLarge` (before anything is written) when a record is larger than
    /// [`MAX_RECORD_BYTES`](crate::state::MAX_RECORD_BYTES). After any other error some items may be committed: call again with all of
    /// them.
    async fn finish(&self, made: Vec<Materialization>) -> StateResult<Vec<Finished>>;

    /// Puts down attempts that failed, each item by itself: answers one outcome an item, in order.
    async fn fail(&self, failures: Vec<Failure>) -> StateResult<Vec<FailureRecorded>>;

    /// What is known of one partition; `None` when nothing ever ended there.
    async fn latest(
        &self,
        target: &PartitionRef,
        consistency: ReadConsistency,
    ) -> StateResult<Option<Latest>>;

    /// What is known of many partitions, in the order in which they are named.
    async fn latest_many(
        &self,
        targets: &[PartitionRef],
        consistency: ReadConsistency,
    ) -> StateResult<Vec<Option<Latest>>>;

    /// What is known of every partition of an asset, each once, in an order of the store's own.
    async fn latest_all(
        &self,
        asset: &AssetKey,
        page: &PageRequest,
    ) -> StateResult<Page<(PartitionRef, Latest)>>;

    /// The status sets of an asset.
    async fn statuses(&self, asset: &AssetKey) -> StateResult<PartitionStatuses>;

    /// Which partitions of an asset were published after some change.
    async fn updates(&self, asset: &AssetKey, after: Sequence) -> StateResult<Updates>;

    /// What happened to a partition, newest first: by moment, then run, then attempt.
    async fn events(&self, target: &PartitionRef, page: &PageRequest) -> StateResult<Page<Event>>;

    /// Forgets what was made and what failed, so that the partitions are missing again. The event
    /// log stays.
    async fn wipe(&self, targets: &[PartitionRef]) -> StateResult<()>;

    /// The layout that the ordinals of an asset were last numbered by; `None` when nobody said.
    async fn layout(&self, asset: &AssetKey) -> StateResult<Option<String>>;

    /// Numbers an asset's partitions anew after its definition changed (a start date was moved, a
    /// key was put in the middle). `layout` is a fingerprint of the definition; `ordinal` answers
    /// the new ordinal of a key, `None` for a key the definition does not have any more: its record
    /// stays and leaves the status sets. Does nothing when the layout is this one already.
    async fn renumber(
        &self,
        asset: &AssetKey,
        layout: &str,
        ordinal: &OrdinalOf<'_>,
    ) -> StateResult<()>;
}

/// The record of asset checks.
#[async_trait]
pub trait CheckStore: Send + Sync {
    /// Puts down evaluations. The newest (run, then attempt) is the latest, whenever it arrives; the
    /// same run and attempt again replaces.
    async fn record_checks(&self, evaluations: Vec<CheckEvaluation>) -> StateResult<()>;

    /// The latest evaluation of each check of one partition, by check name.
    async fn latest_checks(&self, target: &PartitionRef) -> StateResult<Vec<CheckEvaluation>>;

    /// The evaluations of a check on one partition, newest first.
    async fn check_history(
        &self,
        check: &CheckKey,
        target: &PartitionRef,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>>;

    /// The partitions on which a check did not pass when it was last evaluated.
    async fn failing(&self, check: &CheckKey) -> StateResult<PartitionSet>;
}

/// The keys of dynamic partitions definitions.
#[async_trait]
pub trait DynamicPartitionStore: Send + Sync {
    /// Adds keys and answers their ordinals in the same order. A key that is there keeps its
    /// ordinal, and a key that was there once gets its old ordinal back.
    ///
    /// # Errors
    /// `Conflict` when a key is empty.
    async fn add_partitions(&self, set: &str, keys: &[PartitionKey]) -> StateResult<Vec<u64>>;

    /// Takes keys out; answers how many were there. The other ordinals stay.
    async fn remove_partitions(&self, set: &str, keys: &[PartitionKey]) -> StateResult<u64>;

    /// The keys of a set; none for a set that nobody added to.
    async fn partitions(&self, set: &str) -> StateResult<DynamicKeys>;
}

/// Limits on how many ops of a kind run at once, across processes.
#[async_trait]
pub trait PoolStore: Send + Sync {
    /// Sets how many slots a pool has; `None` for no limit. Slots that are taken stay taken.
    async fn set_pool_limit(&self, pool: &str, limit: Option<u32>) -> StateResult<()>;

    /// A pool with the slots that are taken at some moment.
    async fn pool(&self, pool: &str, now: DateTime<Utc>) -> StateResult<PoolState>;

    /// The names of the pools that have a limit, sorted.
    async fn pools(&self) -> StateResult<Vec<String>>;

    /// Takes a slot, or renews the one that the holder has. A slot that expired is free, even for
    /// its former holder.
    async fn acquire(&self, request: SlotRequest) -> StateResult<SlotAnswer>;

    /// Gives a slot back. Releasing what is not held does nothing.
    async fn release(&self, pool: &str, holder: &SlotHolder) -> StateResult<()>;
}

/// What sensors, schedules and automation remember.
#[async_trait]
pub trait TriggerStore: Send + Sync {
    /// What is remembered of a trigger.
    async fn trigger(&self, trigger: &TriggerId) -> StateResult<TriggerState>;

    /// Records a tick: moves the cursor and creates the runs in one step, if nobody advanced the
    /// trigger since the caller looked. A run whose key is known is not created again.
    ///
    /// # Errors
    /// `TooLarge` for more than [`MAX_RUNS_PER_TICK`](crate::state::MAX_RUNS_PER_TICK) runs.
    async fn advance(&self, trigger: &TriggerId, advance: Advance) -> StateResult<Advanced>;

    /// Turns a trigger on or off; `None` leaves it to its declaration.
    async fn set_enabled(&self, trigger: &TriggerId, enabled: Option<bool>) -> StateResult<()>;

    /// The ticks of a trigger, newest first.
    async fn ticks(&self, trigger: &TriggerId, page: &PageRequest) -> StateResult<Page<Tick>>;
}

/// The record of what was materialized, what failed and what is running: the port that every
/// adapter implements, part by part.
///
/// Time never comes from the store's clock: each record carries its own.
pub trait StateStore:
    RunStore
    + MaterializationStore
    + CheckStore
    + DynamicPartitionStore
    + PoolStore
    + TriggerStore
    + std::fmt::Debug
{
}

impl<S> StateStore for S where
    S: RunStore
        + MaterializationStore
        + CheckStore
        + DynamicPartitionStore
        + PoolStore
        + TriggerStore
        + std::fmt::Debug
        + ?Sized
{
}
