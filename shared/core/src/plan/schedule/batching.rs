//! [`Batches`]: handing out partitions in the batches of a backfill policy.

use std::collections::{BTreeMap, BTreeSet};

use crate::{partitions::PartitionSet, plan::Batch};

/// The batches of one step, and which of them are complete.
#[derive(Debug, Clone, Default)]
pub(super) struct Batches {
    batches: Vec<Waiting>,
    batch_of: BTreeMap<u64, usize>,
    complete: BTreeSet<usize>,
}

#[derive(Debug, Clone)]
struct Waiting {
    /// What is still to be run of it.
    rest: PartitionSet,
    /// How many of the rest can run.
    ready: u64,
}

impl Batches {
    pub(super) fn new(batches: Vec<Batch>) -> Self {
        let batch_of = batches
            .iter()
            .enumerate()
            .flat_map(|(place, batch)| batch.partitions.iter().map(move |o| (o, place)))
            .collect();
        let batches = batches.into_iter().map(|batch| Waiting {
            rest: batch.partitions,
            ready: 0,
        });
        Self {
            batches: batches.collect(),
            batch_of,
            complete: BTreeSet::new(),
        }
    }

    /// Some partitions can run.
    pub(super) fn ready(&mut self, set: &PartitionSet) {
        for ordinal in set.iter() {
            if let Some(&place) = self.batch_of.get(&ordinal) {
                self.batches[place].ready += 1;
                self.look_at(place);
            }
        }
    }

    /// Some partitions will not run (any more); `were_ready` are those of them that could have.
    pub(super) fn drop(&mut self, set: &PartitionSet, were_ready: &PartitionSet) {
        for ordinal in set.iter() {
            if let Some(&place) = self.batch_of.get(&ordinal) {
                let batch = &mut self.batches[place];
                if batch.rest.remove(ordinal) && were_ready.contains(ordinal) {
                    batch.ready -= 1;
                }
                self.look_at(place);
            }
        }
    }

    fn look_at(&mut self, place: usize) {
        let batch = &self.batches[place];
        if !batch.rest.is_empty() && batch.ready == batch.rest.len() {
            self.complete.insert(place);
        } else {
            self.complete.remove(&place);
        }
    }

    /// The complete batches, first ones first.
    pub(super) fn complete(&self) -> impl Iterator<Item = (usize, &PartitionSet)> {
        let batch = |place: &usize| (*place, &self.batches[*place].rest);
        self.complete.iter().map(batch)
    }

    /// Hands a complete batch out.
    pub(super) fn take(&mut self, place: usize) -> PartitionSet {
        self.complete.remove(&place);
        let batch = &mut self.batches[place];
        batch.ready = 0;
        std::mem::take(&mut batch.rest)
    }
}
