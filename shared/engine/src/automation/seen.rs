//! [`Seen`]: the position reached in each asset's log of updates.

use std::collections::BTreeMap;

use precip_core::{
    graph::{AssetGraph, AssetId},
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet},
};
use serde::{Deserialize, Serialize};

use crate::state::{
    Materialization, PartitionRef, ReadConsistency, Sequence, StateResult, StateStore,
};

/// The position reached in each asset's log of updates.
///
/// A store numbers an asset's updates in the order in which they become visible; numbers of two
/// assets are unrelated. An update that is published while another asset is being read, or by a
/// process whose clock is behind, is therefore read the next time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Seen(BTreeMap<AssetKey, Sequence>);

/// The updates of an asset since the last read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct NewUpdates {
    /// The updated partitions, of those that the asset still has.
    pub(crate) partitions: PartitionSet,
    /// `true` for the first read of the asset.
    pub(crate) first: bool,
}

impl Seen {
    /// Reads the new updates of an asset and moves the position behind them.
    pub(crate) async fn read_updates(
        &mut self,
        state: &dyn StateStore,
        asset: &AssetKey,
    ) -> StateResult<NewUpdates> {
        let until = self.0.get(asset).copied();
        let updates = state
            .published_since(asset, until.unwrap_or_default())
            .await?;
        self.0.insert(asset.clone(), updates.until);
        Ok(NewUpdates {
            partitions: updates.partitions,
            first: until.is_none(),
        })
    }

    /// Drops the assets that are no longer watched.
    pub(crate) fn retain_assets(&mut self, of: impl Fn(&AssetKey) -> bool) {
        self.0.retain(|asset, _| of(asset));
    }
}

/// Returns the latest materializations of partitions with their sequence numbers. Leaves out
/// partitions that were wiped meanwhile and partitions that the asset does not have.
pub(crate) async fn read_latest(
    graph: &AssetGraph,
    state: &dyn StateStore,
    asset: AssetId,
    partitions: &PartitionSet,
    context: &PartitionContext,
) -> StateResult<Vec<(Sequence, Materialization)>> {
    let key = graph.key(asset);
    let targets: Vec<PartitionRef> = match graph.partitions(asset) {
        None => partitions
            .iter()
            .map(|_| PartitionRef::unpartitioned(key.clone()))
            .collect(),
        Some(definition) => partitions
            .iter()
            .filter_map(|ordinal| {
                let partition = definition.key(ordinal, context)?;
                Some(PartitionRef::new(key.clone(), partition, ordinal))
            })
            .collect(),
    };
    let found = state
        .latest_materializations(&targets, ReadConsistency::Strong)
        .await?;
    let found = targets.into_iter().zip(found);
    Ok(found
        .filter_map(|(target, latest)| {
            let (made, sequence) = latest?.materialization?;
            Some((sequence, Materialization { target, ..made }))
        })
        .collect())
}
