//! [`PlanBasis`]: the declarations that a plan was made from.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    graph::{AssetGraph, AssetId},
    key::AssetKey,
    mapping::PartitionMapping,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition},
    plan::{LeftOut, MissingUpstream, Stage},
};

/// The declarations that a plan was made from: what its ordinals mean, and what its assets are made
/// from. A plan is stored and used later, by a program whose declarations may have changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanBasis {
    /// The partitions definitions of the assets that the plan names.
    #[serde(default)]
    pub partitions: Vec<PlannedPartitions>,
    /// The upstream assets of each asset that the plan materializes, with the mapping to each.
    #[serde(default)]
    pub upstream: BTreeMap<AssetKey, BTreeMap<AssetKey, PartitionMapping>>,
    /// The assets whose definition has changed while the run was under way: of these, ordinals that
    /// the run itself recorded may be those of any definition since.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub renumbered: BTreeSet<AssetKey>,
}

/// A partitions definition, and the assets that had it when the plan was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedPartitions {
    /// The definition; `None` for unpartitioned assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Arc<PartitionsDefinition>>,
    /// The assets.
    pub assets: BTreeSet<AssetKey>,
}

impl PlanBasis {
    /// Collects the declarations of everything that the parts of a plan name.
    pub(super) fn from_graph(
        graph: &AssetGraph,
        stages: &[Stage],
        left_out: &[LeftOut],
        needed: &[MissingUpstream],
    ) -> Self {
        let mut basis = Self::default();
        for step in stages.iter().flat_map(|stage| &stage.steps) {
            for key in &step.assets {
                basis.add_partitions(graph, key);
                if let Some(asset) = graph.id(key) {
                    let upstream = upstream_of(graph, asset);
                    basis.upstream.insert(key.clone(), upstream);
                }
            }
            for check in &step.checks {
                basis.add_partitions(graph, &check.asset);
            }
        }
        for left_out in left_out {
            basis.add_partitions(graph, &left_out.asset);
        }
        for needed in needed {
            basis.add_partitions(graph, &needed.upstream);
        }
        basis
    }

    /// Adds the partitions definition of an asset, unless it has one already.
    pub fn add_partitions(&mut self, graph: &AssetGraph, key: &AssetKey) {
        let Some(asset) = graph.id(key) else { return };
        if self.definition_of(key).is_some() {
            return;
        }
        let definition = &graph.asset(asset).partitions;
        // Most assets share their definition with others, and a long list of keys is kept once.
        let same = self
            .partitions
            .iter_mut()
            .find(|known| is_same_definition(known.definition.as_ref(), definition.as_ref()));
        match same {
            Some(known) => {
                known.assets.insert(key.clone());
            }
            None => self.partitions.push(PlannedPartitions {
                definition: definition.clone(),
                assets: BTreeSet::from([key.clone()]),
            }),
        }
    }

    /// Returns `true` for the basis of a plan that was stored before plans had one.
    pub fn is_unknown(&self) -> bool {
        self.partitions.is_empty()
    }

    /// Returns the definition that an asset had, `Some(None)` for an unpartitioned asset, or `None`
    /// for an asset that the plan does not name.
    pub fn definition_of(&self, asset: &AssetKey) -> Option<Option<&PartitionsDefinition>> {
        let known = self
            .partitions
            .iter()
            .find(|known| known.assets.contains(asset))?;
        Some(known.definition.as_deref())
    }

    /// Returns the ordinals that partitions of an asset have now, found by key. Partitions that the
    /// asset no longer has are left out. Ordinals of an asset that the basis does not name are kept.
    pub fn translate_ordinals(
        &self,
        graph: &AssetGraph,
        key: &AssetKey,
        set: &PartitionSet,
        context: &PartitionContext,
    ) -> PartitionSet {
        let Some(asset) = graph.id(key) else {
            return PartitionSet::empty();
        };
        let Some(before) = self.definition_of(key) else {
            return set.clone();
        };
        match (before, graph.partitions(asset)) {
            (before, now) if before == now => set.clone(),
            (Some(before), Some(now)) => before
                .keys(set, context)
                .filter_map(|partition| now.find(partition.as_str(), context))
                .collect(),
            _ => PartitionSet::empty(),
        }
    }

    /// Returns the names of the dynamic sets that the definitions use.
    pub fn dynamic_sets(&self) -> BTreeSet<&str> {
        self.partitions
            .iter()
            .filter_map(|known| known.definition.as_deref())
            .flat_map(PartitionsDefinition::dynamic_sets)
            .collect()
    }
}

fn is_same_definition(
    a: Option<&Arc<PartitionsDefinition>>,
    b: Option<&Arc<PartitionsDefinition>>,
) -> bool {
    match (a, b) {
        // Two lists of keys are compared only where they are not the same value.
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
        (None, None) => true,
        _ => false,
    }
}

/// Returns the upstream assets of an asset, with the mapping to each.
pub(super) fn upstream_of(
    graph: &AssetGraph,
    asset: AssetId,
) -> BTreeMap<AssetKey, PartitionMapping> {
    graph
        .upstream(asset)
        .iter()
        .map(|edge| (graph.key(edge.asset).clone(), edge.mapping.clone()))
        .collect()
}
