//! Evaluation of a project's automation conditions on its record.

mod evaluate;
mod facts;
mod history;
mod required;
mod seen;

pub(crate) use evaluate::StoredCursor;
pub use evaluate::{AutomationError, AutomationTick, automation_trigger, evaluate_automation};
pub(crate) use seen::{Seen, read_latest};

#[cfg(test)]
mod tests;
