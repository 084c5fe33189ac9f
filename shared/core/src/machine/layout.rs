//! [`Layout`]: which stages and steps a project's machines have.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::{
    graph::AssetGraph,
    key::{AssetKey, CheckKey},
    machine::{Item, ItemStep, StepName, name::Names},
    partitions::PartitionSet,
    plan::{PlanError, Stage, Step, whole},
    spec::BackfillPolicy,
};

/// The stages and steps of a project's machines, earlier waves first. It follows from the graph
/// alone: the generator of the machines and whoever runs in them come to the same one.
///
/// ```
/// use precip_core::{graph::AssetGraph, machine::Layout, spec::{AssetSpec, DepSpec, OpSpec}};
///
/// let flights = AssetSpec::new("flights".parse()?);
/// let mut delays = AssetSpec::new("staging/delays".parse()?);
/// delays.deps = vec![DepSpec::new(flights.key.clone())];
/// let graph = AssetGraph::new(vec![OpSpec::single(flights), OpSpec::single(delays)], vec![])?;
///
/// let layout = Layout::of(&graph)?;
/// let steps = layout.stages[0].steps.iter().map(|step| step.name.as_str());
/// assert_eq!(steps.collect::<Vec<_>>(), ["flights", "staging_delays"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The stages.
    pub stages: Vec<LayoutStage>,
}

/// Steps that an item takes one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutStage {
    /// Its name, unlike that of any other stage or step: that of its first step, marked.
    pub name: StepName,
    /// Stages of one wave do not depend on each other. Counted from 0.
    pub wave: u32,
    /// The stages, by place, that have to end first.
    pub after: Vec<usize>,
    /// The steps, in an order that respects [`LayoutStep::after`].
    pub steps: Vec<LayoutStep>,
    /// Whether an item has to wait for the one before: an asset is made from earlier partitions of
    /// itself.
    pub in_order: bool,
    /// Whether an item may hold several partitions, by its op's backfill policy.
    pub batched: bool,
}

/// One invocation for an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutStep {
    /// Its name, unlike that of any other step.
    pub name: StepName,
    /// The op.
    pub op: String,
    /// The assets it makes, in the op's order; none for an op that only checks.
    pub assets: Vec<AssetKey>,
    /// The checks whose results it returns.
    pub checks: Vec<CheckKey>,
    /// The steps of this stage, by place, that have to succeed for an item first.
    pub after: Vec<usize>,
}

impl Layout {
    /// The layout of a graph's machines.
    ///
    /// # Errors
    /// [`PlanError::Circle`] when ops wait for each other, which a graph's own checks refuse.
    pub fn of(graph: &AssetGraph) -> Result<Self, PlanError> {
        let stages = whole(graph)?;
        let mut names = Names::default();
        let steps: Vec<Vec<LayoutStep>> = stages
            .iter()
            .map(|stage| stage.steps.iter().map(|s| step(s, &mut names)).collect())
            .collect();
        let stages = stages.iter().zip(steps).map(|(stage, steps)| {
            let title = steps.first().map_or("stage", |step| step.name.as_str());
            let name = names.take(&format!("each_{title}"));
            laid_out(stage, name, steps)
        });
        Ok(Self {
            stages: stages.collect(),
        })
    }

    /// How many waves there are.
    pub fn waves(&self) -> u32 {
        let ends = self.stages.iter().map(|stage| stage.wave + 1);
        ends.max().unwrap_or(0)
    }

    /// The stages of one wave, with their places.
    pub fn wave(&self, wave: u32) -> impl Iterator<Item = (usize, &LayoutStage)> {
        let stages = self.stages.iter().enumerate();
        stages.filter(move |(_, stage)| stage.wave == wave)
    }

    /// The stage of a name, with its place.
    pub fn stage(&self, name: &str) -> Option<(usize, &LayoutStage)> {
        let mut stages = self.stages.iter().enumerate();
        stages.find(|(_, stage)| stage.name.as_str() == name)
    }

    /// Where each asset of an op is made, and where each check of an op that only checks is run:
    /// (stage, step).
    pub(super) fn places(&self) -> Places<'_> {
        let mut places = Places::default();
        for (stage, data) in self.stages.iter().enumerate() {
            for (step, data) in data.steps.iter().enumerate() {
                for asset in &data.assets {
                    places.assets.insert(asset, (stage, step));
                }
                for check in data.checks.iter().filter(|_| data.assets.is_empty()) {
                    places.checks.insert(check, (stage, step));
                }
            }
        }
        places
    }
}

impl LayoutStage {
    /// The step of a name, with its place.
    pub fn step(&self, name: &str) -> Option<(usize, &LayoutStep)> {
        let mut steps = self.steps.iter().enumerate();
        steps.find(|(_, step)| step.name.as_str() == name)
    }

    /// Every step that has to succeed for an item before one of them, near or far.
    pub fn ancestors(&self, step: usize) -> Vec<usize> {
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
    /// What is left of an item once one of its steps, the one at a place, has failed: the steps
    /// after it, which have not been tried yet, for the partitions that do not need what failed. A
    /// step is held back by those it comes [after](LayoutStep::after) if the item takes them.
    ///
    /// ```
    /// # use precip_core::{graph::AssetGraph, machine::{Item, Layout}, spec::{AssetSpec, DepSpec, OpSpec}};
    /// # let asset = |name: &str, deps: &[&str]| {
    /// #     let mut asset = AssetSpec::new(name.parse().unwrap());
    /// #     asset.deps = deps.iter().map(|dep| DepSpec::new(dep.parse().unwrap())).collect();
    /// #     OpSpec::single(asset)
    /// # };
    /// # let ops = vec![asset("raw", &[]), asset("clean", &["raw"]), asset("other", &["raw"]), asset("mart", &["clean"])];
    /// # let layout = Layout::of(&AssetGraph::new(ops, vec![])?)?;
    /// // raw -> clean -> mart, raw -> other
    /// let stage = &layout.stages[0];
    /// let item: Item = serde_json::from_str(r#"{"o":"0","steps":{"raw":{},"clean":{},"other":{},"mart":{}}}"#)?;
    ///
    /// let (clean, _) = stage.step("clean").unwrap();
    /// let left = stage.left_after(&item, clean);
    /// assert_eq!(serde_json::to_string(&left)?, r#"{"o":"0","steps":{"other":{}}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn left_after(&self, item: &Item, failed: usize) -> Item {
        let mut held: BTreeMap<usize, PartitionSet> = BTreeMap::new();
        let mut steps = IndexMap::new();
        for (place, step) in self.steps.iter().enumerate().skip(failed) {
            let (Some(own), Some(taken)) =
                (item.partitions_of(&step.name), item.steps.get(&step.name))
            else {
                continue;
            };
            let before = step.after.iter().filter_map(|before| held.get(before));
            let back = before.fold(PartitionSet::empty(), |all, set| &all | set);
            let back = match place == failed {
                true => own.clone(),
                false => own & &back,
            };
            let left = own - &back;
            if !left.is_empty() {
                let left = ItemStep {
                    part: taken.part.clone(),
                    partitions: (left != item.partitions).then_some(left),
                };
                steps.insert(step.name.clone(), left);
            }
            held.insert(place, back);
        }
        Item {
            key: item.key.clone(),
            partitions: item.partitions.clone(),
            steps,
        }
    }
}

/// Places in a layout.
#[derive(Debug, Default)]
pub(super) struct Places<'a> {
    pub(super) assets: BTreeMap<&'a AssetKey, (usize, usize)>,
    pub(super) checks: BTreeMap<&'a CheckKey, (usize, usize)>,
}

fn step(step: &Step, names: &mut Names) -> LayoutStep {
    LayoutStep {
        name: names.take(&step.op),
        op: step.op.clone(),
        assets: step.assets.clone(),
        checks: step.checks.clone(),
        after: step.after.clone(),
    }
}

fn laid_out(stage: &Stage, name: StepName, steps: Vec<LayoutStep>) -> LayoutStage {
    LayoutStage {
        name,
        wave: stage.wave,
        after: stage.after.clone(),
        steps,
        in_order: stage.in_order,
        batched: stage.batching != BackfillPolicy::PerPartition,
    }
}
