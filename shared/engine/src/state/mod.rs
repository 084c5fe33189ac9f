//! The record of what was materialized, what failed, and what is running: the port [`StateStore`]
//! and the records that go through it.

mod check;
mod error;
mod materialization;
mod page;
mod pool;
mod run;
mod size;
mod store;
mod target;
mod trigger;

pub use check::{CheckEvaluation, CheckOutcome};
pub use error::{StateError, StateErrorKind};
pub use materialization::{
    AttemptStart, Event, Failure, FailureRecorded, Finished, InputScope, InputVersion, Latest,
    Materialization, PartitionStatuses, Sequence, Updates,
};
pub use page::{Page, PageRequest, PageToken};
pub use pool::{PoolState, Slot, SlotAnswer, SlotHolder, SlotRequest};
pub use run::{
    CreatedRun, NewRun, OwnerId, PlanSummary, Run, RunChange, RunChanged, RunFilter, RunKey,
    RunOrigin, RunOwner, RunProgress, RunRequest, RunStatus, SkipReason, Skipped,
};
pub use size::{MAX_RECORD_BYTES, record_json};
pub use store::{
    CheckStore, DynamicPartitionStore, MaterializationStore, PoolStore, RunStore, StateResult,
    StateStore, TriggerStore,
};
pub use target::PartitionRef;
pub use trigger::{
    Advance, Advanced, MAX_RUNS_PER_TICK, Tick, TickOutcome, TickRequest, TriggerId, TriggerKind,
    TriggerState,
};
