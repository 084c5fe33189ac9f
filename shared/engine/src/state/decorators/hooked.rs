//! [`Hooked`].

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{
    key::{AssetKey, CheckKey},
    partitions::{DynamicKeys, PartitionKey, PartitionSet},
};

use crate::{
    run_id::RunId,
    state::{
        Advance, Advanced, AttemptStart, CheckEvaluation, CheckStore, CommitOutcome, CreatedRun,
        DynamicPartitionStore, Event, FailedAttempt, FailureOutcome, Latest, Materialization,
        MaterializationStore, NewRun, OrdinalOf, OwnerId, Page, PageRequest, PartitionRef,
        PartitionStatuses, PlanSummary, PoolState, PoolStore, PublishedByRun, ReadConsistency, Run,
        RunChange, RunChanged, RunFilter, RunKey, RunProgress, RunStore, Sequence, SkippedAttempt,
        SlotAnswer, SlotHolder, SlotRequest, StateResult, StateStore, Tick, TriggerId,
        TriggerState, TriggerStore, UntriedPartitions, Updates,
    },
};

/// A hook around every call of a [`Hooked`] store. `call` is the name of the port's function.
#[async_trait]
pub trait CallHook: std::fmt::Debug + Send + Sync {
    /// Runs before the call reaches the store.
    ///
    /// # Errors
    /// The error becomes the call's answer, and the store never sees the call.
    async fn before_call(&self, _call: &'static str) -> StateResult<()> {
        Ok(())
    }

    /// Runs after the store has done the work.
    ///
    /// # Errors
    /// The error replaces the answer: the work is done, and the caller does not know.
    async fn after_call(&self, _call: &'static str) -> StateResult<()> {
        Ok(())
    }
}

/// A store that invokes a hook around every call.
#[derive(Debug, Clone)]
pub struct Hooked<H> {
    inner: Arc<dyn StateStore>,
    hook: Arc<H>,
}

impl<H: CallHook> Hooked<H> {
    /// Wraps a store with a hook.
    pub fn new(inner: Arc<dyn StateStore>, hook: H) -> Self {
        Self {
            inner,
            hook: Arc::new(hook),
        }
    }

    /// Returns the hook.
    pub fn hook(&self) -> &H {
        &self.hook
    }
}

macro_rules! pass_on {
    ($($part:ident { $(fn $call:ident($($arg:ident: $type:ty),* $(,)?) -> $answer:ty;)* })*) => {$(
        #[async_trait]
        impl<H: CallHook> $part for Hooked<H> {
            $(async fn $call(&self, $($arg: $type),*) -> StateResult<$answer> {
                self.hook.before_call(stringify!($call)).await?;
                let answer = self.inner.$call($($arg),*).await?;
                self.hook.after_call(stringify!($call)).await?;
                Ok(answer)
            })*
        }
    )*};
}

pass_on! {
    RunStore {
        fn create_run(run: NewRun) -> CreatedRun;
        fn find_run(run: RunId) -> Option<Run>;
        fn find_run_by_key(key: &RunKey) -> Option<Run>;
        fn list_runs(filter: &RunFilter, page: &PageRequest) -> Page<Run>;
        fn newest_run() -> Option<RunId>;
        fn set_run_plan(run: RunId, plan: PlanSummary) -> ();
        fn change_run(run: RunId, change: RunChange) -> RunChanged;
        fn claim_run(
            run: RunId, owner: OwnerId, now: DateTime<Utc>, stale_before: DateTime<Utc>,
        ) -> RunChanged;
        fn record_heartbeat(run: RunId, owner: &OwnerId, now: DateTime<Utc>) -> RunChanged;
        fn record_untried(run: RunId, skipped: Vec<UntriedPartitions>) -> ();
        fn run_untried(run: RunId) -> Vec<UntriedPartitions>;
        fn run_failures(run: RunId, page: &PageRequest) -> Page<FailedAttempt>;
        fn run_skipped_attempts(run: RunId, page: &PageRequest) -> Page<SkippedAttempt>;
        fn run_failed_checks(run: RunId, page: &PageRequest) -> Page<CheckEvaluation>;
        fn published_by(run: RunId) -> PublishedByRun;
        fn run_progress(run: RunId) -> RunProgress;
    }
    MaterializationStore {
        fn record_attempts(attempts: Vec<AttemptStart>) -> ();
        fn commit_materializations(made: Vec<Materialization>) -> Vec<CommitOutcome>;
        fn record_failures(failures: Vec<FailedAttempt>) -> Vec<FailureOutcome>;
        fn record_skipped_attempts(skipped: Vec<SkippedAttempt>) -> Vec<FailureOutcome>;
        fn latest_materialization(target: &PartitionRef, consistency: ReadConsistency) -> Option<Latest>;
        fn latest_materializations(
            targets: &[PartitionRef],
            consistency: ReadConsistency,
        ) -> Vec<Option<Latest>>;
        fn list_latest_materializations(asset: &AssetKey, page: &PageRequest) -> Page<(PartitionRef, Latest)>;
        fn partition_statuses(asset: &AssetKey) -> PartitionStatuses;
        fn published_since(asset: &AssetKey, after: Sequence) -> Updates;
        fn partition_events(target: &PartitionRef, page: &PageRequest) -> Page<Event>;
        fn wipe_partitions(targets: &[PartitionRef]) -> ();
        fn partition_layout(asset: &AssetKey) -> Option<String>;
        fn renumber_partitions(
            asset: &AssetKey,
            layout: &str,
            ordinal: &OrdinalOf<'_>,
        ) -> ();
    }
    CheckStore {
        fn record_checks(evaluations: Vec<CheckEvaluation>) -> ();
        fn latest_checks(target: &PartitionRef) -> Vec<CheckEvaluation>;
        fn check_history(
            check: &CheckKey, target: &PartitionRef, page: &PageRequest,
        ) -> Page<CheckEvaluation>;
        fn failing_partitions(check: &CheckKey) -> PartitionSet;
    }
    DynamicPartitionStore {
        fn add_dynamic_keys(set: &str, keys: &[PartitionKey]) -> Vec<u64>;
        fn remove_dynamic_keys(set: &str, keys: &[PartitionKey]) -> u64;
        fn dynamic_keys(set: &str) -> DynamicKeys;
    }
    PoolStore {
        fn set_pool_limit(pool: &str, limit: Option<u32>) -> ();
        fn pool_state(pool: &str, now: DateTime<Utc>) -> PoolState;
        fn limited_pools() -> Vec<String>;
        fn acquire_slot(request: SlotRequest) -> SlotAnswer;
        fn release_slot(pool: &str, holder: &SlotHolder) -> ();
    }
    TriggerStore {
        fn trigger_state(trigger: &TriggerId) -> TriggerState;
        fn advance_trigger(trigger: &TriggerId, advance: Advance) -> Advanced;
        fn set_trigger_enabled(trigger: &TriggerId, enabled: Option<bool>) -> ();
        fn list_ticks(trigger: &TriggerId, page: &PageRequest) -> Page<Tick>;
    }
}
