//! [`Batches`]: dispatching partitions in the batches of a backfill policy.

use std::collections::{BTreeMap, BTreeSet};

use crate::{partitions::PartitionSet, plan::Batch};

/// The batches of one step. A batch is complete when every partition left in it is ready.
#[derive(Debug, Clone, Default)]
pub(super) struct Batches {
    batches: Vec<Waiting>,
    batch_of: BTreeMap<u64, usize>,
    complete: BTreeSet<usize>,
}

#[derive(Debug, Clone)]
struct Waiting {
    /// The partitions of the batch that have not run.
    rest: PartitionSet,
    /// The number of partitions in `rest` that are ready.
    ready: u64,
}

impl Batches {
    pub(super) fn new(batches: Vec<Batch>) -> Self {
        let batch_of = batches
            .iter()
            .enumerate()
            .flat_map(|(index, batch)| batch.partitions.iter().map(move |o| (o, index)))
            .collect();
        let waiting = batches.into_iter().map(|batch| Waiting {
            rest: batch.partitions,
            ready: 0,
        });
        Self {
            batches: waiting.collect(),
            batch_of,
            complete: BTreeSet::new(),
        }
    }

    /// Marks partitions as ready.
    pub(super) fn mark_ready(&mut self, set: &PartitionSet) {
        for ordinal in set.iter() {
            if let Some(&index) = self.batch_of.get(&ordinal) {
                self.batches[index].ready += 1;
                self.update_completeness(index);
            }
        }
    }

    /// Removes partitions that will not run; `were_ready` are those of them that were ready.
    pub(super) fn remove_partitions(&mut self, set: &PartitionSet, were_ready: &PartitionSet) {
        for ordinal in set.iter() {
            if let Some(&index) = self.batch_of.get(&ordinal) {
                let batch = &mut self.batches[index];
                if batch.rest.remove(ordinal) && were_ready.contains(ordinal) {
                    batch.ready -= 1;
                }
                self.update_completeness(index);
            }
        }
    }

    /// Updates whether a batch is complete.
    fn update_completeness(&mut self, index: usize) {
        let batch = &self.batches[index];
        if !batch.rest.is_empty() && batch.ready == batch.rest.len() {
            self.complete.insert(index);
        } else {
            self.complete.remove(&index);
        }
    }

    /// Iterates over the complete batches in order.
    pub(super) fn complete_batches(&self) -> impl Iterator<Item = (usize, &PartitionSet)> {
        let batch = |index: &usize| (*index, &self.batches[*index].rest);
        self.complete.iter().map(batch)
    }

    /// Takes a complete batch.
    pub(super) fn take_batch(&mut self, index: usize) -> PartitionSet {
        self.complete.remove(&index);
        let batch = &mut self.batches[index];
        batch.ready = 0;
        std::mem::take(&mut batch.rest)
    }
}
