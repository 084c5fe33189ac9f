//! The runs that a wave asks for.

use std::collections::BTreeMap;

use crate::{
    graph::AssetId,
    partitions::PartitionSet,
    plan::{AssetPartitions, Batch, Lineage, batches},
    spec::BackfillPolicy,
};

/// Which partitions a run makes.
#[derive(Debug, Clone, PartialEq)]
pub enum RunPartitions {
    /// Its assets are unpartitioned.
    Unpartitioned,
    /// One partition.
    One(u64),
    /// Neighbours, under a batching backfill policy.
    Range(Batch),
}

impl RunPartitions {
    /// The partitions as a set.
    pub fn set(&self) -> PartitionSet {
        match self {
            Self::Unpartitioned => PartitionSet::single(0),
            Self::One(ordinal) => PartitionSet::single(*ordinal),
            Self::Range(batch) => batch.partitions.clone(),
        }
    }
}

/// One run of a backfill: every one of its assets, each with the same partitions.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRequest {
    /// The assets, in the order of their keys.
    pub assets: Vec<AssetId>,
    /// The partitions of each.
    pub partitions: RunPartitions,
}

/// Puts assets that can share runs into one: those that are divided in one way, have one backfill
/// policy, and are asked for the same partitions.
pub(super) fn run_requests(lineage: Lineage<'_>, asked: &AssetPartitions) -> Vec<RunRequest> {
    let graph = lineage.graph;
    let mut groups: BTreeMap<AssetId, Vec<AssetId>> = BTreeMap::new();
    for (asset, set) in asked.iter() {
        let shares = |other: AssetId| {
            graph.partitions(other) == graph.partitions(asset)
                && policy(lineage, other) == policy(lineage, asset)
                && asked.of(other) == set
        };
        match groups.keys().copied().find(|first| shares(*first)) {
            Some(first) => groups.entry(first).or_default().push(asset),
            None => {
                groups.insert(asset, vec![asset]);
            }
        }
    }
    groups
        .into_iter()
        .flat_map(|(first, assets)| {
            runs_of(lineage, first, asked.of(first))
                .into_iter()
                .map(move |partitions| RunRequest {
                    assets: assets.clone(),
                    partitions,
                })
        })
        .collect()
}

fn runs_of(lineage: Lineage<'_>, asset: AssetId, set: &PartitionSet) -> Vec<RunPartitions> {
    let Some(definition) = lineage.graph.partitions(asset) else {
        return vec![RunPartitions::Unpartitioned];
    };
    match policy(lineage, asset) {
        BackfillPolicy::PerPartition => set.iter().map(RunPartitions::One).collect(),
        policy => batches(policy, Some(definition), set, lineage.context)
            .into_iter()
            .map(RunPartitions::Range)
            .collect(),
    }
}

/// The backfill policy of the op that makes an asset.
pub(super) fn policy(lineage: Lineage<'_>, asset: AssetId) -> BackfillPolicy {
    lineage
        .graph
        .op_of(asset)
        .map(|op| lineage.graph.op(op).backfill)
        .unwrap_or_default()
}
