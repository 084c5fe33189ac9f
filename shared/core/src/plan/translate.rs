//! Translating a stored plan to the current declarations.

use std::collections::BTreeMap;

use crate::{
    graph::{AssetGraph, AssetId},
    key::AssetKey,
    mapping::PartitionMapping,
    partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition, TimeWindow},
    plan::{
        DefinitionChange, Lineage, Plan, PlanBasis, PlanError, Stage, Step,
        basis::upstream_of,
        definition_change::describe_partitions,
        node::{Nodes, node_of_step},
        stages::divide_into_stages,
    },
};

/// The number of keys that a message names.
const MAX_NAMED: usize = 5;

/// A stored plan, translated to the current declarations.
#[derive(Debug, Clone, PartialEq)]
pub struct TranslatedPlan {
    /// The part of the plan that the current declarations have, by the ordinals that its keys have
    /// now.
    pub plan: Plan,
    /// The rest. It matters unless the run has finished it already.
    pub outdated: Vec<OutdatedWork>,
}

/// Partitions of a planned step that the current declarations do not have.
#[derive(Debug, Clone, PartialEq)]
pub struct OutdatedWork {
    /// The step.
    pub step: Step,
    /// The partitions.
    pub partitions: Vec<PlannedPartition>,
    change: PlanError,
}

/// A partition as a plan knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPartition {
    /// The ordinal in the definition that the plan was made with.
    pub ordinal: u64,
    /// The key; `None` for an unpartitioned asset, and for a key that is not known any more.
    pub key: Option<PartitionKey>,
}

impl OutdatedWork {
    /// Returns the error for the partitions that are listed.
    pub fn into_error(self) -> PlanError {
        match self.change {
            PlanError::Outdated(change) => {
                PlanError::Outdated(Box::new(change.with_partitions(&self.partitions)))
            }
            change => change,
        }
    }
}

impl DefinitionChange {
    /// Returns the change with the partitions that it names.
    fn with_partitions(self, partitions: &[PlannedPartition]) -> Self {
        let mut named = partitions.iter().filter_map(|one| one.key.clone());
        match self {
            Self::KeysGone {
                asset,
                before,
                now,
                set,
                ..
            } => Self::KeysGone {
                asset,
                keys: named.take(MAX_NAMED).collect(),
                count: partitions.len() as u64,
                before,
                now,
                set,
            },
            Self::OtherMeaning {
                asset,
                key,
                before,
                now,
            } => Self::OtherMeaning {
                asset,
                key: named.next().unwrap_or(key),
                before,
                now,
            },
            other => other,
        }
    }
}

/// Translates a plan. A planned partition keeps its key: it is found again by that key, and is the
/// same only if the key still means the same time.
pub(super) fn translate_plan(
    lineage: Lineage<'_>,
    plan: &Plan,
) -> Result<TranslatedPlan, PlanError> {
    let graph = lineage.graph;
    let mut nodes = Vec::new();
    let mut outdated = Vec::new();
    let mut renumbered = plan.basis.renumbered.clone();
    for (_, stage, step) in plan.steps() {
        let asset = divided_like(step)?;
        let division = Division::new(lineage, &plan.basis, asset, Some(stage.partitioned));
        if division.before != division.now {
            renumbered.extend(step.assets.iter().cloned());
        }
        let mut add_outdated = |ordinals: &PartitionSet, change: PlanError| {
            if !ordinals.is_empty() {
                outdated.push(OutdatedWork {
                    step: step.clone(),
                    partitions: division.describe(ordinals),
                    change,
                });
            }
        };
        if let Some(change) = change_of_step(graph, &plan.basis, step) {
            add_outdated(&stage.partitions, change);
            continue;
        }
        let moved = match division.relocate(&stage.partitions) {
            Ok(moved) => moved,
            Err(change) => {
                add_outdated(&stage.partitions, change.into());
                continue;
            }
        };
        add_outdated(&moved.gone, division.keys_gone(&moved.gone).into());
        if let Some(change) = division.other_meaning(&moved.other) {
            add_outdated(&moved.other, change.into());
        }
        if !moved.kept.is_empty() {
            nodes.push(node_of_step(graph, step, moved.kept)?);
        }
    }
    // Cut into stages again: steps of one stage may be left with different partitions, and an op
    // may take another number of partitions at a time by now.
    let stages = divide_into_stages(lineage, &Nodes::new(lineage, nodes))?;
    let relocate = |asset: &AssetKey, set: &PartitionSet| {
        let moved = Division::new(lineage, &plan.basis, asset, None).relocate(set);
        moved.map(|moved| moved.kept).unwrap_or_default()
    };
    let mut left_out = plan.left_out.clone();
    left_out.retain(|left_out| graph.id(&left_out.asset).is_some());
    for left_out in &mut left_out {
        left_out.partitions = relocate(&left_out.asset, &left_out.partitions);
    }
    let mut needed = plan.needed.clone();
    for needed in &mut needed {
        needed.partitions = relocate(&needed.upstream, &needed.partitions);
    }
    needed.retain(|needed| graph.id(&needed.upstream).is_some() && !needed.partitions.is_empty());
    let basis = PlanBasis {
        renumbered,
        ..PlanBasis::from_graph(graph, &stages, &left_out, &needed)
    };
    Ok(TranslatedPlan {
        plan: Plan {
            basis,
            stages,
            left_out,
            needed,
            ..plan.clone()
        },
        outdated,
    })
}

/// Checks that every ordinal of a plan still means the same partition of the same work.
pub(super) fn check_unchanged(lineage: Lineage<'_>, plan: &Plan) -> Result<(), PlanError> {
    for (_, stage, step) in plan.steps() {
        if let Some(change) = change_of_step(lineage.graph, &plan.basis, step) {
            return Err(change);
        }
        let asset = divided_like(step)?;
        Division::new(lineage, &plan.basis, asset, Some(stage.partitioned))
            .check_in_place(&stage.partitions)?;
    }
    Ok(())
}

/// Returns the asset whose definition the ordinals of a step belong to.
fn divided_like(step: &Step) -> Result<&AssetKey, PlanError> {
    let checked = step.checks.first().map(|check| &check.asset);
    let asset = step.assets.first().or(checked);
    asset.ok_or_else(|| PlanError::Stale {
        what: "op",
        name: step.op.clone(),
    })
}

/// Returns the reason why a step is not the same work as when it was planned.
fn change_of_step(graph: &AssetGraph, basis: &PlanBasis, step: &Step) -> Option<PlanError> {
    let node = match node_of_step(graph, step, PartitionSet::empty()) {
        Ok(node) => node,
        Err(stale) => return Some(stale),
    };
    let other_op = |name: String| DefinitionChange::OtherOp {
        name,
        op: step.op.clone(),
    };
    let of_other_op = node
        .assets
        .iter()
        .find(|asset| graph.op_of(**asset) != Some(node.op))
        .map(|asset| graph.key(*asset).to_string())
        .or_else(|| {
            let mut checks = node.checks.iter();
            let other = checks.find(|check| graph.op_of_check(**check) != node.op)?;
            Some(graph.check(*other).key.to_string())
        });
    if let Some(name) = of_other_op {
        return Some(other_op(name).into());
    }
    if !node.assets.is_empty() && !graph.op(node.op).can_subset {
        let added: Vec<String> = graph
            .assets_of(node.op)
            .filter(|asset| !node.assets.contains(asset))
            .map(|asset| graph.key(asset).to_string())
            .collect();
        if !added.is_empty() {
            let op = step.op.clone();
            return Some(DefinitionChange::OpGrew { op, added }.into());
        }
    }
    node.assets.iter().find_map(|asset| {
        let key = graph.key(*asset);
        let before = basis.upstream.get(key)?;
        let change = difference_of_upstream(before, &upstream_of(graph, *asset))?;
        let asset = key.clone();
        Some(DefinitionChange::OtherUpstream { asset, change }.into())
    })
}

/// Describes the first difference between the upstream of an asset then and now.
fn difference_of_upstream(
    before: &BTreeMap<AssetKey, PartitionMapping>,
    now: &BTreeMap<AssetKey, PartitionMapping>,
) -> Option<String> {
    let removed = before.keys().find(|asset| !now.contains_key(*asset));
    if let Some(removed) = removed {
        return Some(format!("it no longer depends on `{removed}`"));
    }
    now.iter()
        .find_map(|(asset, mapping)| match before.get(asset) {
            None => Some(format!("it depends on `{asset}` as well now")),
            Some(earlier) if earlier != mapping => Some(format!(
                "its partitions are mapped to others of `{asset}` now"
            )),
            Some(_) => None,
        })
}

/// The partitions definitions of an asset: of the plan, and of the current declarations.
struct Division<'a> {
    asset: &'a AssetKey,
    before: Option<&'a PartitionsDefinition>,
    now: Option<&'a PartitionsDefinition>,
    /// `true` if the asset got partitions, or lost them.
    changed_kind: bool,
    context: &'a PartitionContext,
}

/// The places that planned partitions have now.
#[derive(Default)]
struct Moved {
    /// The partitions that are still there, by their current ordinals.
    kept: PartitionSet,
    /// The planned ordinals of keys that no longer exist.
    gone: PartitionSet,
    /// The planned ordinals of keys that mean something else.
    other: PartitionSet,
}

/// The place of one planned partition now.
enum Location {
    At(u64),
    Gone,
    Other,
}

impl<'a> Division<'a> {
    /// `partitioned` is what the plan itself says of the asset, where it does.
    fn new(
        lineage: Lineage<'a>,
        basis: &'a PlanBasis,
        asset: &'a AssetKey,
        partitioned: Option<bool>,
    ) -> Self {
        let graph = lineage.graph;
        let now = graph.id(asset).and_then(|asset| graph.partitions(asset));
        // Plans without a basis were compared with the record: they mean what is declared.
        let before = basis.definition_of(asset).unwrap_or(now);
        let was_partitioned = partitioned.unwrap_or(before.is_some());
        Self {
            asset,
            before,
            now,
            changed_kind: was_partitioned != now.is_some() || before.is_some() != now.is_some(),
            context: lineage.context,
        }
    }

    /// Finds planned partitions in the current definition.
    fn relocate(&self, set: &PartitionSet) -> Result<Moved, DefinitionChange> {
        if self.changed_kind {
            return Err(self.other_division());
        }
        let mut moved = Moved::default();
        match (self.before, self.now) {
            // A removed dynamic key leaves its slot, so equal definitions may lack partitions. Where
            // no key can be removed, the sets are compared as a whole.
            (Some(before), Some(now)) if before == now => {
                let suspects = if now.dynamic_sets().is_empty() {
                    set - &now.all(self.context)
                } else {
                    set.clone()
                };
                moved.gone = without_key(now, &suspects, self.context);
                moved.kept = set - &moved.gone;
            }
            (Some(before), Some(now)) => {
                for ordinal in set.iter() {
                    let slot = match locate(before, now, ordinal, self.context) {
                        Location::At(current) => {
                            moved.kept.insert(current);
                            continue;
                        }
                        Location::Gone => &mut moved.gone,
                        Location::Other => &mut moved.other,
                    };
                    slot.insert(ordinal);
                }
            }
            _ => moved.kept = set.clone(),
        }
        Ok(moved)
    }

    /// Checks that planned ordinals are the current ones.
    fn check_in_place(&self, set: &PartitionSet) -> Result<(), DefinitionChange> {
        if self.changed_kind {
            return Err(self.other_division());
        }
        let (Some(before), Some(now)) = (self.before, self.now) else {
            return Ok(());
        };
        // A key that was removed from a dynamic set is refused where its partition is run.
        if before == now {
            return Ok(());
        }
        let mut moved = Moved::default();
        let mut elsewhere = None;
        for ordinal in set.iter() {
            match locate(before, now, ordinal, self.context) {
                Location::At(current) if current == ordinal => {}
                Location::At(_) => elsewhere = elsewhere.or(Some(ordinal)),
                Location::Gone => drop(moved.gone.insert(ordinal)),
                Location::Other => drop(moved.other.insert(ordinal)),
            }
        }
        if !moved.gone.is_empty() {
            let partitions = self.describe(&moved.gone);
            return Err(self.keys_gone(&moved.gone).with_partitions(&partitions));
        }
        if let Some(change) = self.other_meaning(&moved.other) {
            return Err(change);
        }
        match elsewhere.and_then(|ordinal| self.former_key(ordinal)) {
            Some(key) => Err(DefinitionChange::Renumbered {
                asset: self.asset.clone(),
                key,
                before: describe_partitions(self.before),
                now: describe_partitions(self.now),
            }),
            None => Ok(()),
        }
    }

    fn former_key(&self, ordinal: u64) -> Option<PartitionKey> {
        self.before?.former_key(ordinal, self.context)
    }

    /// Returns planned partitions with their keys.
    fn describe(&self, ordinals: &PartitionSet) -> Vec<PlannedPartition> {
        let partition = |ordinal| PlannedPartition {
            ordinal,
            key: self.former_key(ordinal),
        };
        ordinals.iter().map(partition).collect()
    }

    fn other_division(&self) -> DefinitionChange {
        DefinitionChange::OtherDivision {
            asset: self.asset.clone(),
            before: describe_partitions(self.before),
            now: describe_partitions(self.now),
        }
    }

    fn keys_gone(&self, gone: &PartitionSet) -> DefinitionChange {
        let removed_from = self.now.and_then(|now| match now {
            PartitionsDefinition::Dynamic(dynamic) => Some(dynamic.name.clone()),
            _ => None,
        });
        DefinitionChange::KeysGone {
            asset: self.asset.clone(),
            keys: Vec::new(),
            count: gone.len(),
            before: describe_partitions(self.before),
            now: describe_partitions(self.now),
            set: removed_from,
        }
    }

    fn other_meaning(&self, other: &PartitionSet) -> Option<DefinitionChange> {
        Some(DefinitionChange::OtherMeaning {
            asset: self.asset.clone(),
            key: self.former_key(other.first()?)?,
            before: describe_partitions(self.before),
            now: describe_partitions(self.now),
        })
    }
}

/// Returns the ordinals that have no key.
fn without_key(
    definition: &PartitionsDefinition,
    set: &PartitionSet,
    context: &PartitionContext,
) -> PartitionSet {
    set.iter()
        .filter(|ordinal| definition.key(*ordinal, context).is_none())
        .collect()
}

/// Finds a planned partition in the current definition by its key.
fn locate(
    before: &PartitionsDefinition,
    now: &PartitionsDefinition,
    ordinal: u64,
    context: &PartitionContext,
) -> Location {
    let current = before
        .former_key(ordinal, context)
        .and_then(|key| now.find(key.as_str(), context));
    match current {
        Some(current) if meaning(before, ordinal) == meaning(now, current) => Location::At(current),
        Some(_) => Location::Other,
        None => Location::Gone,
    }
}

/// Returns what a key means besides its text: the name and the window of each dimension. A day
/// and a month may have the same key, and so may a port of departure and one of arrival.
fn meaning(definition: &PartitionsDefinition, ordinal: u64) -> Vec<(&str, Option<TimeWindow>)> {
    let window = |definition: &PartitionsDefinition, ordinal| match definition {
        PartitionsDefinition::TimeWindow(windows) => windows.window(ordinal),
        _ => None,
    };
    match definition {
        PartitionsDefinition::Multi(multi) => multi
            .dimensions()
            .zip(multi.ordinals_of(ordinal).into_iter().flatten())
            .map(|((name, dimension), ordinal)| (name, window(dimension, ordinal)))
            .collect(),
        single => vec![("", window(single, ordinal))],
    }
}

impl Lineage<'_> {
    /// Checks that every partition of a set has a key.
    ///
    /// # Errors
    /// [`PlanError::Outdated`], which names the keys that were removed.
    pub fn check_keys_exist(
        &self,
        asset: AssetId,
        partitions: &PartitionSet,
    ) -> Result<(), PlanError> {
        let definition = self.graph.partitions(asset);
        let Some(now) = definition else { return Ok(()) };
        let gone = without_key(now, partitions, self.context);
        if gone.is_empty() {
            return Ok(());
        }
        let division = Division {
            asset: self.graph.key(asset),
            before: definition,
            now: definition,
            changed_kind: false,
            context: self.context,
        };
        let change = division.keys_gone(&gone);
        Err(change.with_partitions(&division.describe(&gone)).into())
    }
}

impl Plan {
    /// Checks that a plan without a basis is not used for partitions that were renumbered: it does
    /// not know what its ordinals meant when it was made.
    ///
    /// # Errors
    /// [`DefinitionChange::UnknownBefore`].
    pub fn check_numbering(&self, renumbered: &[AssetKey]) -> Result<(), PlanError> {
        if !self.basis.is_unknown() {
            return Ok(());
        }
        let counts = self.partition_counts();
        let checked = self.stages.iter().flat_map(Stage::checked_assets);
        match counts
            .keys()
            .chain(checked)
            .find(|asset| renumbered.contains(asset))
        {
            Some(asset) => Err(DefinitionChange::UnknownBefore {
                asset: asset.clone(),
            }
            .into()),
            None => Ok(()),
        }
    }
}

impl Stage {
    fn checked_assets(&self) -> impl Iterator<Item = &AssetKey> {
        let checks = self.steps.iter().flat_map(|step| &step.checks);
        checks.map(|check| &check.asset)
    }
}

#[cfg(test)]
mod tests;
