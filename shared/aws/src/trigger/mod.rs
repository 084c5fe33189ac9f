//! Scheduled calls of the reactor, and the topic that it publishes freshness changes to.

mod scheduler;
mod topic;

pub use scheduler::ScheduledTicks;
pub use topic::SnsTopic;

#[cfg(test)]
mod tests;
