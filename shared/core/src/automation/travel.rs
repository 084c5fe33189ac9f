//! Translating sets of partitions from one asset to another.

use super::{EvaluationError, tick::Tick};
use crate::{graph::AssetId, mapping::PartitionMapping, partitions::PartitionSet, plan::Lineage};

impl Tick<'_> {
    /// Returns the partitions of the upstream asset `to` that partitions of `from` depend on.
    pub(super) fn map_upstream(
        &self,
        root: AssetId,
        mapping: &PartitionMapping,
        from: AssetId,
        to: AssetId,
        partitions: &PartitionSet,
    ) -> Result<PartitionSet, EvaluationError> {
        let graph = self.conditions.graph;
        if partitions.is_empty() {
            return Ok(PartitionSet::empty());
        }
        let Some(upstream) = graph.partitions(to) else {
            return Ok(self.all(to).as_ref().clone());
        };
        mapping
            .to_upstream(
                partitions,
                graph.partitions(from),
                Some(upstream),
                self.context,
            )
            .map(|upstream| upstream.existing)
            .map_err(|error| self.cannot_match(root, from, to, &error.to_string()))
    }

    /// Returns the partitions of the downstream asset `to` that depend on partitions of `from`.
    pub(super) fn map_downstream(
        &self,
        root: AssetId,
        mapping: &PartitionMapping,
        from: AssetId,
        to: AssetId,
        partitions: &PartitionSet,
    ) -> Result<PartitionSet, EvaluationError> {
        let graph = self.conditions.graph;
        if partitions.is_empty() {
            return Ok(PartitionSet::empty());
        }
        let (upstream, downstream) = (graph.partitions(from), graph.partitions(to));
        if upstream.is_none() || downstream.is_none() {
            return Ok(self.all(to).as_ref().clone());
        }
        mapping
            .to_downstream(partitions, upstream, downstream, self.context)
            .map_err(|error| self.cannot_match(root, from, to, &error.to_string()))
    }

    /// Returns the partitions of `here` that depend on a partition of its upstream asset `there` that
    /// does not exist; none where the assets are not connected.
    pub(super) fn without_upstream_of(
        &self,
        root: AssetId,
        (here, there): (AssetId, AssetId),
        partitions: &PartitionSet,
    ) -> Result<PartitionSet, EvaluationError> {
        let graph = self.conditions.graph;
        let mut edges = graph.upstream(here).iter();
        match edges.find(|edge| edge.asset == there) {
            None => Ok(PartitionSet::empty()),
            Some(edge) => Lineage::new(graph, self.context)
                .without_upstream_of(here, partitions, edge)
                .map_err(|error| self.cannot_match(root, here, there, &error.to_string())),
        }
    }

    /// Creates the error of a mapping that failed.
    fn cannot_match(
        &self,
        root: AssetId,
        from: AssetId,
        to: AssetId,
        reason: &str,
    ) -> EvaluationError {
        let graph = self.conditions.graph;
        EvaluationError {
            asset: graph.key(root).clone(),
            from: graph.key(from).clone(),
            to: graph.key(to).clone(),
            reason: reason.to_owned(),
        }
    }
}
