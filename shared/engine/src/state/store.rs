//! The state port: [`StateStore`] and the six traits it unites.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{
    key::{AssetKey, CheckKey},
    partitions::{DynamicKeys, PartitionKey, PartitionSet},
};

use crate::{
    run_id::RunId,
    state::{
        Advance, Advanced, AttemptStart, CheckEvaluation, CommitOutcome, CreatedRun, Event,
        FailedAttempt, FailureOutcome, Latest, Materialization, NewRun, OwnerId, Page, PageRequest,
        PartitionRef, PartitionStatuses, PlanSummary, PoolState, PublishedByRun, ReadConsistency,
        Run, RunChange, RunChanged, RunFilter, RunProgress, Sequence, SkippedAttempt, SlotAnswer,
        SlotHolder, SlotRequest, StateError, Tick, TriggerId, TriggerState, UntriedPartitions,
        Updates,
    },
};

/// The result of every call of the port.
///
/// # Errors
/// [`StateError::kind`] says what to do. Every call may be repeated, even one whose work was done
/// and whose answer was lost.
pub type StateResult<T> = Result<T, StateError>;

/// Returns the ordinal of a partition key in a definition (`None` as the key names the only
/// partition of an unpartitioned asset), or `None` for a key that the definition does not have.
pub type OrdinalOf<'a> =
    dyn for<'key> Fn(Option<&'key PartitionKey>) -> Option<u64> + Send + Sync + 'a;

/// The record of runs.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Creates a run. Returns the existing run when one has the same key or the same id.
    async fn create_run(&self, run: NewRun) -> StateResult<CreatedRun>;

    /// Returns a run, or `None` when no run has this id.
    async fn find_run(&self, run: RunId) -> StateResult<Option<Run>>;

    /// Returns the run that was created for a key.
    async fn find_run_by_key(&self, key: &crate::state::RunKey) -> StateResult<Option<Run>>;

    /// Lists runs, newest (greatest id) first.
    async fn list_runs(&self, filter: &RunFilter, page: &PageRequest) -> StateResult<Page<Run>>;

    /// Returns the greatest id of all recorded runs, whichever was created last. A store that forgets
    /// runs remembers the greatest: the ids of new runs follow it.
    async fn newest_run(&self) -> StateResult<Option<RunId>>;

    /// Records the size of a run's plan and where the whole plan is stored.
    ///
    /// # Errors
    /// `NotFound` for an unknown run.
    async fn set_run_plan(&self, run: RunId, plan: PlanSummary) -> StateResult<()>;

    /// Changes a run's status if the change [applies](RunChange::applies_to). Finishing a run
    /// clears its owner and ends its attempts: none of its partitions stays in progress.
    ///
    /// # Errors
    /// `NotFound` for an unknown run.
    async fn change_run(&self, run: RunId, change: RunChange) -> StateResult<RunChanged>;

    /// Makes a process the run's owner if the run has no owner, has this one already, or has one
    /// whose last heartbeat is before `stale_before`. Refused for a finished run.
    ///
    /// # Errors
    /// `NotFound` for an unknown run.
    async fn claim_run(
        &self,
        run: RunId,
        owner: OwnerId,
        now: DateTime<Utc>,
        stale_before: DateTime<Utc>,
    ) -> StateResult<RunChanged>;

    /// Records that the run's owner is alive. Returns the run, so that the owner notices a
    /// cancellation. Refused when the run has another owner by now, which means: stop at once.
    ///
    /// # Errors
    /// `NotFound` for an unknown run.
    async fn record_heartbeat(
        &self,
        run: RunId,
        owner: &OwnerId,
        now: DateTime<Utc>,
    ) -> StateResult<RunChanged>;

    /// Records partitions that the run does not try: those that are held back, and those that are
    /// skipped because they need something that is skipped. Repeated records add up, and each
    /// partition counts once.
    async fn record_untried(&self, run: RunId, skipped: Vec<UntriedPartitions>) -> StateResult<()>;

    /// Returns the partitions that the run did not try, by asset, then reason.
    async fn run_untried(&self, run: RunId) -> StateResult<Vec<UntriedPartitions>>;

    /// Lists the failures that the run gave up on and has not fixed since, by asset, then partition
    /// key.
    async fn run_failures(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<FailedAttempt>>;

    /// Lists the attempts of the run that had nothing to make, by asset, then partition key: those of
    /// partitions that the run has not made or failed since.
    async fn run_skipped_attempts(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<SkippedAttempt>>;

    /// Lists the check evaluations that fail the run, by asset, then partition key, then check
    /// name: the run's last evaluation of each check and partition, if it [fails the
    /// run](CheckEvaluation::fails_run). An op's own checks count once they are published. The cost
    /// grows with the number of failures, not with the size of the run.
    async fn run_failed_checks(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>>;

    /// Returns what the run published and readers still see. May lag behind; stores without this
    /// index return nothing, so verify missing entries individually.
    async fn published_by(&self, run: RunId) -> StateResult<PublishedByRun> {
        let _ = run;
        Ok(PublishedByRun::default())
    }

    /// Returns the run's progress. May lag behind.
    async fn run_progress(&self, run: RunId) -> StateResult<RunProgress>;
}

/// The record of materializations: the commit protocol and the queries over it.
///
/// Of two runs the one with the greater id is newer; of two attempts of one run, the one with the
/// greater number. Readers see the newest, in whichever order the calls arrive.
#[async_trait]
pub trait MaterializationStore: Send + Sync {
    /// Records attempts that begin. Optional: only [`PartitionStatuses::in_progress`] and the event
    /// log depend on it.
    async fn record_attempts(&self, attempts: Vec<AttemptStart>) -> StateResult<()>;

    /// Commits materializations, each item by itself. Returns one outcome per item, in order.
    ///
    /// An item is committed if the partition has nothing published, or its published
    /// materialization is from an older run or from the same or an earlier attempt of the same run.
    /// Otherwise nothing of the item is kept. Committing clears a failure or skip that is not newer,
    /// and the run's own.
    ///
    /// # Errors
    /// `TooLarge` (before anything is written) when a record is larger than
    /// [`MAX_RECORD_BYTES`](crate::state::MAX_RECORD_BYTES). After any other error some items may
    /// be committed: call again with all of them.
    async fn commit_materializations(
        &self,
        made: Vec<Materialization>,
    ) -> StateResult<Vec<CommitOutcome>>;

    /// Records failed attempts, each item by itself. Returns one outcome per item, in order.
    async fn record_failures(
        &self,
        failures: Vec<FailedAttempt>,
    ) -> StateResult<Vec<FailureOutcome>>;

    /// Records attempts that had nothing to make, each item by itself. Returns one outcome per item,
    /// in order. What is published stays published. Of the failures and skips of a partition, only
    /// that of the newest attempt is kept, by the same rule for both.
    async fn record_skipped_attempts(
        &self,
        skipped: Vec<SkippedAttempt>,
    ) -> StateResult<Vec<FailureOutcome>>;

    /// Returns the latest materialization and failure or skip of a partition, or `None` when no
    /// attempt at it has ended.
    async fn latest_materialization(
        &self,
        target: &PartitionRef,
        consistency: ReadConsistency,
    ) -> StateResult<Option<Latest>>;

    /// Returns the latest materialization and failure or skip of each of many partitions, in the
    /// order given.
    async fn latest_materializations(
        &self,
        targets: &[PartitionRef],
        consistency: ReadConsistency,
    ) -> StateResult<Vec<Option<Latest>>>;

    /// Lists the latest materialization and failure or skip of every partition of an asset, each
    /// partition once, in an order of the store's own.
    async fn list_latest_materializations(
        &self,
        asset: &AssetKey,
        page: &PageRequest,
    ) -> StateResult<Page<(PartitionRef, Latest)>>;

    /// Returns the status sets of an asset.
    async fn partition_statuses(&self, asset: &AssetKey) -> StateResult<PartitionStatuses>;

    /// Returns the partitions of an asset that were published after a change.
    async fn published_since(&self, asset: &AssetKey, after: Sequence) -> StateResult<Updates>;

    /// Lists the events of a partition, newest first: by moment, then run, then attempt.
    async fn partition_events(
        &self,
        target: &PartitionRef,
        page: &PageRequest,
    ) -> StateResult<Page<Event>>;

    /// Forgets the materializations, failures and skips of partitions, which makes them missing again. The
    /// event log stays.
    async fn wipe_partitions(&self, targets: &[PartitionRef]) -> StateResult<()>;

    /// Returns the layout that an asset's partitions were last numbered by, or `None` when none was
    /// recorded.
    async fn partition_layout(&self, asset: &AssetKey) -> StateResult<Option<String>>;

    /// Renumbers an asset's partitions after its definition changed (the start date moved, a key
    /// was inserted). `layout` is a fingerprint of the definition; `ordinal` returns a key's new
    /// ordinal, or `None` for a key that was removed: its record stays and leaves the status sets.
    /// Does nothing when the layout is already this one.
    async fn renumber_partitions(
        &self,
        asset: &AssetKey,
        layout: &str,
        ordinal: &OrdinalOf<'_>,
    ) -> StateResult<()>;
}

/// The record of asset checks.
#[async_trait]
pub trait CheckStore: Send + Sync {
    /// Records evaluations. The newest (by run, then attempt) is the latest, in whichever order
    /// they arrive; one of the same run and attempt replaces the earlier one.
    async fn record_checks(&self, evaluations: Vec<CheckEvaluation>) -> StateResult<()>;

    /// Returns the latest evaluation of each check of a partition, by check name.
    async fn latest_checks(&self, target: &PartitionRef) -> StateResult<Vec<CheckEvaluation>>;

    /// Lists the evaluations of a check on a partition, newest first.
    async fn check_history(
        &self,
        check: &CheckKey,
        target: &PartitionRef,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>>;

    /// Returns the partitions on which a check did not pass when it was last evaluated.
    async fn failing_partitions(&self, check: &CheckKey) -> StateResult<PartitionSet>;
}

/// The keys of dynamic partitions definitions.
#[async_trait]
pub trait DynamicPartitionStore: Send + Sync {
    /// Adds keys and returns their ordinals, in the same order. A present key keeps its ordinal,
    /// and a removed key gets its old ordinal back.
    ///
    /// # Errors
    /// `Conflict` for an empty key or one with a control character.
    async fn add_dynamic_keys(&self, set: &str, keys: &[PartitionKey]) -> StateResult<Vec<u64>>;

    /// Removes keys and returns how many were present. The other keys keep their ordinals.
    async fn remove_dynamic_keys(&self, set: &str, keys: &[PartitionKey]) -> StateResult<u64>;

    /// Returns the keys of a set, which is empty until a key is added.
    async fn dynamic_keys(&self, set: &str) -> StateResult<DynamicKeys>;
}

/// Limits on how many ops of a kind run at once, across processes.
#[async_trait]
pub trait PoolStore: Send + Sync {
    /// Sets the number of slots of a pool; `None` removes the limit. Taken slots stay taken.
    async fn set_pool_limit(&self, pool: &str, limit: Option<u32>) -> StateResult<()>;

    /// Returns a pool's limit and the slots that are taken at a moment.
    async fn pool_state(&self, pool: &str, now: DateTime<Utc>) -> StateResult<PoolState>;

    /// Returns the names of the pools that have a limit, sorted.
    async fn limited_pools(&self) -> StateResult<Vec<String>>;

    /// Takes a slot, or renews the holder's own. An expired slot is free, even for its former
    /// holder.
    async fn acquire_slot(&self, request: SlotRequest) -> StateResult<SlotAnswer>;

    /// Releases a slot. Does nothing when the holder has none.
    async fn release_slot(&self, pool: &str, holder: &SlotHolder) -> StateResult<()>;
}

/// The memory of sensors, schedules and automation.
#[async_trait]
pub trait TriggerStore: Send + Sync {
    /// Returns the state of a trigger.
    async fn trigger_state(&self, trigger: &TriggerId) -> StateResult<TriggerState>;

    /// Records a tick: moves the cursor and creates the runs in one step, if the trigger is still
    /// at the revision that the caller read. A run whose key is known is not created again.
    ///
    /// # Errors
    /// `TooLarge` for more than [`MAX_RUNS_PER_TICK`](crate::state::MAX_RUNS_PER_TICK) runs.
    async fn advance_trigger(&self, trigger: &TriggerId, advance: Advance)
    -> StateResult<Advanced>;

    /// Turns a trigger on or off; `None` restores its declared default.
    async fn set_trigger_enabled(
        &self,
        trigger: &TriggerId,
        enabled: Option<bool>,
    ) -> StateResult<()>;

    /// Lists the ticks of a trigger, newest first.
    async fn list_ticks(&self, trigger: &TriggerId, page: &PageRequest) -> StateResult<Page<Tick>>;
}

/// The state of a project: what was materialized, what failed and what is running. Adapters
/// implement its six parts.
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
