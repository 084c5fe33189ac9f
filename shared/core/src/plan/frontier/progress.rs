//! [`StepProgress`]: the progress of one step.

use std::collections::BTreeMap;

use crate::{
    graph::AssetId,
    key::AssetKey,
    partitions::PartitionSet,
    plan::frontier::{Tally, batching::Batches},
};

/// The progress of one step. Each partition of `target` is in exactly one of the other sets.
#[derive(Debug, Clone, Default)]
pub(super) struct StepProgress {
    /// The assets that the step makes; none for a step that only checks.
    pub assets: Vec<AssetId>,
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
    /// Partitions that are skipped.
    pub skipped: PartitionSet,
    /// The partitions of each asset of the step that are skipped, although the step may have made
    /// other assets for them.
    pub skipped_assets: BTreeMap<AssetId, PartitionSet>,
    /// The waiting partitions that are to be skipped once nothing that they wait for can fail, with the
    /// reason. The first reason of a partition counts.
    marked: Vec<Skipped>,
    /// The batches in which ready partitions are dispatched; `None` for one partition at a time.
    pub batches: Option<Batches>,
}

/// The skipped asset and partition that others are skipped for; `None` for a step that only checks.
type SkipSource = Option<(AssetKey, u64)>;

/// Partitions that are skipped, or to be skipped.
#[derive(Debug, Clone)]
pub(super) struct Skipped {
    pub partitions: PartitionSet,
    pub source: SkipSource,
}

impl StepProgress {
    pub(super) fn new(
        assets: Vec<AssetId>,
        target: PartitionSet,
        batches: Option<Batches>,
    ) -> Self {
        Self {
            assets,
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
        let held = self.remove_unstarted(set);
        self.held |= &held;
        held
    }

    /// Marks those of `set` that wait to be skipped.
    pub(super) fn mark_skipped(&mut self, set: &PartitionSet, source: &SkipSource) {
        let mut partitions = set & &self.waiting;
        for earlier in &self.marked {
            partitions -= &earlier.partitions;
        }
        if partitions.is_empty() {
            return;
        }
        match self.marked.iter_mut().find(|other| other.source == *source) {
            Some(other) => other.partitions |= &partitions,
            None => self.marked.push(Skipped {
                partitions,
                source: source.clone(),
            }),
        }
    }

    /// Skips those of `set` that are ready, and returns them.
    pub(super) fn skip_ready(
        &mut self,
        set: &PartitionSet,
        source: &SkipSource,
    ) -> Option<Skipped> {
        let partitions = self.remove_unstarted(&(set & &self.ready));
        self.skipped |= &partitions;
        let source = source.clone();
        (!partitions.is_empty()).then_some(Skipped { partitions, source })
    }

    /// Skips the marked ones of `set`, and returns them.
    pub(super) fn skip_marked(&mut self, set: &PartitionSet) -> Vec<Skipped> {
        let mut all = Vec::new();
        for mut marked in std::mem::take(&mut self.marked) {
            let partitions = self.remove_unstarted(&(&marked.partitions & set));
            marked.partitions -= set;
            if !marked.partitions.is_empty() {
                self.marked.push(marked.clone());
            }
            if !partitions.is_empty() {
                self.skipped |= &partitions;
                all.push(Skipped {
                    partitions,
                    source: marked.source,
                });
            }
        }
        all
    }

    /// Adds skipped partitions of one asset of the step, or of all of them.
    pub(super) fn add_skipped_assets(&mut self, asset: Option<AssetId>, set: &PartitionSet) {
        for other in &self.assets {
            if asset.is_none_or(|asset| asset == *other) {
                *self.skipped_assets.entry(*other).or_default() |= set;
            }
        }
    }

    /// Removes those of `set` that have not started, and returns them.
    pub(super) fn remove_unstarted(&mut self, set: &PartitionSet) -> PartitionSet {
        let were_ready = &self.ready & set;
        let removed = &(&self.waiting & set) | &were_ready;
        self.waiting -= &removed;
        self.ready -= &removed;
        if let Some(batches) = &mut self.batches {
            batches.remove_partitions(&removed, &were_ready);
        }
        removed
    }

    /// Returns the progress in numbers.
    pub(super) fn tally(&self) -> Tally {
        Tally {
            total: self.target.len(),
            running: self.running.len(),
            succeeded: self.done.len(),
            failed: self.failed.len(),
            held: self.held.len(),
            skipped: self.skipped.len(),
        }
    }
}
