//! [`PlanRequest`]: the input of planning.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    graph::{AssetId, AssetSet},
    key::CheckKey,
    mapping::InvalidMapping,
    plan::{AssetPartitions, Lineage, PartitionSelector},
    spec::DepNeed,
};

/// A request for assets, checks and partitions.
#[derive(Debug, Clone, Default)]
pub struct PlanRequest {
    /// The assets to materialize.
    pub assets: AssetSet,
    /// The checks to run with them.
    pub checks: CheckSelection,
    /// The partitions of the assets.
    pub partitions: PartitionSelector,
    /// The run config; `Null` when none is given.
    pub config: serde_json::Value,
    /// The run's tags.
    pub tags: BTreeMap<String, String>,
    /// The key that identifies repeated requests.
    pub run_key: Option<String>,
}

impl PlanRequest {
    /// Requests assets and all of their checks.
    pub fn new(assets: AssetSet, partitions: PartitionSelector) -> Self {
        Self {
            assets,
            partitions,
            ..Self::default()
        }
    }
}

/// The checks that run with the assets of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CheckSelection {
    /// Every check of the assets.
    #[default]
    All,
    /// None, except those that an op cannot leave out.
    None,
    /// These checks.
    Only(BTreeSet<CheckKey>),
}

impl CheckSelection {
    /// Returns `true` if a check runs when its asset is materialized.
    pub fn contains(&self, check: &CheckKey) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Only(checks) => checks.contains(check),
        }
    }
}

/// The recorded status of partitions at the moment of planning.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AssetStatuses {
    /// Materialized partitions: a reader can load them.
    pub materialized: AssetPartitions,
    /// Failed partitions: the newest attempt of each failed.
    pub failed: AssetPartitions,
    /// Skipped partitions: the newest attempt of each had nothing to make.
    pub skipped: AssetPartitions,
}

impl AssetStatuses {
    /// Returns the partitions without data that there is nothing to make for: skipped partitions that
    /// were never materialized, and those that [need](DepNeed) one of them, near or far.
    ///
    /// The second kind is not on record: it ends as soon as the upstream partition is materialized.
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a graph that was accepted.
    pub fn nothing_to_make(&self, lineage: Lineage<'_>) -> Result<AssetPartitions, InvalidMapping> {
        let graph = lineage.graph;
        let mut all = AssetPartitions::new();
        if self.skipped.is_empty() {
            return Ok(all);
        }
        for &asset in graph.topological() {
            let materialized = self.materialized.of(asset);
            all.add(asset, &(self.skipped.of(asset) - materialized));
            let edges = graph.upstream(asset).iter();
            for edge in edges.filter(|edge| edge.asset != asset && edge.passes_on_skips(asset)) {
                let above = all.of(edge.asset).clone();
                let down = graph.downstream(edge.asset).iter();
                let Some(down) = down.clone().find(|down| down.asset == asset) else {
                    continue;
                };
                let mut below = &lineage.to_downstream(edge.asset, &above, down)? - materialized;
                if edge.need == DepNeed::Order {
                    below = lineage.made_from_only(asset, edge, &below, &above)?;
                }
                all.add(asset, &below);
            }
            self.add_own_later_partitions(lineage, asset, &mut all)?;
        }
        Ok(all)
    }

    /// Adds the later partitions of an asset that needs earlier partitions of itself.
    fn add_own_later_partitions(
        &self,
        lineage: Lineage<'_>,
        asset: AssetId,
        all: &mut AssetPartitions,
    ) -> Result<(), InvalidMapping> {
        let edges = lineage.graph.downstream(asset);
        let Some(edge) = edges.iter().find(|edge| edge.asset == asset) else {
            return Ok(());
        };
        let mut front = all.of(asset).clone();
        while edge.passes_on_skips(asset) && !front.is_empty() {
            let below = lineage.to_downstream(asset, &front, edge)?;
            front = &(&below - self.materialized.of(asset)) - all.of(asset);
            all.add(asset, &front);
        }
        Ok(())
    }
}
