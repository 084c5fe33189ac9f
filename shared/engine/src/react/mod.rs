//! What follows from a change of the record: sensors of assets and runs, automation conditions, and
//! freshness.
//!
//! Whoever hears of changes ([`Happened`]) calls [`react`]: on AWS the function that reads the table's
//! stream, after it has projected them; on a laptop the process that made them. [`concerned`] decides
//! what they concern. Each evaluation reads the record from where it ended the last time and moves on in
//! the transaction that requests its runs, so that a change which is told of twice, late or out of order
//! requests nothing twice, and one that is told of in parallel is handled by one of those who were told.
//!
//! What changes with time alone is evaluated by a tick, which is arranged ([`TickScheduler`]) only while
//! something waits for one.

mod concern;
mod happened;
mod reacting;
mod tick;

pub use concern::{Concern, concerned, reacts};
pub use happened::Happened;
pub use reacting::{FailedEvaluation, OpenResources, ReactPorts, Reaction, react};
pub use tick::{RecordedTicks, TickScheduler};

#[cfg(test)]
mod tests;
