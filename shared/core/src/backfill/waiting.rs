//! [`Waiting`]: deciding whether partitions can share a run with the upstream partitions they wait
//! for.

use crate::{
    backfill::{eligible::Wave, queue::Unit, run_request::policy_of_asset},
    graph::{AssetId, Edge},
    mapping::PartitionMapping,
    partitions::PartitionSet,
    plan::AssetPartitions,
    spec::BackfillPolicy,
};

/// Candidate partitions of an asset, and the upstream partitions of one edge that are not yet
/// materialized.
pub(super) struct Waiting<'a> {
    pub wave: &'a Wave<'a>,
    pub asset: AssetId,
    /// The edge to the upstream asset.
    pub edge: &'a Edge,
    /// The candidate partitions that are left.
    pub set: &'a PartitionSet,
    /// The assets that are candidates together, with their partitions at the start.
    pub unit: &'a Unit,
    /// The partitions that this wave requests so far.
    pub wave_requests: &'a AssetPartitions,
    /// The targeted upstream partitions that are not yet materialized.
    pub unmade: &'a PartitionSet,
}

impl Waiting<'_> {
    /// Returns `true` if the partitions have to wait, because they cannot share runs with the
    /// upstream partitions.
    pub(super) fn has_to_wait(&self) -> bool {
        let upstream = self.edge.asset;
        let itself = upstream == self.asset;
        if !itself && !self.requests_same_partitions() {
            return true;
        }
        let graph = self.wave.lineage.graph;
        // Assets share a run only with one policy and one definition.
        if self.policy_of(upstream) != self.policy_of(self.asset)
            || graph.partitions(upstream) != graph.partitions(self.asset)
        {
            return true;
        }
        if itself {
            return self.waits_for_itself();
        }
        // An asset that depends on itself shares no run with assets of other ops.
        let outside = !self.unit.assets.contains(&upstream);
        if self.wave.lineage.has_self_dependency(self.asset)
            && outside
            && self.wave_requests.contains_asset(upstream)
        {
            return true;
        }
        !self.is_partition_by_partition() && !self.fits_one_run()
    }

    /// Returns `true` if exactly the same partitions of the upstream asset are requested, in this
    /// wave or as part of the same candidate.
    fn requests_same_partitions(&self) -> bool {
        let upstream = self.edge.asset;
        let together = self.unit.assets.contains(&upstream) && self.unit.set == *self.set;
        self.wave_requests.of(upstream) == self.set || together
    }

    /// Returns `true` if the asset waits for earlier partitions of itself. Under a batching policy
    /// one run takes several: partitions of the same candidate do not have to come before.
    fn waits_for_itself(&self) -> bool {
        match self.policy_of(self.asset) {
            BackfillPolicy::PerPartition => !self.unmade.is_empty(),
            _ => !(self.unmade - self.set).is_empty(),
        }
    }

    /// Returns `true` if each partition depends on the one with the same key.
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

    /// Returns `true` if all targeted partitions of both assets fit one run, which satisfies any
    /// mapping.
    fn fits_one_run(&self) -> bool {
        let upstream = self.edge.asset;
        let target = self.wave.target.of(upstream);
        let wave_requests = self.wave_requests.of(upstream).len();
        let fits = match self.policy_of(upstream) {
            BackfillPolicy::PerPartition => false,
            BackfillPolicy::SingleRun => true,
            BackfillPolicy::MultiRun(most) => u64::from(most.get()) > wave_requests,
        };
        fits && target == self.wave.target.of(self.asset) && wave_requests == target.len()
    }

    fn policy_of(&self, asset: AssetId) -> BackfillPolicy {
        policy_of_asset(self.wave.lineage, asset)
    }
}
