//! What nothing else finds in generated files: a schedule, a time zone or an event pattern that AWS
//! takes and that never fires or is refused on the way, a state machine's file that is not there, a
//! placeholder that nothing stands for, a call that the machine's role does not allow.

mod checks;
mod cron;
mod document;
mod finding;
mod machine;
mod pattern;
mod role;
mod schedule;

pub use checks::check;
pub use finding::{Finding, Rule};
pub(crate) use machine::placeholders;

#[cfg(test)]
mod tests;
