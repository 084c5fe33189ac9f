//! [`RunObserver`]: who watches a run.

use std::time::Duration;

use precip_core::{
    partitions::PartitionSet,
    plan::{Step, StepId, Tally},
};

use crate::run::ItemOutcome;

/// Something that happened in a run.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// A step begins for some partitions.
    Started {
        /// Its place in the plan.
        id: StepId,
        /// The step.
        step: &'a Step,
        /// The partitions, by ordinal.
        partitions: &'a PartitionSet,
    },
    /// A step has ended for some partitions.
    Ended {
        /// Its place in the plan.
        id: StepId,
        /// The step.
        step: &'a Step,
        /// How.
        outcome: &'a ItemOutcome,
        /// How long it took, retries and waits included.
        took: Duration,
        /// How far the run is.
        tally: Tally,
    },
    /// A step will not run for some partitions.
    Held {
        /// Its place in the plan.
        id: StepId,
        /// The step.
        step: &'a Step,
        /// The partitions, by ordinal.
        partitions: &'a PartitionSet,
        /// How far the run is.
        tally: Tally,
    },
    /// An attempt failed and is tried again.
    Retrying {
        /// The step.
        step: &'a Step,
        /// The partitions, by ordinal.
        partitions: &'a PartitionSet,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// What went wrong.
        message: &'a str,
        /// How long until the next attempt.
        wait: Duration,
    },
}

/// Who watches a run: a progress bar, a log. It is told on the way and must not wait.
pub trait RunObserver: Send + Sync {
    /// Is told of something that happened.
    fn observe(&self, event: &RunEvent<'_>);
}

/// Nobody watches.
impl RunObserver for () {
    fn observe(&self, _: &RunEvent<'_>) {}
}
