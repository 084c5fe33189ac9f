//! Whether partitions can run together with the upstream partitions they wait for.

use crate::{
    backfill::{eligible::Wave, queue::Unit, run_request::policy},
    graph::{AssetId, Edge},
    mapping::PartitionMapping,
    partitions::PartitionSet,
    plan::AssetPartitions,
    spec::BackfillPolicy,
};

/// Partitions of an asset, and the upstream partitions of one edge that are not made yet.
pub(super) struct Waiting<'a> {
    pub wave: &'a Wave<'a>,
    pub asset: AssetId,
    /// The edge to the upstream asset.
    pub edge: &'a Edge,
    /// What is left of the candidate.
    pub set: &'a PartitionSet,
    /// The candidate it is part of.
    pub unit: &'a Unit,
    /// What this wave asks for so far.
    pub asked: &'a AssetPartitions,
    /// The targeted upstream partitions that are not made yet.
    pub unmade: &'a PartitionSet,
}

impl Waiting<'_> {
    /// Whether the partitions have to wait, because they cannot share runs with what they wait for.
    pub(super) fn has_to_wait(&self) -> bool {
        let upstream = self.edge.asset;
        let itself = upstream == self.asset;
        if !itself && !self.asks_for_the_same() {
            return true;
        }
        let graph = self.wave.lineage.graph;
        if self.policy(upstream) != self.policy(self.asset)
            || graph.partitions(upstream) != graph.partitions(self.asset)
        {
            return true;
        }
        if itself {
            return self.waits_for_itself();
        }
        let outside = !self.unit.assets.contains(&upstream);
        if self.wave.lineage.has_self_dependency(self.asset) && outside && self.asked.has(upstream)
        {
            return true;
        }
        !self.is_partition_by_partition() && !self.fits_one_run()
    }

    /// Whether the upstream asset is asked for exactly the same partitions, in this wave or as part
    /// of the same candidate.
    fn asks_for_the_same(&self) -> bool {
        let upstream = self.edge.asset;
        let together = self.unit.assets.contains(&upstream) && self.unit.set == *self.set;
        self.asked.of(upstream) == self.set || together
    }

    /// An asset made from earlier partitions of itself can make several in one run under a batching
    /// policy: then those that are part of the candidate do not have to be made before.
    fn waits_for_itself(&self) -> bool {
        match self.policy(self.asset) {
            BackfillPolicy::PerPartition => !self.unmade.is_empty(),
            _ => !(self.unmade - self.set).is_empty(),
        }
    }

    fn is_partition_by_partition(&self) -> bool {
        match &self.edge.mapping {
            PartitionMapping::Identity => true,
            PartitionMapping::TimeWindow {
                start_offset: 0,
                end_offset: 0,
                ..
            } => true,
            _ => self.wave.lineage.graph.partitions(self.asset).is_none(),
        }
    }

    /// Whether all targeted partitions of both fit one run: then any mapping is satisfied in it.
    fn fits_one_run(&self) -> bool {
        let upstream = self.edge.asset;
        let target = self.wave.target.of(upstream);
        let asked = self.asked.of(upstream).len();
        let fits = match self.policy(upstream) {
            BackfillPolicy::PerPartition => false,
            BackfillPolicy::SingleRun => true,
            BackfillPolicy::MultiRun(most) => u64::from(most.get()) > asked,
        };
        fits && target == self.wave.target.of(self.asset) && asked == target.len()
    }

    fn policy(&self, asset: AssetId) -> BackfillPolicy {
        policy(self.wave.lineage, asset)
    }
}
