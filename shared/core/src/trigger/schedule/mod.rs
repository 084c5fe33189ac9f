//! Schedules: when they tick, what a tick is about, and the same in EventBridge Scheduler's words.

mod scheduler;
mod spec;
mod ticking;
mod zone;

pub use scheduler::{
    Guard, SchedulerExpression, SchedulerExpressions, Untranslatable, scheduler_expressions,
};
pub use spec::{CatchUp, ScheduleSpec, ScheduleTiming};
pub use ticking::{Due, MAX_DUE_TICKS, Ticking};
