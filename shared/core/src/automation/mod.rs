//! Declarative automation: conditions that decide when assets are materialized, and their
//! evaluation.
//!
//! An [`AutomationCondition`] is data. [`Conditions`] are those of a whole graph, compiled once and
//! evaluated in *ticks*. A tick is a pure function of the recorded facts (a
//! [`Snapshot`]), the state of the tick before (an [`AutomationCursor`]) and the present moment.
//! Its result ([`Evaluation`]) holds the partitions to materialize, the reasons, and the next
//! cursor. It works on whole sets of partitions: a thousand assets of a thousand partitions take
//! milliseconds.
//!
//! The words and the rules are those of Dagster's `AutomationCondition`, without the conditions of
//! jobs (Precip has no jobs) and the freshness states.
//!
//! # Order within a tick
//!
//! Both sides of `trigger.since(reset)` can become true between two ticks. [`Ordering`] decides the
//! result:
//!
//! - [`Ordering::Sequence`], the default: by the order of events. A trigger holds if it is later
//!   than the last reset. Each update carries its sequence number and the moment at which its work
//!   began to read; a materialization covers the upstream updates that had landed *when its work
//!   began*, not when it ended. An upstream update that lands while the target is in progress
//!   therefore still counts, whichever of the two is recorded first, and whether or not a tick
//!   comes in between: no upstream update is lost. Facts without a moment (a missing partition, a
//!   failed run) resolve as in the other order.
//! - [`Ordering::Tick`]: as in Dagster 1.13, where the reset wins. It has times only for updates,
//!   requests and cron ticks, and drops them in every operator except those over dependencies;
//!   above all in the reset of `since_last_handled`.
//!   An upstream update in the same tick as the target's own materialization is lost
//!   (dagster-io/dagster#33587), as is one that lands while a requested run is in progress.
//!   Conditions on the runs of new updates also lose the first update of all, if a tick came before
//!   it: the cursor of an empty record counts as none. It exists for comparison with Dagster.
//!
//! Both give the same results as long as nothing collides.

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

pub use build::InvalidRemoval;
pub use compile::Conditions;
pub use condition::{AutomationCondition, ConditionKind, Filter, RunTags};
pub use cursor::AutomationCursor;
pub use error::{EvaluationError, InvalidAutomation};
pub use explanation::Explanation;
pub use snapshot::{AssetFacts, CheckFacts, RunFacts, RunRef, Snapshot, Update};
pub use stamp::Stamp;
pub use tick::Evaluation;

/// The order of events that became true between two ticks. See [the
/// module](self#order-within-a-tick).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ordering {
    /// All events since the tick before are simultaneous, as in Dagster.
    Tick,
    /// Events keep their order: none is lost.
    #[default]
    Sequence,
}

#[cfg(test)]
mod tests;
