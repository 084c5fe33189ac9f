//! Asset checks inside a run: what a failed one stops, and what a step is called.

mod gate;
mod step_name;

pub use gate::{Gate, gate, stops_downstream};
pub use step_name::{asset_step_name, check_step_name};
