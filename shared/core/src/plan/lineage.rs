//! [`Lineage`]: translating partition sets along the edges of a graph.

use crate::{
    graph::{AssetGraph, AssetId, Edge},
    mapping::{InvalidMapping, PartitionMapping, UpstreamPartitions},
    partitions::{PartitionContext, PartitionKey, PartitionSet},
    plan::{AssetPartitions, asset_partitions::all_partitions},
};

/// A graph at one moment, which translates partition sets along its edges.
#[derive(Debug, Clone, Copy)]
pub struct Lineage<'a> {
    /// The graph.
    pub graph: &'a AssetGraph,
    /// The moment, and the keys of dynamic partitions.
    pub context: &'a PartitionContext,
}

/// An upstream partition that is needed and does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsentUpstream {
    /// Its key; for an upstream of several dimensions, the key of a dimension.
    pub key: PartitionKey,
    /// True if it is a window that will exist as time passes.
    pub to_come: bool,
}

impl<'a> Lineage<'a> {
    /// Combines a graph with a moment.
    pub fn new(graph: &'a AssetGraph, context: &'a PartitionContext) -> Self {
        Self { graph, context }
    }

    /// Returns the partitions of `edge.asset` that depend on any partition in `set` of `asset`.
    /// Where either asset is unpartitioned, every partition depends on every other.
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
            _ => Ok(all_partitions(self.graph, edge.asset, self.context)),
        }
    }

    /// Returns the partitions of `edge.asset` that the partitions in `set` of `asset` depend on.
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

    /// Returns those of `candidates` of an asset that depend on nothing but partitions in `above` of
    /// the upstream asset, and on at least one of these.
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a mapping that an [`AssetGraph`] accepted.
    pub fn made_from_only(
        &self,
        asset: AssetId,
        edge: &Edge,
        candidates: &PartitionSet,
        above: &PartitionSet,
    ) -> Result<PartitionSet, InvalidMapping> {
        let mut found = PartitionSet::empty();
        for ordinal in candidates.iter() {
            let existing = self
                .to_upstream(asset, &PartitionSet::single(ordinal), edge)?
                .existing;
            if !existing.is_empty() && existing.is_subset(above) {
                found.insert(ordinal);
            }
        }
        Ok(found)
    }

    /// Returns an upstream partition that `set` of `asset` needs along an edge and that does not exist;
    /// one that never will exist before one that is to come.
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a mapping that an [`AssetGraph`] accepted.
    pub fn absent_upstream(
        &self,
        asset: AssetId,
        set: &PartitionSet,
        edge: &Edge,
    ) -> Result<Option<AbsentUpstream>, InvalidMapping> {
        let (downstream, upstream) = (
            self.graph.partitions(asset),
            self.graph.partitions(edge.asset),
        );
        let nonexistent = self.to_upstream(asset, set, edge)?.nonexistent;
        let coming = edge
            .mapping
            .upstream_to_come(set, downstream, upstream, self.context)?;
        let never = nonexistent.into_iter().find(|key| !coming.contains(key));
        let absent = |to_come| move |key| AbsentUpstream { key, to_come };
        Ok(never
            .map(absent(false))
            .or_else(|| coming.into_iter().next().map(absent(true))))
    }

    /// Returns the partitions in `set` of `asset` that need, along one edge, an upstream partition that
    /// does not exist.
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a mapping that an [`AssetGraph`] accepted.
    pub fn without_upstream_of(
        &self,
        asset: AssetId,
        set: &PartitionSet,
        edge: &Edge,
    ) -> Result<PartitionSet, InvalidMapping> {
        // A mapping answers for a whole set: halve the sets for which something is absent until each
        // is one partition. Usually they are a few of the latest ones.
        let mut without = PartitionSet::empty();
        let mut open = vec![set.clone()];
        while let Some(part) = open.pop() {
            let (Some(first), Some(last)) = (part.first(), part.last()) else {
                continue;
            };
            if self.absent_upstream(asset, &part, edge)?.is_none() {
                continue;
            }
            if first == last {
                without.insert(first);
                continue;
            }
            let middle = first + (last - first) / 2 + 1;
            let mut upper = part.clone();
            upper.remove_range(0..middle);
            open.push(&part - &upper);
            open.push(upper);
        }
        Ok(without)
    }

    /// Returns `from`, and everything in `within` that depends on it, directly or through other
    /// pairs in `within`: the partitions that are held back when `from` fails.
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a mapping that an [`AssetGraph`] accepted.
    pub fn and_downstream(
        &self,
        from: &AssetPartitions,
        within: &AssetPartitions,
    ) -> Result<AssetPartitions, InvalidMapping> {
        // In topological order each asset is visited once, after all of its upstream assets.
        let mut reached = from.intersection(within);
        for &asset in self.graph.topological() {
            if !reached.contains_asset(asset) {
                continue;
            }
            self.close_over_itself(asset, &mut reached, within)?;
            let set = reached.of(asset).clone();
            for edge in self.graph.downstream(asset) {
                if edge.asset != asset && within.contains_asset(edge.asset) {
                    let below = self.to_downstream(asset, &set, edge)?;
                    reached.add(edge.asset, &(&below & within.of(edge.asset)));
                }
            }
        }
        Ok(reached)
    }

    /// Adds the later partitions of an asset that depends on earlier partitions of itself.
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

    /// Returns `true` if both ends of an edge have the same partitions and each partition depends
    /// on the one with the same key, so that one invocation can follow the other.
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

    /// Returns `true` if an asset depends on earlier partitions of itself.
    pub fn has_self_dependency(&self, asset: AssetId) -> bool {
        self.graph
            .upstream(asset)
            .iter()
            .any(|edge| edge.asset == asset)
    }
}
