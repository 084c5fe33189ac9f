//! [`Seen`]: how far the log of each asset has been read.

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

/// How far the log of updates of each asset has been read.
///
/// A store numbers the updates of an asset in the order in which they can be seen, and numbers of two
/// assets say nothing of each other: an update that is published while another asset's are being read,
/// or by a process whose clock is behind, is read the next time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Seen(BTreeMap<AssetKey, Sequence>);

/// What of an asset was published since somebody looked last.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct New {
    /// The partitions, of those that the asset still has.
    pub(crate) partitions: PartitionSet,
    /// Whether it was the first look.
    pub(crate) first: bool,
}

impl Seen {
    /// Reads what is new of an asset, and remembers that it was read.
    pub(crate) async fn look(
        &mut self,
        state: &dyn StateStore,
        asset: &AssetKey,
    ) -> StateResult<New> {
        let until = self.0.get(asset).copied();
        let updates = state.updates(asset, until.unwrap_or_default()).await?;
        self.0.insert(asset.clone(), updates.until);
        Ok(New {
            partitions: updates.partitions,
            first: until.is_none(),
        })
    }

    /// The same without the assets that nobody looks at any more.
    pub(crate) fn retain(&mut self, of: impl Fn(&AssetKey) -> bool) {
        self.0.retain(|asset, _| of(asset));
    }
}

/// The latest materializations of partitions, with the numbers that order them. What was taken away
/// meanwhile is not in the answer, nor is a partition that the asset does not have.
pub(crate) async fn latest(
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
    let found = state.latest_many(&targets, ReadConsistency::Strong).await?;
    let found = targets.into_iter().zip(found);
    Ok(found
        .filter_map(|(target, latest)| {
            let (made, sequence) = latest?.materialization?;
            Some((sequence, Materialization { target, ..made }))
        })
        .collect())
}
