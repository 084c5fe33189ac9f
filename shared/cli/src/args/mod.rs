//! The command line as types. What a command does stands in [`command`](crate::command).

mod root;
mod run;
mod target;

pub use root::{
    AutomationAction, Command, DevArgs, DynamicAction, Global, GraphFormat, PoolAction, Root,
    ScheduleAction, SensorAction, StatusFilter, TableFormat,
};
pub use run::{MaterializeArgs, PlanArgs, RunControlArgs};
pub use target::{PartitionArgs, TargetArgs};
