//! [`Plan`] and its parts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    key::{AssetKey, CheckKey},
    partitions::PartitionSet,
    plan::{LeftOut, Needed, PlanError, PlanRequest, Record, Why, resolve},
    spec::BackfillPolicy,
};

/// What runs for a request, as data: it can be stored, shown and run later as it is.
///
/// ```
/// use precip_core::{
///     graph::AssetGraph,
///     partitions::{PartitionContext, StaticPartitions},
///     plan::{Lineage, PartitionSelector, Plan, PlanRequest, Record},
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
/// let request = PlanRequest::new(graph.all(), PartitionSelector::keys(["EWR", "JFK"]));
/// let plan = Plan::new(Lineage::new(&graph, &context), &request, &Record::default())?;
/// assert_eq!((plan.stages.len(), plan.items()), (1, 4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The moment at which the plan was made: partitions that ended later are not in it.
    pub at: DateTime<Utc>,
    /// What makes a repeated request the same request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_key: Option<String>,
    /// The run config; `Null` when none was given.
    #[serde(default)]
    pub config: serde_json::Value,
    /// The run's tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// What runs, earlier waves first.
    pub stages: Vec<Stage>,
    /// Why each asset has the partitions that it has.
    pub why: BTreeMap<AssetKey, Why>,
    /// What was asked for and does not run.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    /// Upstream partitions that are needed, and neither made nor part of the plan.
    #[serde(default)]
    pub needed: Vec<Needed>,
}

/// Some steps that run one after the other for each partition (or batch of partitions): assets that
/// are divided in the same way, joined by identity mappings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Stages of one wave do not depend on each other. Counted from 0.
    pub wave: u32,
    /// The stages, by their place in the plan, that have to end first.
    pub after: Vec<usize>,
    /// What is run for each item, in an order that respects [`Step::after`].
    pub steps: Vec<Step>,
    /// Whether the assets are partitioned.
    pub partitioned: bool,
    /// The partitions, by ordinal; ordinal 0 for unpartitioned assets.
    pub partitions: PartitionSet,
    /// How many partitions one invocation takes.
    pub batching: BackfillPolicy,
    /// Whether an item has to wait for the one before: an asset is made from earlier partitions of
    /// itself.
    pub in_order: bool,
}

/// One invocation of an op: for some of its assets, or for checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The op.
    pub op: String,
    /// The assets it makes, in the op's order; none for an op that only checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetKey>,
    /// The checks whose results it returns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckKey>,
    /// The steps of this stage, by place, that have to succeed for an item first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<usize>,
}

/// The place of a step in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepId {
    /// The stage.
    pub stage: usize,
    /// The step in the stage.
    pub step: usize,
}

impl Plan {
    /// Plans a request: which partitions of which assets run, in which order.
    ///
    /// The work is set operations on the assets and edges of the selection; it does not grow with
    /// the number of partitions as long as they lie together.
    ///
    /// # Errors
    /// [`PlanError`], which says what to ask for instead.
    pub fn new(
        lineage: crate::plan::Lineage<'_>,
        request: &PlanRequest,
        record: &Record,
    ) -> Result<Self, PlanError> {
        resolve::plan(lineage, request, record)
    }

    /// How many (asset, partition) pairs are made.
    pub fn items(&self) -> u64 {
        let assets = |stage: &Stage| stage.steps.iter().map(|step| step.assets.len()).sum();
        let count = |stage| stage_items(stage, assets(stage));
        self.stages.iter().map(count).sum()
    }

    /// How many waves there are.
    pub fn waves(&self) -> u32 {
        self.stages
            .iter()
            .map(|stage| stage.wave + 1)
            .max()
            .unwrap_or(0)
    }

    /// The plan without some partitions of some steps, such as those that a run has made already.
    ///
    /// # Errors
    /// [`PlanError::Stale`] when the plan names something that the graph does not hold.
    pub fn without(
        &self,
        lineage: crate::plan::Lineage<'_>,
        done: &[(StepId, PartitionSet)],
    ) -> Result<Self, PlanError> {
        super::reduce::without(lineage, self, done)
    }

    /// Whether nothing runs.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// The steps, earlier waves first.
    pub fn steps(&self) -> impl Iterator<Item = (StepId, &Stage, &Step)> {
        self.stages.iter().enumerate().flat_map(|(place, stage)| {
            stage.steps.iter().enumerate().map(move |(step, data)| {
                let id = StepId { stage: place, step };
                (id, stage, data)
            })
        })
    }

    /// How many partitions of each asset are made.
    pub fn assets(&self) -> BTreeMap<AssetKey, u64> {
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
