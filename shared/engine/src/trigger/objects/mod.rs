//! Sensors of objects: from events to runs.

mod batch;
mod decision;
mod evaluate;
mod evaluation;

pub use decision::{Decision, ObjectOptions, SensorOutcome};
pub use evaluate::{evaluate_objects, preview_objects};
