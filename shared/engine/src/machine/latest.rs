//! Names and records of partitions.

use precip_core::{
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet},
};

use crate::{
    machine::{Planner, work::Laid},
    state::{Latest, PartitionRef},
};

impl Planner {
    /// The names under which the record keeps partitions of an asset.
    pub(super) fn targets(
        &self,
        context: &PartitionContext,
        asset: &AssetKey,
        set: &PartitionSet,
    ) -> Vec<PartitionRef> {
        let graph = self.definitions.graph();
        let definition = graph.id(asset).and_then(|id| graph.partitions(id));
        let of = |ordinal| match definition {
            None => Some(PartitionRef::unpartitioned(asset.clone())),
            Some(definition) => {
                let key = definition.key(ordinal, context)?;
                Some(PartitionRef::new(asset.clone(), key, ordinal))
            }
        };
        set.iter().filter_map(of).collect()
    }

    /// Whether nothing is left to say of a partition in a run: the run, or a newer one, has published
    /// it, or the run has given up on it.
    pub(super) fn is_settled(&self, laid: &Laid, latest: &Latest) -> bool {
        let published = latest.published().is_some_and(|made| made.run >= laid.run);
        let failed = latest.failure.as_ref();
        published || failed.is_some_and(|failure| failure.run >= laid.run)
    }
}
