//! Asset checks inside a run: the effect of a failed check, and the names of steps.

mod gate;
mod step_name;

pub use gate::{Gate, evaluate_gate, stops_downstream};
pub use step_name::{asset_step_name, check_step_name};
