//! What calls the functions that react, and where they raise what others hear of.

mod error;
mod scheduler;
mod topic;

pub use scheduler::ScheduledTicks;
pub use topic::SnsTopic;

#[cfg(test)]
mod tests;
