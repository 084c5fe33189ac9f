//! Partition sets along the edges of a graph.

use crate::{
    graph::{AssetGraph, AssetId, Edge},
    mapping::{InvalidMapping, PartitionMapping, UpstreamPartitions},
    partitions::{PartitionContext, PartitionSet},
    plan::{AssetPartitions, asset_partitions::every},
};

/// A graph at one moment: follows partitions along its edges.
#[derive(Debug, Clone, Copy)]
pub struct Lineage<'a> {
    /// The graph.
    pub graph: &'a AssetGraph,
    /// The moment, and the dynamic keys.
    pub context: &'a PartitionContext,
}

impl<'a> Lineage<'a> {
    /// Looks at a graph at a moment.
    pub fn new(graph: &'a AssetGraph, context: &'a PartitionContext) -> Self {
        Self { graph, context }
    }

    /// The partitions of `edge.asset` that are made from some of `set` of `asset`. Where either side
    /// is not divided, everything is made from anything.
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a mapping that an [`AssetGraph`] accepted.
    pub fn to_downstream(
        &self,
        asset: AssetId,
        set: &PartitionSet,
        edge: &Edge,
    ) -> Result<PartitionSet, InvalidMapping> {
        if set.is_empty() {
            return Ok(PartitionSet::empty());
        }
        match (
            self.graph.partitions(asset),
            self.graph.partitions(edge.asset),
        ) {
            (Some(upstream), Some(downstream)) => {
                edge.mapping
                    .to_downstream(set, Some(upstream), Some(downstream), self.context)
            }
            _ => Ok(every(self.graph, edge.asset, self.context)),
        }
    }

    /// The partitions of `edge.asset` that `set` of `asset` is made from.
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a mapping that an [`AssetGraph`] accepted.
    pub fn to_upstream(
        &self,
        asset: AssetId,
        set: &PartitionSet,
        edge: &Edge,
    ) -> Result<UpstreamPartitions, InvalidMapping> {
        if set.is_empty() {
            return Ok(UpstreamPartitions::default());
        }
        let Some(upstream) = self.graph.partitions(edge.asset) else {
            return Ok(UpstreamPartitions {
                existing: PartitionSet::single(0),
                nonexistent: Vec::new(),
            });
        };
        edge.mapping.to_upstream(
            set,
            self.graph.partitions(asset),
            Some(upstream),
            self.context,
        )
    }

    /// `from`, and everything in `within` that is made from it, directly or by way of other pairs in
    /// `within`: what has to be given up when `from` failed.
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a mapping that an [`AssetGraph`] accepted.
    pub fn and_downstream(
        &self,
        from: &AssetPartitions,
        within: &AssetPartitions,
    ) -> Result<AssetPartitions, InvalidMapping> {
        let mut reached = from.and(within);
        for &asset in self.graph.topological() {
            if !reached.has(asset) {
                continue;
            }
            self.close_over_itself(asset, &mut reached, within)?;
            let set = reached.of(asset).clone();
            for edge in self.graph.downstream(asset) {
                if edge.asset != asset && within.has(edge.asset) {
                    let below = self.to_downstream(asset, &set, edge)?;
                    reached.add(edge.asset, &(&below & within.of(edge.asset)));
                }
            }
        }
        Ok(reached)
    }

    /// An asset that is made from earlier partitions of itself hands a failure on to the later ones.
    fn close_over_itself(
        &self,
        asset: AssetId,
        reached: &mut AssetPartitions,
        within: &AssetPartitions,
    ) -> Result<(), InvalidMapping> {
        let edges = self.graph.downstream(asset);
        let Some(edge) = edges.iter().find(|edge| edge.asset == asset) else {
            return Ok(());
        };
        let mut front = reached.of(asset).clone();
        while !front.is_empty() {
            let below = self.to_downstream(asset, &front, edge)?;
            front = &(&below & within.of(asset)) - reached.of(asset);
            reached.add(asset, &front);
        }
        Ok(())
    }

    /// Whether both ends of an edge are divided in the same way and each partition is made from the
    /// one with the same key, so that both can be made one after the other in one go.
    pub fn is_one_to_one(&self, asset: AssetId, edge: &Edge) -> bool {
        let same = self.graph.partitions(asset) == self.graph.partitions(edge.asset);
        let simple = match &edge.mapping {
            PartitionMapping::Identity => true,
            PartitionMapping::TimeWindow {
                start_offset: 0,
                end_offset: 0,
                ..
            } => true,
            _ => self.graph.partitions(asset).is_none(),
        };
        same && simple && edge.asset != asset
    }

    /// Whether an asset is made from earlier partitions of itself.
    pub fn has_self_dependency(&self, asset: AssetId) -> bool {
        self.graph
            .upstream(asset)
            .iter()
            .any(|edge| edge.asset == asset)
    }
}
