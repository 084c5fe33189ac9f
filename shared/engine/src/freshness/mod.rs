//! Freshness: the policies of a project, evaluated on its record, and what changed of them raised.
//!
//! What is known of each asset (when it was last materialized, how fresh it is and since when) is kept
//! as the cursor of [`trigger`], with the changes that nobody was told of yet. A change is put down
//! first, raised then, and taken off the list at last: it is raised once, and once more by whoever comes
//! next when the process that raised it died before it could say so.

mod evaluate;
mod known;
mod topic;

pub use evaluate::{Freshness, evaluate_freshness, look, trigger};
pub use known::Known;
pub use topic::{FreshnessChange, FreshnessTopic};

#[cfg(test)]
mod tests;
