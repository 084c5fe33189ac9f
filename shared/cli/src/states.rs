//! [`PartitionStates`]: the state of partitions, as tables and counts show it.

use precip_core::{
    graph::AssetId,
    partitions::PartitionSet,
    plan::{AssetPartitions, AssetStatuses},
};

use crate::graph::Tally;

/// The states of the partitions of some assets.
#[derive(Debug)]
pub(crate) struct PartitionStates {
    /// The statuses on record.
    statuses: AssetStatuses,
    /// The partitions without data that there is nothing to make for.
    nothing_to_make: AssetPartitions,
}

impl PartitionStates {
    pub(crate) fn new(statuses: AssetStatuses, nothing_to_make: AssetPartitions) -> Self {
        Self {
            statuses,
            nothing_to_make,
        }
    }

    /// Returns the materialized partitions of an asset.
    pub(crate) fn materialized(&self, asset: AssetId) -> &PartitionSet {
        self.statuses.materialized.of(asset)
    }

    /// Returns the partitions of an asset whose newest attempt failed.
    pub(crate) fn failed(&self, asset: AssetId) -> &PartitionSet {
        self.statuses.failed.of(asset)
    }

    /// Returns the skipped partitions of an asset: those whose newest attempt had nothing to make, and
    /// those without data that need such a one.
    pub(crate) fn skipped(&self, asset: AssetId) -> PartitionSet {
        self.statuses.skipped.of(asset) | self.nothing_to_make.of(asset)
    }

    /// Returns those of some partitions that are missing: without data, though there may be something
    /// to make.
    pub(crate) fn missing(&self, asset: AssetId, existing: &PartitionSet) -> PartitionSet {
        &(existing - self.materialized(asset)) - self.nothing_to_make.of(asset)
    }

    /// Returns the state of a partition that no attempt is under way for. A partition can be in
    /// several sets: the newest attempt comes first.
    pub(crate) fn state_of(&self, asset: AssetId, ordinal: u64) -> &'static str {
        if self.statuses.failed.contains(asset, ordinal) {
            "failed"
        } else if self.statuses.skipped.contains(asset, ordinal) {
            "skipped"
        } else if self.statuses.materialized.contains(asset, ordinal) {
            "materialized"
        } else if self.nothing_to_make.contains(asset, ordinal) {
            "skipped"
        } else {
            "missing"
        }
    }

    /// Counts partitions by state.
    pub(crate) fn tally(&self, asset: AssetId, existing: &PartitionSet) -> Tally {
        Tally {
            materialized: (self.materialized(asset) & existing).len(),
            failed: (self.failed(asset) & existing).len(),
            skipped: (&self.skipped(asset) & existing).len(),
            missing: self.missing(asset, existing).len(),
            total: existing.len(),
        }
    }
}
