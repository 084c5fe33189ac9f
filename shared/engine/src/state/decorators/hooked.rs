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
        Advance, Advanced, AttemptStart, CheckEvaluation, CheckStore, CreatedRun,
        DynamicPartitionStore, Event, Failure, FailureRecorded, Finished, Latest, Materialization,
        MaterializationStore, NewRun, OrdinalOf, OwnerId, Page, PageRequest, PartitionRef,
        PartitionStatuses, PlanSummary, PoolState, PoolStore, ReadConsistency, Run, RunChange,
        RunChanged, RunFilter, RunKey, RunMade, RunProgress, RunStore, Sequence, Skipped,
        SlotAnswer, SlotHolder, SlotRequest, StateResult, StateStore, Tick, TriggerId,
        TriggerState, TriggerStore, Updates,
    },
};

/// What is told of every call of a [`Hooked`] store. `call` is the name of the port's function.
#[async_trait]
pub trait CallHook: std::fmt::Debug + Send + Sync {
    /// Before the call reaches the store.
    ///
    /// # Errors
    /// An error is the call's answer, and the store never sees the call.
    async fn before(&self, _call: &'static str) -> StateResult<()> {
        Ok(())
    }

    /// After the store did what it was asked.
    ///
    /// # Errors
    /// An error takes the answer's place: the work is done, and the caller does not know.
    async fn after(&self, _call: &'static str) -> StateResult<()> {
        Ok(())
    }
}

/// A store that tells a hook of every call.
#[derive(Debug, Clone)]
pub struct Hooked<H> {
    inner: Arc<dyn StateStore>,
    hook: Arc<H>,
}

impl<H: CallHook> Hooked<H> {
    /// Puts a hook before a store.
    pub fn new(inner: Arc<dyn StateStore>, hook: H) -> Self {
        Self {
            inner,
            hook: Arc::new(hook),
        }
    }

    /// The hook, to ask or to instruct it.
    pub fn hook(&self) -> &H {
        &self.hook
    }
}

macro_rules! pass_on {
    ($($part:ident { $(fn $call:ident($($arg:ident: $type:ty),* $(,)?) -> $answer:ty;)* })*) => {$(
        #[async_trait]
        impl<H: CallHook> $part for Hooked<H> {
            $(async fn $call(&self, $($arg: $type),*) -> StateResult<$answer> {
                self.hook.before(stringify!($call)).await?;
                let answer = self.inner.$call($($arg),*).await?;
                self.hook.after(stringify!($call)).await?;
                Ok(answer)
            })*
        }
    )*};
}

pass_on! {
    RunStore {
        fn create_run(run: NewRun) -> CreatedRun;
        fn run(run: RunId) -> Option<Run>;
        fn run_of_key(key: &RunKey) -> Option<Run>;
        fn runs(filter: &RunFilter, page: &PageRequest) -> Page<Run>;
        fn set_plan(run: RunId, plan: PlanSummary) -> ();
        fn change_run(run: RunId, change: RunChange) -> RunChanged;
        fn claim_run(
            run: RunId, owner: OwnerId, now: DateTime<Utc>, stale_before: DateTime<Utc>,
        ) -> RunChanged;
        fn heartbeat(run: RunId, owner: &OwnerId, now: DateTime<Utc>) -> RunChanged;
        fn skip(run: RunId, skipped: Vec<Skipped>) -> ();
        fn skipped(run: RunId) -> Vec<Skipped>;
        fn failures(run: RunId, page: &PageRequest) -> Page<Failure>;
        fn failed_checks(run: RunId, page: &PageRequest) -> Page<CheckEvaluation>;
        fn made(run: RunId) -> RunMade;
        fn progress(run: RunId) -> RunProgress;
    }
    MaterializationStore {
        fn start(attempts: Vec<AttemptStart>) -> ();
        fn finish(made: Vec<Materialization>) -> Vec<Finished>;
        fn fail(failures: Vec<Failure>) -> Vec<FailureRecorded>;
        fn latest(target: &PartitionRef, consistency: ReadConsistency) -> Option<Latest>;
        fn latest_many(
            targets: &[PartitionRef],
            consistency: ReadConsistency,
        ) -> Vec<Option<Latest>>;
        fn latest_all(asset: &AssetKey, page: &PageRequest) -> Page<(PartitionRef, Latest)>;
        fn statuses(asset: &AssetKey) -> PartitionStatuses;
        fn updates(asset: &AssetKey, after: Sequence) -> Updates;
        fn events(target: &PartitionRef, page: &PageRequest) -> Page<Event>;
        fn wipe(targets: &[PartitionRef]) -> ();
        fn layout(asset: &AssetKey) -> Option<String>;
        fn renumber(
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
        fn failing(check: &CheckKey) -> PartitionSet;
    }
    DynamicPartitionStore {
        fn add_partitions(set: &str, keys: &[PartitionKey]) -> Vec<u64>;
        fn remove_partitions(set: &str, keys: &[PartitionKey]) -> u64;
        fn partitions(set: &str) -> DynamicKeys;
    }
    PoolStore {
        fn set_pool_limit(pool: &str, limit: Option<u32>) -> ();
        fn pool(pool: &str, now: DateTime<Utc>) -> PoolState;
        fn pools() -> Vec<String>;
        fn acquire(request: SlotRequest) -> SlotAnswer;
        fn release(pool: &str, holder: &SlotHolder) -> ();
    }
    TriggerStore {
        fn trigger(trigger: &TriggerId) -> TriggerState;
        fn advance(trigger: &TriggerId, advance: Advance) -> Advanced;
        fn set_enabled(trigger: &TriggerId, enabled: Option<bool>) -> ();
        fn ticks(trigger: &TriggerId, page: &PageRequest) -> Page<Tick>;
    }
}
