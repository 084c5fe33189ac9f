//! The commands, one file each.

mod asset;
mod assets;
mod automation;
mod automation_history;
mod cancel;
mod checks;
mod completions;
mod cost;
mod describe;
mod doctor;
mod dynamic;
mod gc;
mod graph;
mod partitions;
mod plan;
mod pools;
mod runs;
mod schedules;
mod sensors;
mod show;
mod simulate;
mod synth;
mod ticks;
mod triggers;

pub(crate) use asset::show_asset;
pub(crate) use assets::list_assets;
pub(crate) use automation::{explain_condition, list_conditions};
pub(crate) use automation_history::{
    set_automation_running, show_automation_history, show_automation_status,
};
pub(crate) use cancel::cancel_run;
pub(crate) use checks::list_checks;
pub(crate) use completions::write_completions;
pub(crate) use cost::show_cost;
pub(crate) use describe::describe_project;
pub(crate) use doctor::run_doctor;
pub(crate) use dynamic::handle_dynamic_set;
pub(crate) use gc::collect_garbage;
pub(crate) use graph::draw_graph;
pub(crate) use partitions::list_partitions;
pub(crate) use plan::{left_out_line, show_plan, summarize_plan};
pub(crate) use pools::{list_pools, set_pool_limit};
pub(crate) use runs::{list_runs, show_run};
pub(crate) use schedules::{handle_schedule, list_schedules};
pub(crate) use sensors::{describe_decision, handle_sensor, list_sensors};
pub(crate) use show::show_data;
pub(crate) use simulate::show_simulation;
pub(crate) use synth::generate_deployment;
pub(crate) use ticks::list_ticks;
