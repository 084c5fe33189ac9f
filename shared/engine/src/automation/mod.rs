//! Automation: the conditions of a project, evaluated on its record.

mod evaluate;
mod facts;
mod history;
mod questions;
mod seen;

pub(crate) use evaluate::StoredCursor;
pub use evaluate::{AutomationError, AutomationTick, evaluate_automation, trigger};
pub(crate) use seen::{Seen, latest};

#[cfg(test)]
mod tests;
