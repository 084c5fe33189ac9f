//! [`Work`]: a plan, laid out on the machine.

use std::collections::BTreeMap;

use indexmap::{IndexMap, map::Entry};

use crate::{
    graph::AssetGraph,
    key::{AssetKey, CheckKey},
    machine::{
        Item, ItemStep, Layout, LayoutStage, LayoutStep, Part, StepName, layout::Places,
        order::in_order,
    },
    partitions::{PartitionSet, PartitionsDefinition},
    plan::{Lineage, Plan, PlanError, Stage, Step, StepId, batches},
};

/// What a plan has for each stage of the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// One for each stage that has something to do, by the stage's place.
    pub stages: Vec<StageWork>,
}

/// What a plan has for one stage of the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct StageWork {
    /// The stage's place in the layout.
    pub stage: usize,
    /// The items, in an order that in-order stages keep.
    pub items: Vec<Item>,
}

/// Some partitions of one step of a plan, as a step of the layout.
struct Piece {
    step: usize,
    part: Option<Part>,
    set: PartitionSet,
    /// The batches that the set is run in; `None` where each partition is an item.
    batches: Option<Vec<PartitionSet>>,
    /// The stage of the plan that it comes from.
    from: usize,
}

impl Work {
    /// Lays a plan out: `wanted` says which of a step's partitions still have to run.
    ///
    /// # Errors
    /// [`PlanError::Stale`] when the plan names something that the layout does not hold.
    pub fn new(
        lineage: Lineage<'_>,
        layout: &Layout,
        plan: &Plan,
        mut wanted: impl FnMut(StepId, &PartitionSet) -> PartitionSet,
    ) -> Result<Self, PlanError> {
        let places = layout.places();
        let order = in_order(lineage, plan)?;
        let mut pieces: BTreeMap<usize, Vec<Piece>> = BTreeMap::new();
        for (id, stage, step) in plan.steps() {
            let set = wanted(id, &stage.partitions);
            if set.is_empty() {
                continue;
            }
            for ((stage_place, step_place), assets, checks) in places.of(step)? {
                let laid_out = &layout.stages[stage_place];
                let part = part(&laid_out.steps[step_place], assets, checks);
                let batches = laid_out.batched.then(|| cut(lineage, stage, step, &set));
                pieces.entry(stage_place).or_default().push(Piece {
                    step: step_place,
                    part,
                    set: set.clone(),
                    batches,
                    from: id.stage,
                });
            }
        }
        let stages = pieces.into_iter().map(|(place, pieces)| StageWork {
            stage: place,
            items: items(lineage, &layout.stages[place], pieces, &order),
        });
        Ok(Self {
            stages: stages.collect(),
        })
    }

    /// How many invocations there are.
    pub fn invocations(&self) -> usize {
        let items = self.stages.iter().flat_map(|stage| &stage.items);
        items.map(|item| item.steps.len()).sum()
    }
}

/// A place of a layout, with what a step of a plan makes and checks there.
type Share = ((usize, usize), Vec<AssetKey>, Vec<CheckKey>);

impl Places<'_> {
    /// Where the assets and checks of a step of a plan are: a step of the plan may be two in the
    /// layout, when something between them is not part of the plan.
    fn of(&self, step: &Step) -> Result<Vec<Share>, PlanError> {
        let stale = |what, name: &dyn std::fmt::Display| PlanError::Stale {
            what,
            name: name.to_string(),
        };
        let mut shares: BTreeMap<(usize, usize), (Vec<AssetKey>, Vec<CheckKey>)> = BTreeMap::new();
        for asset in &step.assets {
            let place = self
                .assets
                .get(asset)
                .ok_or_else(|| stale("asset", asset))?;
            shares.entry(*place).or_default().0.push(asset.clone());
        }
        for check in &step.checks {
            let place = match step.assets.is_empty() {
                true => self.checks.get(check),
                false => self.assets.get(&check.asset),
            };
            let place = place.ok_or_else(|| stale("check", check))?;
            shares.entry(*place).or_default().1.push(check.clone());
        }
        let share = |(place, (assets, checks))| (place, assets, checks);
        Ok(shares.into_iter().map(share).collect())
    }
}

/// What is wanted of a step; `None` for all of it.
fn part(step: &LayoutStep, assets: Vec<AssetKey>, checks: Vec<CheckKey>) -> Option<Part> {
    let whole = assets.len() == step.assets.len() && checks.len() == step.checks.len();
    (!whole).then_some(Part { assets, checks })
}

/// The batches of a step, of which only `set` is left.
fn cut(lineage: Lineage<'_>, stage: &Stage, step: &Step, set: &PartitionSet) -> Vec<PartitionSet> {
    let definition = definition(lineage.graph, step.assets.first(), step.checks.first());
    let all = batches(
        stage.batching,
        definition,
        &stage.partitions,
        lineage.context,
    );
    let left = all.into_iter().map(|batch| &batch.partitions & set);
    left.filter(|batch| !batch.is_empty()).collect()
}

fn definition<'a>(
    graph: &'a AssetGraph,
    asset: Option<&AssetKey>,
    check: Option<&CheckKey>,
) -> Option<&'a PartitionsDefinition> {
    let key = asset.or(check.map(|check| &check.asset))?;
    graph.partitions(graph.id(key)?)
}

/// The items of one stage, from the pieces that fall to it.
fn items(
    lineage: Lineage<'_>,
    stage: &LayoutStage,
    mut pieces: Vec<Piece>,
    order: &BTreeMap<usize, BTreeMap<u64, usize>>,
) -> Vec<Item> {
    pieces.sort_by_key(|piece| piece.step);
    let first = stage.steps.first();
    let definition =
        first.and_then(|step| definition(lineage.graph, step.assets.first(), step.checks.first()));
    let groups = groups(&pieces);
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
                Entry::Occupied(mut same) => same.get_mut().add(taken, step, &group),
            }
        }
        let first = group.first();
        Item {
            key: first.and_then(|first| definition?.key(first, lineage.context)),
            partitions: group,
            steps,
        }
    };
    let mut items: Vec<Item> = groups.into_iter().map(item).collect();
    if stage.in_order {
        // Pieces of one in-order stage come from one stage of the plan: its op is alone in it.
        let place = |ordinal: u64| {
            let orders = pieces.iter().filter_map(|piece| order.get(&piece.from));
            let places = orders.filter_map(|order| order.get(&ordinal));
            places.min().copied()
        };
        items.sort_by_cached_key(|item| {
            let places = item.partitions.iter().filter_map(place);
            places.max().unwrap_or(usize::MAX)
        });
    }
    items
}

/// The partitions that go through a stage together: one by one, or in batches. Batches of several
/// steps that overlap go together, so that one step follows the other.
fn groups(pieces: &[Piece]) -> Vec<PartitionSet> {
    let mut groups: Vec<PartitionSet> = Vec::new();
    for batch in pieces
        .iter()
        .flat_map(|piece| piece.batches.iter().flatten())
    {
        let mut joined = batch.clone();
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
    /// Adds what another piece of the plan wants of the same step for the same partitions.
    fn add(&mut self, other: Self, step: &LayoutStep, group: &PartitionSet) {
        self.part = match (self.part.take(), other.part) {
            (Some(mut ours), Some(theirs)) => {
                ours.assets.extend(theirs.assets);
                ours.checks.extend(theirs.checks);
                let asked = |asset: &&AssetKey| ours.assets.contains(asset);
                let assets: Vec<AssetKey> = step.assets.iter().filter(asked).cloned().collect();
                part(step, assets, ours.checks)
            }
            _ => None,
        };
        self.partitions = match (self.partitions.take(), other.partitions) {
            (Some(ours), Some(theirs)) => Some(&ours | &theirs).filter(|all| all != group),
            _ => None,
        };
    }
}
