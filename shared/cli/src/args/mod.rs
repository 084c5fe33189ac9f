//! The command line as types. [`command`](crate::command) holds what each command does.

mod access;
mod action;
mod command;
mod cost;
mod gc;
mod root;
mod run;
mod selection;
mod simulate;
mod synth;

pub(crate) use access::Access;
pub(crate) use action::{
    AutomationAction, DynamicAction, GraphFormat, PoolAction, ScheduleAction, SensorAction,
    StatusFilter, TableFormat,
};
pub(crate) use command::{Command, DevArgs};
pub(crate) use cost::CostArgs;
pub(crate) use gc::GcArgs;
pub use root::Root;
pub(crate) use root::{Global, TargetKind};
pub(crate) use run::{MaterializeArgs, PlanArgs, RunControlArgs};
pub(crate) use selection::SelectionArgs;
pub(crate) use simulate::SimulateArgs;
pub(crate) use synth::{Processor, SynthArgs};
