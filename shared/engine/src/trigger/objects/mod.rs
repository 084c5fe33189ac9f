//! Sensors of objects: from events to runs.

mod batch;
mod decision;
mod evaluate;
mod evaluation;

pub(super) use batch::show_key;
pub use decision::{Decision, ObjectOptions, SensorOutcome};
pub(super) use evaluate::{Refusals, evaluate_recorded};
pub use evaluate::{evaluate_objects, preview_objects};
