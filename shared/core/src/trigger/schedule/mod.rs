//! Schedules: their ticks, the partitions of a tick, and their EventBridge Scheduler expressions.

mod resolved;
mod scheduler;
mod spec;
mod zone;

pub use resolved::{DueTicks, MAX_DUE_TICKS, ResolvedSchedule};
pub use scheduler::{
    Guard, SchedulerExpression, SchedulerExpressions, UnsupportedCronError, scheduler_expressions,
};
pub use spec::{CatchUp, ScheduleSpec, ScheduleTiming};
