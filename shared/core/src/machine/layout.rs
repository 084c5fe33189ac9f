//! [`Layout`]: the stages and steps of a project's machines.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Serialize;

use crate::{
    graph::AssetGraph,
    key::{AssetKey, CheckKey},
    machine::{Item, ItemStep, StepName, name::Names},
    partitions::PartitionSet,
    plan::{PlanError, Stage, Step, stages_of_graph},
    spec::BackfillPolicy,
};

/// The stages and steps of a project's machines, earlier waves first. It follows from the graph
/// alone, so that the generator of the machines and the functions that run in them agree on it.
///
/// ```
/// use precip_core::{graph::AssetGraph, machine::Layout, spec::{AssetSpec, DepSpec, OpSpec}};
///
/// let flights = AssetSpec::new("flights".parse()?);
/// let mut delays = AssetSpec::new("staging/delays".parse()?);
/// delays.deps = vec![DepSpec::new(flights.key.clone())];
/// let graph = AssetGraph::new(vec![OpSpec::single(flights), OpSpec::single(delays)], vec![])?;
///
/// let layout = Layout::from_graph(&graph)?;
/// let steps = layout.stages[0].steps.iter().map(|step| step.name.as_str());
/// assert_eq!(steps.collect::<Vec<_>>(), ["flights", "staging_delays"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// The stages.
    pub stages: Vec<LayoutStage>,
}

/// Steps that an item takes one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayoutStage {
    /// The name, unique among stages and steps: `each_` and the name of the first step.
    pub name: StepName,
    /// The wave, counted from 0. Stages of one wave do not depend on each other.
    pub wave: u32,
    /// The stages that have to end first, by index.
    pub after: Vec<usize>,
    /// The steps, in an order that respects [`LayoutStep::after`].
    pub steps: Vec<LayoutStep>,
    /// `true` if each item waits for the one before, since an asset depends on earlier partitions
    /// of itself.
    pub in_order: bool,
    /// `true` if an item may hold several partitions, by the backfill policy of its op.
    pub batched: bool,
}

/// One invocation for an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayoutStep {
    /// The name, unique among stages and steps.
    pub name: StepName,
    /// The op.
    pub op: String,
    /// The materialized assets, in the op's order; empty for an op that only checks.
    pub assets: Vec<AssetKey>,
    /// The checks whose results the op returns.
    pub checks: Vec<CheckKey>,
    /// The steps of this stage that have to succeed for an item first, by index.
    pub after: Vec<usize>,
    /// The assets that the step depends on, in any stage: those that it is made from or checks.
    pub reads: Vec<AssetKey>,
}

impl Layout {
    /// Derives the layout of a graph's machines.
    ///
    /// # Errors
    /// [`PlanError::Cycle`] when ops wait for each other, which [`AssetGraph::new`] refuses
    /// already.
    pub fn from_graph(graph: &AssetGraph) -> Result<Self, PlanError> {
        let plan_stages = stages_of_graph(graph)?;
        // Steps take their names first: those of their ops where possible.
        let mut names = Names::default();
        let steps: Vec<Vec<LayoutStep>> = plan_stages
            .iter()
            .map(|stage| {
                stage
                    .steps
                    .iter()
                    .map(|s| named_step(graph, s, &mut names))
                    .collect()
            })
            .collect();
        let stages = plan_stages.iter().zip(steps).map(|(stage, steps)| {
            let title = steps.first().map_or("stage", |step| step.name.as_str());
            let name = names.unique_name(&format!("each_{title}"));
            named_stage(stage, name, steps)
        });
        Ok(Self {
            stages: stages.collect(),
        })
    }

    /// Returns the number of waves.
    pub fn wave_count(&self) -> u32 {
        let ends = self.stages.iter().map(|stage| stage.wave + 1);
        ends.max().unwrap_or(0)
    }

    /// Iterates over the stages of one wave, with their indices.
    pub fn stages_of_wave(&self, wave: u32) -> impl Iterator<Item = (usize, &LayoutStage)> {
        let stages = self.stages.iter().enumerate();
        stages.filter(move |(_, stage)| stage.wave == wave)
    }

    /// Returns the stage of a name, with its index.
    pub fn stage_named(&self, name: &str) -> Option<(usize, &LayoutStage)> {
        let mut stages = self.stages.iter().enumerate();
        stages.find(|(_, stage)| stage.name.as_str() == name)
    }

    /// Returns the position (stage, step) of each asset, and of each check of an op that only
    /// checks.
    pub(super) fn positions(&self) -> Positions<'_> {
        let mut positions = Positions::default();
        for (stage_index, stage) in self.stages.iter().enumerate() {
            for (step_index, step) in stage.steps.iter().enumerate() {
                for asset in &step.assets {
                    positions.assets.insert(asset, (stage_index, step_index));
                }
                for check in step.checks.iter().filter(|_| step.assets.is_empty()) {
                    positions.checks.insert(check, (stage_index, step_index));
                }
            }
        }
        positions
    }
}

impl LayoutStage {
    /// Returns the step of a name, with its index.
    pub fn step_named(&self, name: &str) -> Option<(usize, &LayoutStep)> {
        let mut steps = self.steps.iter().enumerate();
        steps.find(|(_, step)| step.name.as_str() == name)
    }

    /// Returns every step that has to succeed for an item before the given step, near or far.
    pub fn predecessors_of(&self, step: usize) -> Vec<usize> {
        // The walk follows every path once: `found` keeps it from repeating.
        let mut found = std::collections::BTreeSet::new();
        let mut next = self.steps[step].after.clone();
        while let Some(step) = next.pop() {
            if found.insert(step) {
                next.extend(&self.steps[step].after);
            }
        }
        found.into_iter().collect()
    }
}

impl LayoutStage {
    /// Returns the rest of an item after the step at index `failed` has failed: the later steps,
    /// for the partitions that do not depend on the failure. `lost` are the assets of the step that
    /// cannot be used; `None` for all of them. A step is held back by a step that it comes
    /// [after](LayoutStep::after), if the item takes that one, and if it [reads](LayoutStep::reads) an
    /// asset that was lost there.
    ///
    /// ```
    /// # use precip_core::{graph::AssetGraph, machine::{Item, Layout}, spec::{AssetSpec, DepSpec, OpSpec}};
    /// # let asset = |name: &str, deps: &[&str]| {
    /// #     let mut asset = AssetSpec::new(name.parse().unwrap());
    /// #     asset.deps = deps.iter().map(|dep| DepSpec::new(dep.parse().unwrap())).collect();
    /// #     OpSpec::single(asset)
    /// # };
    /// # let ops = vec![asset("raw", &[]), asset("clean", &["raw"]), asset("other", &["raw"]), asset("mart", &["clean"])];
    /// # let layout = Layout::from_graph(&AssetGraph::new(ops, vec![])?)?;
    /// // raw -> clean -> mart, raw -> other
    /// let stage = &layout.stages[0];
    /// let item: Item = serde_json::from_str(r#"{"o":"0","steps":{"raw":{},"clean":{},"other":{},"mart":{}}}"#)?;
    ///
    /// let (clean, _) = stage.step_named("clean").unwrap();
    /// let left = stage.left_after(&item, clean, None);
    /// assert_eq!(serde_json::to_string(&left)?, r#"{"o":"0","steps":{"other":{}}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn left_after(&self, item: &Item, failed: usize, lost: Option<&[AssetKey]>) -> Item {
        let mut held: BTreeMap<usize, PartitionSet> = BTreeMap::new();
        let mut steps = IndexMap::new();
        // In step order, so that `held` is final for every step that a later one comes after.
        for (index, step) in self.steps.iter().enumerate().skip(failed) {
            let (Some(own), Some(taken)) =
                (item.partitions_of(&step.name), item.steps.get(&step.name))
            else {
                continue;
            };
            let back = if index == failed {
                own.clone()
            } else {
                let before = step.after.iter().filter(|before| {
                    **before != failed || lost.is_none_or(|lost| step.reads_any(lost))
                });
                let before = before.filter_map(|before| held.get(before));
                own & &before.fold(PartitionSet::empty(), |all, set| &all | set)
            };
            let left = own - &back;
            if !left.is_empty() {
                let rest = ItemStep {
                    part: taken.part.clone(),
                    partitions: (left != item.partitions).then_some(left),
                };
                steps.insert(step.name.clone(), rest);
            }
            held.insert(index, back);
        }
        Item {
            key: item.key.clone(),
            partitions: item.partitions.clone(),
            steps,
        }
    }
}

impl LayoutStep {
    fn reads_any(&self, assets: &[AssetKey]) -> bool {
        assets.iter().any(|asset| self.reads.contains(asset))
    }
}

/// The positions (stage, step) of assets and checks in a layout.
#[derive(Debug, Default)]
pub(super) struct Positions<'a> {
    pub(super) assets: BTreeMap<&'a AssetKey, (usize, usize)>,
    pub(super) checks: BTreeMap<&'a CheckKey, (usize, usize)>,
}

/// Names a step of a plan.
fn named_step(graph: &AssetGraph, step: &Step, names: &mut Names) -> LayoutStep {
    LayoutStep {
        name: names.unique_name(&step.op),
        op: step.op.clone(),
        assets: step.assets.clone(),
        checks: step.checks.clone(),
        after: step.after.clone(),
        reads: assets_read_by(graph, step),
    }
}

/// Returns the assets that a step depends on: those that its assets are made from, or those that it
/// checks and compares with.
fn assets_read_by(graph: &AssetGraph, step: &Step) -> Vec<AssetKey> {
    let mut reads: BTreeSet<&AssetKey> = BTreeSet::new();
    for asset in step.assets.iter().filter_map(|key| graph.id(key)) {
        reads.extend(
            graph
                .upstream(asset)
                .iter()
                .map(|edge| graph.key(edge.asset)),
        );
    }
    if step.assets.is_empty() {
        for check in step.checks.iter().filter_map(|key| graph.check_id(key)) {
            let check = graph.check(check);
            reads.insert(&check.key.asset);
            reads.extend(check.additional_deps.iter().map(|dep| &dep.asset));
        }
    }
    reads.into_iter().cloned().collect()
}

/// Combines a stage of a plan with its name and its named steps.
fn named_stage(stage: &Stage, name: StepName, steps: Vec<LayoutStep>) -> LayoutStage {
    LayoutStage {
        name,
        wave: stage.wave,
        after: stage.after.clone(),
        steps,
        in_order: stage.in_order,
        batched: stage.batching != BackfillPolicy::PerPartition,
    }
}
