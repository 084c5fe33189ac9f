//! Runs on generated state machines: the work of each state.
//!
//! The machines are generated from the graph ([`precip_core::machine`]); their states call two
//! functions. The *planner* ([`Planner`]) answers [`PlannerRequest`]s: it plans a run and hands out
//! its first wave; it *settles* each wave, which is to record lost work and everything that failures
//! hold back, and hands out the next; it records failures that the materializer could not record;
//! and it ends the run. The *materializer* ([`Materializer`]) runs one step of one item.
//!
//! Both may be called twice, late, or again after they were killed at any point: every answer follows
//! from the recorded state and from the run's own files ([`RunFiles`]), which are written before
//! anything that points to them.

mod cancel;
mod document;
mod error;
mod execution_ended;
mod failure_impact;
mod files;
mod finish;
mod materializer;
mod plan;
mod planner;
mod record;
mod request;
mod retry;
mod settle;
mod start;
mod unreported;
mod work;

pub use cancel::CancelError;
pub use document::{
    Finished, ItemDocument, LoopItem, LoopStage, LoopStep, Mode, RowDocument, StageDocument,
    WaveDocument,
};
pub use error::{InvalidStart, PLATFORM_ERROR, PlannerError, StepError};
pub use execution_ended::end_run_by_execution;
pub use files::{FileError, MemoryFiles, RunFiles};
pub use materializer::{Deadline, Materializer, StepReport};
pub use planner::{Planner, PlannerAnswer};
pub use request::{
    AccountLimit, AccountSettings, CaughtError, ExecutionEnded, ExecutionRef, FailedStep, Finish,
    MaterializeRequest, PlannerRequest, RecordRequest, Settle,
};
pub use start::StartInput;
pub use work::manifest_lines;
