//! [`Plan`] and its parts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    key::{AssetKey, CheckKey},
    partitions::PartitionSet,
    plan::{
        AssetStatuses, InclusionReason, LeftOut, MissingUpstream, PlanBasis, PlanError,
        PlanRequest, resolve,
    },
    spec::BackfillPolicy,
};

/// The work that a request needs, as data: it can be stored, shown and run later.
///
/// ```
/// use precip_core::{
///     graph::AssetGraph,
///     partitions::{PartitionContext, StaticPartitions},
///     plan::{Lineage, PartitionSelector, Plan, PlanRequest, AssetStatuses},
///     spec::{AssetSpec, DepSpec, OpSpec},
/// };
///
/// let airports = StaticPartitions::new(["EWR", "JFK", "LGA"])?;
/// let mut flights = AssetSpec::new("flights".parse()?);
/// flights.partitions = Some(std::sync::Arc::new(airports.into()));
/// let mut delays = AssetSpec { key: "delays".parse()?, ..flights.clone() };
/// delays.deps = vec![DepSpec::new(flights.key.clone())];
/// let graph = AssetGraph::new(vec![OpSpec::single(flights), OpSpec::single(delays)], vec![])?;
///
/// let context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH);
/// let request = PlanRequest::new(graph.all_assets(), PartitionSelector::keys(["EWR", "JFK"]));
/// let plan = Plan::new(Lineage::new(&graph, &context), &request, &AssetStatuses::default())?;
/// assert_eq!((plan.stages.len(), plan.pair_count()), (1, 4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The moment of planning: partitions that ended later are not part of the plan.
    pub at: DateTime<Utc>,
    /// The key that identifies repeated requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_key: Option<String>,
    /// The run config; `Null` when none was given.
    #[serde(default)]
    pub config: serde_json::Value,
    /// The run's tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The stages, earlier waves first.
    pub stages: Vec<Stage>,
    /// The reason why each asset has the partitions that it has.
    pub why: BTreeMap<AssetKey, InclusionReason>,
    /// Requested partitions that do not run.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    /// Upstream partitions that are neither materialized nor part of the plan.
    #[serde(default)]
    pub needed: Vec<MissingUpstream>,
    /// The declarations that the plan was made from, which say what its ordinals mean.
    #[serde(default, skip_serializing_if = "PlanBasis::is_unknown")]
    pub basis: PlanBasis,
}

/// Steps that run one after the other for each partition or batch of partitions: assets with the
/// same partitions definition, joined by identity mappings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// The wave, counted from 0. Stages of one wave do not depend on each other.
    pub wave: u32,
    /// The stages that have to end first, by index in the plan.
    pub after: Vec<usize>,
    /// The steps of each item, in an order that respects [`Step::after`].
    pub steps: Vec<Step>,
    /// `true` if the assets are partitioned.
    pub partitioned: bool,
    /// The partitions, by ordinal; ordinal 0 for unpartitioned assets.
    pub partitions: PartitionSet,
    /// The policy that decides how many partitions one invocation takes.
    pub batching: BackfillPolicy,
    /// `true` if each item waits for the one before, since an asset depends on earlier partitions
    /// of itself.
    pub in_order: bool,
}

/// One invocation of an op: for some of its assets, or for checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The op.
    pub op: String,
    /// The materialized assets, in the op's order; empty for an op that only checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetKey>,
    /// The checks whose results the op returns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckKey>,
    /// The steps of this stage that have to succeed for an item first, by index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<usize>,
}

/// The position of a step in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepId {
    /// The index of the stage.
    pub stage: usize,
    /// The index of the step in the stage.
    pub step: usize,
}

impl Plan {
    /// Plans a request: the partitions of each asset that run, and their order.
    ///
    /// Planning takes set operations on the assets and edges of the selection; it does not grow
    /// with the number of partitions as long as they are contiguous.
    ///
    /// # Errors
    /// [`PlanError`], which says what to request instead.
    pub fn new(
        lineage: crate::plan::Lineage<'_>,
        request: &PlanRequest,
        statuses: &AssetStatuses,
    ) -> Result<Self, PlanError> {
        resolve::plan_request(lineage, request, statuses)
    }

    /// Returns the number of (asset, partition) pairs to materialize.
    pub fn pair_count(&self) -> u64 {
        let assets = |stage: &Stage| stage.steps.iter().map(|step| step.assets.len()).sum();
        let count = |stage| stage_items(stage, assets(stage));
        self.stages.iter().map(count).sum()
    }

    /// Returns the number of waves.
    pub fn wave_count(&self) -> u32 {
        self.stages
            .iter()
            .map(|stage| stage.wave + 1)
            .max()
            .unwrap_or(0)
    }

    /// Returns the plan without some partitions of some steps, such as those that a run has already
    /// published.
    ///
    /// # Errors
    /// [`PlanError::Stale`] when the plan names something that the graph does not hold.
    pub fn without_partitions(
        &self,
        lineage: crate::plan::Lineage<'_>,
        done: &[(StepId, PartitionSet)],
    ) -> Result<Self, PlanError> {
        super::reduce::remove_partitions(lineage, self, done)
    }

    /// Translates a stored plan to the current declarations: each partition is found by its key,
    /// whatever its ordinal is now. What cannot be found is returned apart.
    ///
    /// `lineage` holds the time of the plan ([`Plan::at`]) and the keys of the dynamic sets of both
    /// the current declarations and the plan's own.
    ///
    /// # Errors
    /// [`PlanError`] when the part that is found cannot be ordered.
    pub fn translate(
        &self,
        lineage: crate::plan::Lineage<'_>,
    ) -> Result<crate::plan::TranslatedPlan, PlanError> {
        super::translate::translate_plan(lineage, self)
    }

    /// Checks that the ordinals of a stored plan mean the same partitions of the same work as when
    /// it was made, which items that are handed out by ordinal rely on.
    ///
    /// # Errors
    /// [`PlanError::Outdated`] or [`PlanError::Stale`], which says what has changed.
    pub fn check_unchanged(&self, lineage: crate::plan::Lineage<'_>) -> Result<(), PlanError> {
        super::translate::check_unchanged(lineage, self)
    }

    /// Returns `true` if nothing runs.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Iterates over the steps, earlier waves first.
    pub fn steps(&self) -> impl Iterator<Item = (StepId, &Stage, &Step)> {
        self.stages.iter().enumerate().flat_map(|(index, stage)| {
            stage.steps.iter().enumerate().map(move |(step, data)| {
                let id = StepId { stage: index, step };
                (id, stage, data)
            })
        })
    }

    /// Returns the number of partitions to materialize of each asset.
    pub fn partition_counts(&self) -> BTreeMap<AssetKey, u64> {
        let mut assets = BTreeMap::new();
        for (_, stage, step) in self.steps() {
            for asset in &step.assets {
                *assets.entry(asset.clone()).or_default() += stage.partitions.len();
            }
        }
        assets
    }
}

fn stage_items(stage: &Stage, assets: usize) -> u64 {
    stage.partitions.len() * u64::try_from(assets).unwrap_or(u64::MAX)
}
