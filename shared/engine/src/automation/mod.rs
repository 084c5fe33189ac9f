//! Automation: the conditions of a project, evaluated on its record.

mod evaluate;
mod facts;
mod history;
mod questions;

pub(crate) use evaluate::StoredCursor;
pub use evaluate::{AutomationError, AutomationTick, evaluate_automation, trigger};

#[cfg(test)]
mod tests;
