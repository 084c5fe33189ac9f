//! The runs that a wave requests.

use std::collections::BTreeMap;

use crate::{
    graph::AssetId,
    partitions::PartitionSet,
    plan::{AssetPartitions, Batch, Lineage, divide_into_batches},
    spec::BackfillPolicy,
};

/// The partitions of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum RunPartitions {
    /// The run's assets are unpartitioned.
    Unpartitioned,
    /// One partition, by ordinal.
    One(u64),
    /// Contiguous partitions, under a batching backfill policy.
    Range(Batch),
}

impl RunPartitions {
    /// Returns the partitions as a set.
    pub fn to_set(&self) -> PartitionSet {
        match self {
            Self::Unpartitioned => PartitionSet::single(0),
            Self::One(ordinal) => PartitionSet::single(*ordinal),
            Self::Range(batch) => batch.partitions.clone(),
        }
    }
}

/// One run of a backfill: some assets, each with the same partitions.
#[derive(Debug, Clone, PartialEq)]
pub struct BackfillRun {
    /// The assets, in the order of their keys.
    pub assets: Vec<AssetId>,
    /// The partitions of each.
    pub partitions: RunPartitions,
}

/// Groups assets into runs. Assets share runs if they have the same partitions definition, the same
/// backfill policy and the same requested partitions.
pub(super) fn run_requests(
    lineage: Lineage<'_>,
    wave_requests: &AssetPartitions,
) -> Vec<BackfillRun> {
    let graph = lineage.graph;
    let mut groups: BTreeMap<AssetId, Vec<AssetId>> = BTreeMap::new();
    for (asset, set) in wave_requests.iter() {
        let shares = |other: AssetId| {
            graph.partitions(other) == graph.partitions(asset)
                && policy_of_asset(lineage, other) == policy_of_asset(lineage, asset)
                && wave_requests.of(other) == set
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
            runs_of(lineage, first, wave_requests.of(first))
                .into_iter()
                .map(move |partitions| BackfillRun {
                    assets: assets.clone(),
                    partitions,
                })
        })
        .collect()
}

/// Divides the partitions of an asset into runs by its backfill policy.
fn runs_of(lineage: Lineage<'_>, asset: AssetId, set: &PartitionSet) -> Vec<RunPartitions> {
    let Some(definition) = lineage.graph.partitions(asset) else {
        return vec![RunPartitions::Unpartitioned];
    };
    match policy_of_asset(lineage, asset) {
        BackfillPolicy::PerPartition => set.iter().map(RunPartitions::One).collect(),
        policy => divide_into_batches(policy, Some(definition), set, lineage.context)
            .into_iter()
            .map(RunPartitions::Range)
            .collect(),
    }
}

/// Returns the backfill policy of the op that materializes an asset.
pub(super) fn policy_of_asset(lineage: Lineage<'_>, asset: AssetId) -> BackfillPolicy {
    lineage
        .graph
        .op_of(asset)
        .map(|op| lineage.graph.op(op).backfill)
        .unwrap_or_default()
}
