//! The command line as types. What a command does stands in [`command`](crate::command).

mod cost;
mod gc;
mod root;
mod run;
mod synth;
mod target;

pub use cost::CostArgs;
pub use gc::GcArgs;
pub use root::{
    AutomationAction, Command, DevArgs, DynamicAction, Global, GraphFormat, On, PoolAction, Root,
    ScheduleAction, SensorAction, StatusFilter, TableFormat,
};
pub use run::{MaterializeArgs, PlanArgs, RunControlArgs};
pub use synth::{Processor, SynthArgs};
pub use target::{PartitionArgs, TargetArgs};
