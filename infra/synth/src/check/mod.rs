//! Checks that no public validator makes: schedules, time zones and event patterns that AWS accepts
//! but that never fire or are refused later, missing files of state machines, placeholders without
//! a value, and calls that a machine's role does not allow.

mod checks;
mod cron;
mod document;
mod finding;
mod machine;
mod pattern;
mod role;
mod schedule;

pub use checks::check_files;
pub use finding::{Finding, Rule};
pub(crate) use machine::placeholders;

#[cfg(test)]
mod tests;
