//! Declarative automation: conditions that say when an asset is to be made, and their evaluation.
//!
//! An [`AutomationCondition`] is data. [`Conditions`] are those of a whole graph, checked once; they
//! are evaluated in *ticks*, each a pure function of what is true of the record (a [`Snapshot`]), of
//! what the tick before left (an [`AutomationCursor`]) and of the present moment. A tick answers what
//! is to be made, why, and with which cursor to go on ([`Evaluation`]). It works on whole sets of
//! partitions, so that a thousand assets of a thousand partitions are evaluated in milliseconds.
//!
//! The words and the rules are those of Dagster's `AutomationCondition`. Of its vocabulary the
//! conditions of jobs are absent (there are no jobs here), as are the freshness states.
//!
//! # Order within a tick
//!
//! `trigger.since(reset)` has to answer what holds when both became true between two ticks.
//! [`Ordering`] says how:
//!
//! - [`Ordering::Sequence`], the default: by the order of events. A trigger that is later than the
//!   last reset stands. Each update carries its place in the record's order and the moment at which
//!   its work began to read; a materialization takes account of what had landed upstream *when its
//!   work began*, not when it ended. So an upstream update that lands while the target is being made
//!   is not taken for handled, whichever of the two is recorded first, and whether or not a tick comes
//!   in between: nothing that lands upstream is lost. What has no moment of its own (a partition that
//!   is missing, a run that failed) is resolved as in the other order.
//! - [`Ordering::Tick`]: as Dagster 1.13, where the reset wins. It knows times only of updates,
//!   requests and cron ticks, and forgets them in every operator but dependencies; above all in the
//!   reset of `since_last_handled`. An upstream update that comes in the same tick as the target's own
//!   materialization is lost then (dagster-io/dagster#33587), as is one that comes while a requested
//!   run is at work. It is here to be compared with Dagster.
//!
//! Both answer the same as long as nothing collides.

mod build;
mod compile;
mod composite;
mod condition;
mod cursor;
mod display;
mod due;
mod error;
mod evaluate;
mod explanation;
mod fact;
mod node;
mod schedule;
mod snapshot;
mod stamp;
mod tick;
mod travel;
mod wire;

pub use build::CannotTakeOut;
pub use compile::Conditions;
pub use condition::{AutomationCondition, ConditionKind, Filter, RunTags};
pub use cursor::AutomationCursor;
pub use error::{EvaluationError, InvalidAutomation};
pub use explanation::Explanation;
pub use snapshot::{AssetFacts, CheckFacts, RunFacts, RunRef, Snapshot, Update};
pub use stamp::Stamp;
pub use tick::Evaluation;

/// How a tick resolves what became true in it together. See [the module](self#order-within-a-tick).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ordering {
    /// All that happened since the tick before is simultaneous, as in Dagster.
    Tick,
    /// By the order of events: nothing is lost.
    #[default]
    Sequence,
}

#[cfg(test)]
mod tests;
