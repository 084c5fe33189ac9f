//! Reactions to changes of the recorded state: sensors of assets and runs, automation conditions, and
//! freshness.
//!
//! [`react`] is called with the changes ([`ChangeSet`]): on AWS by the function that reads the table's
//! stream, after it has projected them; on a laptop by the process that made them. [`affected_by`]
//! selects the evaluations.
//!
//! # Reading position
//!
//! A change set only says *that* something changed. Each evaluation reads *what* changed from the state
//! store, from its own position: the sequence number of the last update it read, kept in its cursor.
//! The position moves in the transaction that requests the runs. So a change that is delivered twice,
//! late or out of order requests nothing twice, a change delivered concurrently is handled by exactly
//! one receiver, and a lost delivery is made up for by the next evaluation.
//!
//! Evaluations that depend on time alone run at ticks, which are arranged ([`TickScheduler`]) only while
//! an evaluation needs one.

mod affected;
mod change_set;
mod reaction;
mod tick;

pub use affected::{Affected, affected_by, reacts_to_changes};
pub use change_set::ChangeSet;
pub use reaction::{FailedEvaluation, OpenResources, ReactPorts, Reaction, react};
pub use tick::{RecordedTicks, TickScheduler};

#[cfg(test)]
mod tests;
