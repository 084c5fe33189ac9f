//! [`Work`]: where the partitions of one step are.

use crate::{
    partitions::PartitionSet,
    plan::schedule::{Tally, batching::Batches},
};

/// Where the partitions of one step are. Each is in exactly one of the sets.
#[derive(Debug, Clone, Default)]
pub(super) struct Work {
    /// Everything planned.
    pub target: PartitionSet,
    /// Waiting for something.
    pub waiting: PartitionSet,
    /// Waiting for nothing.
    pub ready: PartitionSet,
    /// Handed out.
    pub running: PartitionSet,
    pub done: PartitionSet,
    pub failed: PartitionSet,
    pub held: PartitionSet,
    /// The batches that the ready ones are handed out in; `None` for one partition at a time.
    pub batches: Option<Batches>,
}

impl Work {
    pub(super) fn new(target: PartitionSet, batches: Option<Batches>) -> Self {
        Self {
            waiting: target.clone(),
            target,
            batches,
            ..Self::default()
        }
    }

    /// What may still come to be: downstream has to wait for it.
    pub(super) fn unsettled(&self) -> PartitionSet {
        let mut set = &self.waiting | &self.ready;
        set |= &self.running;
        set
    }

    /// Whether a partition may still come to be.
    pub(super) fn is_unsettled(&self, ordinal: u64) -> bool {
        self.waiting.contains(ordinal)
            || self.ready.contains(ordinal)
            || self.running.contains(ordinal)
    }

    pub(super) fn unsettled_len(&self) -> u64 {
        self.waiting.len() + self.ready.len() + self.running.len()
    }

    pub(super) fn release(&mut self, set: &PartitionSet) {
        self.waiting -= set;
        self.ready |= set;
        if let Some(batches) = &mut self.batches {
            batches.ready(set);
        }
    }

    /// Gives partitions up that were not begun. Answers those of `set` that it gave up.
    pub(super) fn hold(&mut self, set: &PartitionSet) -> PartitionSet {
        let were_ready = &self.ready & set;
        let held = &(&self.waiting & set) | &were_ready;
        self.waiting -= &held;
        self.ready -= &held;
        self.held |= &held;
        if let Some(batches) = &mut self.batches {
            batches.drop(&held, &were_ready);
        }
        held
    }

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
