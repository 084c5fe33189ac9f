//! The record of what was materialized, what failed and what is running: the port [`StateStore`]
//! and the records it stores.

mod check;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod consistency;
pub mod decorators;
mod dynamic;
mod error;
mod fit;
mod materialization;
pub mod memory;
mod page;
mod pool;
pub mod rules;
mod run;
mod segment;
mod size;
mod store;
mod target;
mod trigger;

pub use check::{CheckEvaluation, CheckOutcome};
pub use consistency::ReadConsistency;
pub use dynamic::check_dynamic_keys;
pub use error::{StateError, StateErrorKind};
pub use fit::{
    MAX_ERROR_BYTES, MAX_FINDINGS_BYTES, MAX_METADATA_BYTES, MAX_TEXT_BYTES, cut_error,
    cut_metadata, cut_text, error_fits, json_len, metadata_fits,
};
pub use materialization::{
    AttemptStart, CommitOutcome, Event, EventKey, EventKind, FailedAttempt, FailureOutcome,
    InputScope, InputVersion, Latest, Materialization, PartitionStatuses, Sequence, SkippedAttempt,
    UnpublishedAttempt, Updates,
};
pub use page::{Page, PageRequest, PageToken};
pub use pool::{PoolState, Slot, SlotAnswer, SlotHolder, SlotRequest};
pub use run::{
    CreatedRun, NewRun, OwnerId, PlanSummary, PublishedByRun, RequestedWork, Run, RunChange,
    RunChanged, RunFilter, RunKey, RunOrigin, RunOwner, RunProgress, RunStatus, UntriedPartitions,
    UntriedReason, count_untried,
};
pub use segment::{SEGMENT_PARTITIONS, Segment};
pub use size::{MAX_RECORD_BYTES, record_json};
pub use store::{
    CheckStore, DynamicPartitionStore, MaterializationStore, OrdinalOf, PoolStore, RunStore,
    StateResult, StateStore, TriggerStore,
};
pub use target::PartitionRef;
pub use trigger::{
    Advance, Advanced, MAX_RUNS_PER_TICK, Tick, TickOutcome, TickRequest, TriggerId, TriggerKind,
    TriggerState, check_tick_size,
};
