//! [`StepProgress`]: the progress of one step.

use crate::{
    partitions::PartitionSet,
    plan::frontier::{Tally, batching::Batches},
};

/// The progress of one step. Each partition of `target` is in exactly one of the other sets.
#[derive(Debug, Clone, Default)]
pub(super) struct StepProgress {
    /// The planned partitions.
    pub target: PartitionSet,
    /// Partitions that wait for others.
    pub waiting: PartitionSet,
    /// Partitions that can run.
    pub ready: PartitionSet,
    /// Partitions that were dispatched.
    pub running: PartitionSet,
    /// Partitions that succeeded.
    pub done: PartitionSet,
    /// Partitions that failed.
    pub failed: PartitionSet,
    /// Partitions that are held back.
    pub held: PartitionSet,
    /// The batches in which ready partitions are dispatched; `None` for one partition at a time.
    pub batches: Option<Batches>,
}

impl StepProgress {
    pub(super) fn new(target: PartitionSet, batches: Option<Batches>) -> Self {
        Self {
            waiting: target.clone(),
            target,
            batches,
            ..Self::default()
        }
    }

    /// Returns the partitions without an outcome, which downstream steps wait for.
    pub(super) fn pending(&self) -> PartitionSet {
        let mut set = &self.waiting | &self.ready;
        set |= &self.running;
        set
    }

    /// Returns `true` if a partition has no outcome yet.
    pub(super) fn is_pending(&self, ordinal: u64) -> bool {
        self.waiting.contains(ordinal)
            || self.ready.contains(ordinal)
            || self.running.contains(ordinal)
    }

    /// Returns the number of partitions without an outcome.
    pub(super) fn pending_len(&self) -> u64 {
        self.waiting.len() + self.ready.len() + self.running.len()
    }

    /// Marks waiting partitions as ready.
    pub(super) fn mark_ready(&mut self, set: &PartitionSet) {
        self.waiting -= set;
        self.ready |= set;
        if let Some(batches) = &mut self.batches {
            batches.mark_ready(set);
        }
    }

    /// Holds back those of `set` that have not started, and returns them.
    pub(super) fn hold_back(&mut self, set: &PartitionSet) -> PartitionSet {
        let were_ready = &self.ready & set;
        let held = &(&self.waiting & set) | &were_ready;
        self.waiting -= &held;
        self.ready -= &held;
        self.held |= &held;
        if let Some(batches) = &mut self.batches {
            batches.remove_partitions(&held, &were_ready);
        }
        held
    }

    /// Returns the progress in numbers.
    pub(super) fn tally(&self) -> Tally {
        Tally {
            total: self.target.len(),
            running: self.running.len(),
            succeeded: self.done.len(),
            failed: self.failed.len(),
            held: self.held.len(),
        }
    }
}
