//! [`RunObserver`]: the port to which the progress of a run is reported.

use std::time::Duration;

use precip_core::{
    partitions::PartitionSet,
    plan::{LossCause, Step, StepId, Tally},
};

use crate::run::ItemOutcome;

/// A step's progress in a run.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// A step has started for some partitions.
    Started {
        /// Its position in the plan.
        id: StepId,
        /// The step.
        step: &'a Step,
        /// The partitions, by ordinal.
        partitions: &'a PartitionSet,
    },
    /// A step has ended for some partitions.
    Ended {
        /// Its position in the plan.
        id: StepId,
        /// The step.
        step: &'a Step,
        /// The outcome.
        outcome: &'a ItemOutcome,
        /// The duration, retries and waits included.
        took: Duration,
        /// The progress of the whole run.
        tally: Tally,
    },
    /// A step is not tried for some partitions: they are held back or skipped.
    Withheld {
        /// Its position in the plan.
        id: StepId,
        /// The step.
        step: &'a Step,
        /// The partitions, by ordinal.
        partitions: &'a PartitionSet,
        /// The cause: a failure holds back, and a skip skips.
        cause: LossCause,
        /// The progress of the whole run.
        tally: Tally,
    },
    /// An attempt failed and is retried.
    Retrying {
        /// The step.
        step: &'a Step,
        /// The partitions, by ordinal.
        partitions: &'a PartitionSet,
        /// Number of the failed attempt, from 1.
        attempt: u32,
        /// The error message.
        message: &'a str,
        /// The time until the next attempt.
        wait: Duration,
    },
}

/// Observes a run, as a progress bar or a log does. It is called while the run goes on and must not
/// block.
pub trait RunObserver: Send + Sync {
    /// Handles one event.
    fn on_event(&self, event: &RunEvent<'_>);
}

/// Ignores every event.
impl RunObserver for () {
    fn on_event(&self, _: &RunEvent<'_>) {}
}
