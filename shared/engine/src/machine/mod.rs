//! A run on generated state machines: what each state does.
//!
//! The machines are generated from the graph ([`precip_core::machine`]); their states call two
//! functions. The *planner* ([`Planner`]) answers [`PlannerRequest`]s: it plans a run and hands out
//! its first wave, settles a wave and hands out the next, puts down what the materializer could not,
//! and ends the run. The *materializer* ([`Materializer`]) runs one step of one item.
//!
//! Both may be called twice, late, or again after being killed at any point: every answer follows
//! from the record and from the run's own files ([`RunFiles`]), which are written before anything
//! that points to them.

mod cancel;
mod document;
mod ended;
mod error;
mod files;
mod finish;
mod latest;
mod materializer;
mod plan;
mod planner;
mod record;
mod request;
mod retry;
mod settle;
mod standing;
mod start;
mod work;

pub use cancel::Cancellation;
pub use document::{
    Finished, ItemDocument, LoopItem, LoopStage, LoopStep, Mode, RowDocument, StageDocument,
    WaveDocument,
};
pub use ended::end_by;
pub use error::{InvalidStart, PlannerError, StepError};
pub use files::{FileError, MemoryFiles, RunFiles};
pub use materializer::{Deadline, Materializer, StepReport};
pub use planner::{Planner, PlannerAnswer};
pub use request::{
    CaughtError, ExecutionEnded, ExecutionRef, FailedStep, Finish, MaterializeRequest,
    PlannerRequest, RecordRequest, Settle,
};
pub use start::StartInput;
