//! [`Work`]: a plan, assigned to the stages of the machine.

use std::collections::BTreeMap;

use indexmap::{IndexMap, map::Entry};

use crate::{
    graph::AssetGraph,
    key::{AssetKey, CheckKey},
    machine::{
        Item, ItemStep, Layout, LayoutStage, LayoutStep, Part, StepName, layout::Positions,
        order::in_order_positions,
    },
    partitions::{PartitionSet, PartitionsDefinition},
    plan::{Lineage, Plan, PlanError, Stage, Step, StepId, divide_into_batches},
};

/// The items of a plan for each stage of the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The stages with work, in the order of their indices.
    pub stages: Vec<StageWork>,
}

/// The items of a plan for one stage of the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct StageWork {
    /// The index of the stage in the layout.
    pub stage: usize,
    /// The items; in-order stages run them in this order.
    pub items: Vec<Item>,
}

/// Partitions of a step of a plan, assigned to a step of the layout.
struct Piece {
    /// The index of the step in the layout's stage.
    step: usize,
    /// The requested assets and checks of the step; `None` for all.
    part: Option<Part>,
    set: PartitionSet,
    /// The batches of the set; `None` where each partition is an item.
    batches: Option<Vec<PartitionSet>>,
    /// The index of the stage in the plan.
    from: usize,
}

impl Work {
    /// Assigns a plan to a layout. `wanted` returns the partitions of a step that still have to
    /// run.
    ///
    /// # Errors
    /// [`PlanError::Stale`] when the plan names something that the layout does not hold.
    pub fn new(
        lineage: Lineage<'_>,
        layout: &Layout,
        plan: &Plan,
        mut wanted: impl FnMut(StepId, &PartitionSet) -> PartitionSet,
    ) -> Result<Self, PlanError> {
        let positions = layout.positions();
        let order = in_order_positions(lineage, plan)?;
        let mut pieces: BTreeMap<usize, Vec<Piece>> = BTreeMap::new();
        for (id, stage, step) in plan.steps() {
            // A resumed run asks only for what is left of each step.
            let set = wanted(id, &stage.partitions);
            if set.is_empty() {
                continue;
            }
            for ((stage_index, step_index), assets, checks) in positions.shares_of(step)? {
                let layout_stage = &layout.stages[stage_index];
                let part = requested_part(&layout_stage.steps[step_index], assets, checks);
                let batches = layout_stage
                    .batched
                    .then(|| batches_left(lineage, stage, step, &set));
                pieces.entry(stage_index).or_default().push(Piece {
                    step: step_index,
                    part,
                    set: set.clone(),
                    batches,
                    from: id.stage,
                });
            }
        }
        let stages = pieces.into_iter().map(|(index, pieces)| StageWork {
            stage: index,
            items: build_items(lineage, &layout.stages[index], pieces, &order),
        });
        Ok(Self {
            stages: stages.collect(),
        })
    }

    /// Returns the number of invocations.
    pub fn invocation_count(&self) -> usize {
        let items = self.stages.iter().flat_map(|stage| &stage.items);
        items.map(|item| item.steps.len()).sum()
    }
}

/// A position in a layout, with the assets and checks that a step of a plan has there.
type Share = ((usize, usize), Vec<AssetKey>, Vec<CheckKey>);

impl Positions<'_> {
    /// Returns the positions of a step's assets and checks. A step of the plan may be two steps of
    /// the layout, when an op between them is not part of the plan.
    fn shares_of(&self, step: &Step) -> Result<Vec<Share>, PlanError> {
        let stale = |what, name: &dyn std::fmt::Display| PlanError::Stale {
            what,
            name: name.to_string(),
        };
        let mut shares: BTreeMap<(usize, usize), (Vec<AssetKey>, Vec<CheckKey>)> = BTreeMap::new();
        for asset in &step.assets {
            let position = self
                .assets
                .get(asset)
                .ok_or_else(|| stale("asset", asset))?;
            shares.entry(*position).or_default().0.push(asset.clone());
        }
        for check in &step.checks {
            // A check that its asset's op returns is where the asset is.
            let position = if step.assets.is_empty() {
                self.checks.get(check)
            } else {
                self.assets.get(&check.asset)
            };
            let found = position.ok_or_else(|| stale("check", check))?;
            shares.entry(*found).or_default().1.push(check.clone());
        }
        let share = |(position, (assets, checks))| (position, assets, checks);
        Ok(shares.into_iter().map(share).collect())
    }
}

/// Returns the requested part of a step; `None` for all of it.
fn requested_part(step: &LayoutStep, assets: Vec<AssetKey>, checks: Vec<CheckKey>) -> Option<Part> {
    let whole = assets.len() == step.assets.len() && checks.len() == step.checks.len();
    (!whole).then_some(Part { assets, checks })
}

/// Divides a step into batches and keeps those partitions that are in `set`. The batches are those
/// of the whole stage, so that a resumed run keeps their bounds.
fn batches_left(
    lineage: Lineage<'_>,
    stage: &Stage,
    step: &Step,
    set: &PartitionSet,
) -> Vec<PartitionSet> {
    let definition = definition_of_step(lineage.graph, step.assets.first(), step.checks.first());
    let all = divide_into_batches(
        stage.batching,
        definition,
        &stage.partitions,
        lineage.context,
    );
    let left = all.into_iter().map(|batch| &batch.partitions & set);
    left.filter(|batch| !batch.is_empty()).collect()
}

/// Returns the partitions definition of a step's first asset, or of its first checked asset.
fn definition_of_step<'a>(
    graph: &'a AssetGraph,
    asset: Option<&AssetKey>,
    check: Option<&CheckKey>,
) -> Option<&'a PartitionsDefinition> {
    let key = asset.or(check.map(|check| &check.asset))?;
    graph.partitions(graph.id(key)?)
}

/// Builds the items of one stage from its pieces.
fn build_items(
    lineage: Lineage<'_>,
    stage: &LayoutStage,
    mut pieces: Vec<Piece>,
    order: &BTreeMap<usize, BTreeMap<u64, usize>>,
) -> Vec<Item> {
    pieces.sort_by_key(|piece| piece.step);
    let first = stage.steps.first();
    let definition = first.and_then(|step| {
        definition_of_step(lineage.graph, step.assets.first(), step.checks.first())
    });
    // An item takes every step that has a piece for some of its partitions.
    let item = |group: PartitionSet| {
        let mut steps: IndexMap<StepName, ItemStep> = IndexMap::new();
        for piece in pieces.iter().filter(|piece| !piece.set.is_disjoint(&group)) {
            let step = &stage.steps[piece.step];
            let own = &piece.set & &group;
            let taken = ItemStep {
                part: piece.part.clone(),
                partitions: (own != group).then_some(own),
            };
            match steps.entry(step.name.clone()) {
                Entry::Vacant(free) => drop(free.insert(taken)),
                Entry::Occupied(mut same) => same.get_mut().merge_request(taken, step, &group),
            }
        }
        let first = group.first();
        Item {
            key: first.and_then(|first| definition?.key(first, lineage.context)),
            partitions: group,
            steps,
        }
    };
    let mut items: Vec<Item> = group_pieces(&pieces).into_iter().map(item).collect();
    if stage.in_order {
        // Pieces of one in-order stage come from one stage of the plan: its op is alone in it. A
        // batch comes after the last of its partitions could run.
        let position = |ordinal: u64| {
            let orders = pieces.iter().filter_map(|piece| order.get(&piece.from));
            let positions = orders.filter_map(|order| order.get(&ordinal));
            positions.min().copied()
        };
        items.sort_by_cached_key(|item| {
            let positions = item.partitions.iter().filter_map(position);
            positions.max().unwrap_or(usize::MAX)
        });
    }
    items
}

/// Returns the partition sets that pass through a stage together: single partitions, or batches.
/// Batches of several steps that overlap are merged, so that one step follows the other.
fn group_pieces(pieces: &[Piece]) -> Vec<PartitionSet> {
    let mut groups: Vec<PartitionSet> = Vec::new();
    for batch in pieces
        .iter()
        .flat_map(|piece| piece.batches.iter().flatten())
    {
        let mut joined = batch.clone();
        // A batch that overlaps several groups merges them all.
        groups.retain(|group| {
            let apart = group.is_disjoint(&joined);
            if !apart {
                joined |= group;
            }
            apart
        });
        groups.push(joined);
    }
    groups.sort_by_key(PartitionSet::first);
    let single = pieces.iter().filter(|piece| piece.batches.is_none());
    let all = single.fold(PartitionSet::empty(), |all, piece| &all | &piece.set);
    groups.extend(all.iter().map(PartitionSet::single));
    groups
}

impl ItemStep {
    /// Adds the request of another piece of the plan for the same step and partitions.
    fn merge_request(&mut self, other: Self, step: &LayoutStep, group: &PartitionSet) {
        self.part = match (self.part.take(), other.part) {
            (Some(mut ours), Some(theirs)) => {
                ours.assets.extend(theirs.assets);
                ours.checks.extend(theirs.checks);
                let asked = |asset: &&AssetKey| ours.assets.contains(asset);
                let assets: Vec<AssetKey> = step.assets.iter().filter(asked).cloned().collect();
                requested_part(step, assets, ours.checks)
            }
            _ => None,
        };
        self.partitions = match (self.partitions.take(), other.partitions) {
            (Some(ours), Some(theirs)) => Some(&ours | &theirs).filter(|all| all != group),
            _ => None,
        };
    }
}
