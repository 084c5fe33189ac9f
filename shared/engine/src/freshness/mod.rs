//! Freshness: evaluates a project's freshness policies on its record, and raises changes of state.
//!
//! The freshness of each asset (its last materialization, its state and since when) is the cursor
//! of [`freshness_trigger`], together with the changes that still have to be raised. A change is
//! first recorded, then raised, then taken off the list. It is therefore raised at least once, and
//! again only if the process that raised it died before it took the change off the list.

mod evaluate;
mod known;
mod topic;

pub use evaluate::{FreshnessOutcome, evaluate_freshness, freshness_trigger, read_freshness};
pub use known::AssetFreshness;
pub use topic::{FreshnessChange, FreshnessTopic};

#[cfg(test)]
mod tests;
