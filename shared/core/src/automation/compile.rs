//! [`Conditions`]: the conditions of a graph, validated and compiled.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    AutomationCondition, ConditionKind as K, Filter, InvalidAutomation, Ordering,
    cursor::NodeId,
    node::{Correspondence, Kind, Node, Target},
    schedule::Schedule,
};
use crate::{
    graph::{AssetGraph, AssetId, AssetSet, Edge},
    key::AssetKey,
    mapping::PartitionMapping,
    prose::did_you_mean,
    selection::Selection,
};

/// The automation conditions of a graph, validated and compiled for repeated evaluation.
#[derive(Debug)]
pub struct Conditions<'g> {
    pub(super) graph: &'g AssetGraph,
    pub(super) ordering: Ordering,
    /// The assets with a condition, in the order of evaluation: by level of the graph, then by key.
    pub(super) roots: Vec<(AssetId, Node)>,
    pub(super) schedules: Vec<Schedule>,
    /// For each asset, the assets of its op if the op materializes all of them at once.
    pub(super) together: Vec<Vec<AssetId>>,
}

impl<'g> Conditions<'g> {
    /// Compiles the conditions of all assets of a graph.
    ///
    /// # Errors
    /// [`InvalidAutomation`]: a bad cron schedule or time zone, an undeclared asset, or a condition
    /// that does not apply to its target.
    pub fn new(graph: &'g AssetGraph, ordering: Ordering) -> Result<Self, InvalidAutomation> {
        // The level of an asset is the longest way to it, so that everything upstream has a lower
        // one.
        let mut levels = vec![0_usize; graph.len()];
        for &id in graph.topological() {
            let above = graph.upstream(id).iter().filter(|edge| edge.asset != id);
            levels[id.0 as usize] = above
                .map(|edge| levels[edge.asset.0 as usize] + 1)
                .max()
                .unwrap_or(0);
        }
        let mut order: Vec<AssetId> = graph
            .ids()
            .filter(|&id| graph.asset(id).automation.is_some())
            .collect();
        order.sort_by_key(|id| (levels[id.0 as usize], *id));

        let mut schedules = Vec::new();
        let mut roots = Vec::with_capacity(order.len());
        for id in order {
            let Some(condition) = &graph.asset(id).automation else {
                continue;
            };
            let mut compiler = Compiler {
                graph,
                ordering,
                root: id,
                schedules: &mut schedules,
                above: Vec::new(),
            };
            if graph.is_external(id) {
                return Err(compiler.wrong_target(
                    condition,
                    Target::Asset(id),
                    "nothing here makes it: put the condition on an asset that an op makes",
                ));
            }
            let root = compiler.compile_node(condition, Target::Asset(id), None, None)?;
            roots.push((id, root));
        }
        let together = graph
            .ids()
            .map(|id| match graph.op_of(id) {
                Some(op) if !graph.op(op).can_subset => graph.assets_of(op).collect(),
                _ => Vec::new(),
            })
            .collect();
        Ok(Self {
            graph,
            ordering,
            roots,
            schedules,
            together,
        })
    }

    /// Iterates over the assets with a condition, in the order of evaluation.
    pub fn automated_assets(&self) -> impl ExactSizeIterator<Item = AssetId> + '_ {
        self.roots.iter().map(|(id, _)| *id)
    }
}

/// A compiler for the condition of one asset.
struct Compiler<'a, 'g> {
    graph: &'g AssetGraph,
    ordering: Ordering,
    /// The asset that carries the condition.
    root: AssetId,
    schedules: &'a mut Vec<Schedule>,
    /// The conditions around the current one, outermost first.
    above: Vec<AutomationCondition>,
}

impl Compiler<'_, '_> {
    /// Compiles a condition with everything under it.
    fn compile_node(
        &mut self,
        condition: &AutomationCondition,
        target: Target,
        parent: Option<NodeId>,
        index: Option<usize>,
    ) -> Result<Node, InvalidAutomation> {
        let id = self.node_id(condition, target, parent, index);
        self.above.push(condition.clone());
        // On an error the compiler is dropped, so `above` need not be restored.
        let kind = self.compile_kind(condition, target, id)?;
        self.above.pop();
        Ok(Node {
            id,
            target,
            label: condition.label.as_deref().map(Arc::from),
            name: condition.name().into(),
            kind,
        })
    }

    /// Compiles the fact or the operator at the top of a condition.
    fn compile_kind(
        &mut self,
        condition: &AutomationCondition,
        target: Target,
        id: NodeId,
    ) -> Result<Kind, InvalidAutomation> {
        // Some facts exist only for assets and some only for checks: the arms with `of_check`
        // refuse the others before the general arms below.
        let of_check = matches!(target, Target::Check(..));
        Ok(match &condition.kind {
            K::Missing => Kind::Missing,
            K::RunInProgress => Kind::RunInProgress,
            K::BackfillInProgress => Kind::BackfillInProgress,
            K::ExecutionFailed => Kind::ExecutionFailed,
            K::WillBeRequested => Kind::WillBeRequested(self.joins_run_of(target.asset())),
            K::NewlyRequested => Kind::NewlyRequested,
            K::NewlyUpdated => Kind::NewlyUpdated,
            K::InitialEvaluation => Kind::InitialEvaluation,
            K::ExecutedWithRootTarget => Kind::ExecutedWithRootTarget,
            K::ExecutedWithTags(tags) => Kind::ExecutedWithTags(tags.clone()),
            K::AnyNewUpdateHasRunTags(tags) => Kind::AnyNewUpdateHasRunTags(tags.clone()),
            K::AllNewUpdatesHaveRunTags(tags) => Kind::AllNewUpdatesHaveRunTags(tags.clone()),
            K::DataVersionChanged | K::CodeVersionChanged if of_check => {
                return Err(self.wrong_target(
                    condition,
                    target,
                    "a check has no version: ask it of the asset",
                ));
            }
            K::DataVersionChanged => Kind::DataVersionChanged,
            K::CodeVersionChanged => Kind::CodeVersionChanged,
            K::CronTickPassed { cron, timezone } => {
                let schedule =
                    Schedule::new(cron, timezone).map_err(|reason| InvalidAutomation::Cron {
                        asset: self.graph.key(self.root).clone(),
                        condition: condition.name(),
                        reason,
                    })?;
                // Equal schedules share an entry, so that a tick looks each up once.
                let known = self.schedules.iter().position(|known| *known == schedule);
                Kind::CronTickPassed(known.unwrap_or_else(|| {
                    self.schedules.push(schedule);
                    self.schedules.len() - 1
                }))
            }
            K::InLatestTimeWindow { lookback } => Kind::InLatestTimeWindow(*lookback),
            K::CheckPassed | K::CheckFailed if !of_check => {
                return Err(self.wrong_target(
                    condition,
                    target,
                    "only a check passes or fails: write it inside `any_checks_match` or \
                     `all_checks_match`",
                ));
            }
            K::CheckPassed => Kind::CheckPassed,
            K::CheckFailed => Kind::CheckFailed,
            K::AssetMatches { asset, operand } => {
                let other = self.find_asset(asset)?;
                self.compile_match(operand, other, target, Some(id), None)?
                    .kind
            }
            K::AnyDepsMatch { operand, filter } => Kind::AnyOf(
                true,
                self.compile_deps(condition, operand, filter, target, id)?,
            ),
            K::AllDepsMatch { operand, filter } => {
                Kind::AllOf(self.compile_deps(condition, operand, filter, target, id)?)
            }
            K::AnyChecksMatch {
                operand,
                blocking_only,
            } => Kind::AnyOf(
                false,
                self.compile_checks(condition, operand, *blocking_only, target, id)?,
            ),
            K::AllChecksMatch {
                operand,
                blocking_only,
            } => {
                Kind::AllOf(self.compile_checks(condition, operand, *blocking_only, target, id)?)
            }
            K::AnyDownstreamConditions => {
                Kind::Downstream(self.compile_downstream(condition, target, id)?)
            }
            K::And(operands) => Kind::And(self.compile_operands(condition, operands, target, id)?),
            K::Or(operands) => Kind::Or(self.compile_operands(condition, operands, target, id)?),
            K::Not(operand) => Kind::Not(self.compile_operand(operand, target, id, 0)?),
            K::NewlyTrue(operand) => Kind::NewlyTrue(self.compile_operand(operand, target, id, 0)?),
            K::Since { trigger, reset } => Kind::Since(
                self.compile_operand(trigger, target, id, 0)?,
                self.compile_operand(reset, target, id, 1)?,
            ),
        })
    }

    /// Compiles an operand for the same target.
    fn compile_operand(
        &mut self,
        condition: &AutomationCondition,
        target: Target,
        parent: NodeId,
        index: usize,
    ) -> Result<Box<Node>, InvalidAutomation> {
        self.compile_node(condition, target, Some(parent), Some(index))
            .map(Box::new)
    }

    /// Compiles the operands of `and` or `or`.
    fn compile_operands(
        &mut self,
        condition: &AutomationCondition,
        operands: &[AutomationCondition],
        target: Target,
        parent: NodeId,
    ) -> Result<Vec<Node>, InvalidAutomation> {
        if operands.is_empty() {
            return Err(InvalidAutomation::Empty {
                asset: self.graph.key(self.root).clone(),
                operator: condition.name(),
            });
        }
        let children = operands.iter().enumerate();
        children
            .map(|(i, child)| self.compile_node(child, target, Some(parent), Some(i)))
            .collect()
    }

    /// Compiles `operand` for another asset, on behalf of `target`.
    fn compile_match(
        &mut self,
        operand: &AutomationCondition,
        other: AssetId,
        target: Target,
        parent: Option<NodeId>,
        label: Option<Arc<str>>,
    ) -> Result<Node, InvalidAutomation> {
        let name = self.graph.key(other).as_str();
        let id = position_id(parent, None, name);
        let correspondence = self.correspondence(target.asset(), other);
        let child = self.compile_node(operand, Target::Asset(other), Some(id), Some(0))?;
        let kind = Kind::Matches(correspondence, Box::new(child));
        Ok(Node {
            id,
            target,
            label,
            name: name.into(),
            kind,
        })
    }

    /// Compiles `operand` for each upstream asset that the filter admits.
    fn compile_deps(
        &mut self,
        condition: &AutomationCondition,
        operand: &AutomationCondition,
        filter: &Filter,
        target: Target,
        parent: NodeId,
    ) -> Result<Vec<Node>, InvalidAutomation> {
        let Target::Asset(asset) = target else {
            return Err(self.wrong_target(
                condition,
                target,
                "a check has no dependencies of its own here: ask it of the asset",
            ));
        };
        let allowed = self.resolve_selections(&filter.allow)?;
        let ignored = self.resolve_selections(&filter.ignore)?;
        let graph = self.graph;
        let mut deps: Vec<AssetId> = graph
            .upstream(asset)
            .iter()
            .map(|edge| edge.asset)
            .collect();
        // Exclusion wins over admission.
        deps.retain(|dep| {
            (filter.allow.is_empty() || allowed.contains(*dep)) && !ignored.contains(*dep)
        });
        deps.sort_unstable();
        deps.into_iter()
            .map(|dep| self.compile_match(operand, dep, target, Some(parent), None))
            .collect()
    }

    /// Returns the assets in any of the selections.
    fn resolve_selections(&self, selections: &[Selection]) -> Result<AssetSet, InvalidAutomation> {
        let mut selected = AssetSet::new();
        for selection in selections {
            let assets =
                selection
                    .resolve(self.graph)
                    .map_err(|error| InvalidAutomation::Selection {
                        asset: self.graph.key(self.root).clone(),
                        error: Box::new(error),
                    })?;
            selected = &selected | &assets;
        }
        Ok(selected)
    }

    /// Compiles `operand` for each check on the target.
    fn compile_checks(
        &mut self,
        condition: &AutomationCondition,
        operand: &AutomationCondition,
        blocking_only: bool,
        target: Target,
        parent: NodeId,
    ) -> Result<Vec<Node>, InvalidAutomation> {
        let Target::Asset(asset) = target else {
            return Err(self.wrong_target(
                condition,
                target,
                "a check has no checks: ask it of the asset",
            ));
        };
        let graph = self.graph;
        // A check has the partitions of its asset, so no mapping is needed.
        let mut children = Vec::new();
        for check in graph.checks_of(asset) {
            let spec = graph.check(check);
            if blocking_only && !spec.blocking {
                continue;
            }
            let name: Arc<str> = spec.key.to_string().into();
            let id = position_id(Some(parent), None, &name);
            let child = self.compile_operand(operand, Target::Check(check, asset), id, 0)?;
            let kind = Kind::Matches(Correspondence::Same, child);
            children.push(Node {
                id,
                target,
                label: None,
                name,
                kind,
            });
        }
        Ok(children)
    }

    /// Compiles the distinct conditions of all downstream assets for `target`.
    fn compile_downstream(
        &mut self,
        condition: &AutomationCondition,
        target: Target,
        parent: NodeId,
    ) -> Result<Vec<Node>, InvalidAutomation> {
        let Target::Asset(asset) = target else {
            return Err(self.wrong_target(
                condition,
                target,
                "nothing is downstream of a check: ask it of the asset",
            ));
        };
        let graph = self.graph;
        // All assets downstream, near and far, grouped by their condition.
        let mut seen = BTreeSet::from([asset]);
        let mut open = vec![asset];
        let mut distinct: Vec<(AutomationCondition, BTreeSet<AssetKey>)> = Vec::new();
        while let Some(id) = open.pop() {
            for edge in graph.downstream(id) {
                if !seen.insert(edge.asset) {
                    continue;
                }
                open.push(edge.asset);
                let below = graph.asset(edge.asset).automation.as_ref();
                let Some(below) = below.and_then(without_downstream) else {
                    continue;
                };
                let key = graph.key(edge.asset).clone();
                match distinct.iter_mut().find(|(known, _)| *known == below) {
                    Some((_, keys)) => {
                        keys.insert(key);
                    }
                    None => distinct.push((below, [key].into())),
                }
            }
        }
        // The ids of the nodes include the index, so the order must not depend on the traversal.
        distinct.sort_by(|(_, a), (_, b)| a.cmp(b));
        let mut children = Vec::new();
        for (index, (below, keys)) in distinct.iter().enumerate() {
            // A condition around this one would contain itself without end.
            if self.above.contains(below) {
                continue;
            }
            let names: Vec<&str> = keys.iter().map(AssetKey::as_str).collect();
            let name: Arc<str> = names.join(", ").into();
            let id = position_id(Some(parent), Some(index), &name);
            let child = self.compile_operand(below, target, id, 0)?;
            children.push(Node {
                id,
                target,
                label: None,
                name,
                kind: Kind::DownstreamOf(child),
            });
        }
        Ok(children)
    }

    /// Returns the asset that a condition names.
    fn find_asset(&self, key: &AssetKey) -> Result<AssetId, InvalidAutomation> {
        self.graph.id(key).ok_or_else(|| {
            let known = self.graph.keys().map(AssetKey::as_str);
            InvalidAutomation::UnknownAsset {
                asset: self.graph.key(self.root).clone(),
                other: key.clone(),
                hint: did_you_mean(key.as_str(), known)
                    .map_or_else(String::new, |question| format!(": {question}")),
            }
        })
    }

    /// Creates the error of a condition that does not apply to its target.
    fn wrong_target(
        &self,
        condition: &AutomationCondition,
        target: Target,
        reason: &'static str,
    ) -> InvalidAutomation {
        InvalidAutomation::WrongTarget {
            asset: self.graph.key(self.root).clone(),
            condition: condition.label.clone().unwrap_or_else(|| condition.name()),
            target: match target {
                Target::Asset(asset) => format!("asset `{}`", self.graph.key(asset)),
                Target::Check(check, _) => format!("check `{}`", self.graph.check(check).key),
            },
            reason,
        }
    }

    /// Returns `true` if one run can materialize another asset and then the root asset, which then
    /// needs no new plan in between. As Dagster's `executable_in_same_run`.
    fn joins_run_of(&self, other: AssetId) -> bool {
        let (ours, theirs) = (
            self.graph.partitions(self.root),
            self.graph.partitions(other),
        );
        !self.graph.is_external(other)
            && ours == theirs
            && (ours.is_none()
                || matches!(
                    self.mapping_between(self.root, other),
                    PartitionMapping::Identity | PartitionMapping::TimeWindow { .. }
                ))
    }

    /// Returns the mapping between two assets; where they have no edge, the mapping that an edge
    /// would infer.
    fn mapping_between(&self, downstream: AssetId, upstream: AssetId) -> PartitionMapping {
        let edges: &[Edge] = self.graph.upstream(downstream);
        edges
            .iter()
            .find(|edge| edge.asset == upstream)
            .map_or_else(
                || {
                    let (up, down) = (
                        self.graph.partitions(upstream),
                        self.graph.partitions(downstream),
                    );
                    PartitionMapping::infer(up, down)
                },
                |edge| edge.mapping.clone(),
            )
    }

    /// Decides how partitions of `from` translate to partitions of `to`.
    fn correspondence(&self, from: AssetId, to: AssetId) -> Correspondence {
        // An edge decides the direction. Without one (`asset_matches` may name any asset), `to`
        // counts as upstream. So does an asset that depends on itself: its earlier partitions are
        // upstream.
        let below = from != to
            && self
                .graph
                .downstream(from)
                .iter()
                .any(|edge| edge.asset == to);
        let mapping = if below {
            self.mapping_between(to, from)
        } else {
            self.mapping_between(from, to)
        };
        let one_to_one = matches!(
            mapping,
            PartitionMapping::Identity
                | PartitionMapping::TimeWindow {
                    start_offset: 0,
                    end_offset: 0,
                    ..
                }
        );
        // Ordinals carry over unchanged only between equal definitions: identity mappings also join
        // definitions that share keys but number them differently.
        let (here, there) = (self.graph.partitions(from), self.graph.partitions(to));
        if here == there && (here.is_none() || one_to_one) {
            Correspondence::Same
        } else if below {
            Correspondence::Down(mapping)
        } else {
            Correspondence::Up(mapping)
        }
    }

    /// Returns the id under which the cursor keeps the state of a node.
    ///
    /// Nodes with a state of partitions (`since`, `newly_true`) always look at all partitions, so
    /// their id depends on their content and not on their position in the tree. With
    /// [`Ordering::Tick`] the id has as few parts as in Dagster, where two such nodes can share
    /// their state.
    fn node_id(
        &self,
        condition: &AutomationCondition,
        target: Target,
        parent: Option<NodeId>,
        index: Option<usize>,
    ) -> NodeId {
        // Other nodes are identified by their position. Of these only `code_version_changed` has a
        // state.
        if !matches!(condition.kind, K::Since { .. } | K::NewlyTrue(_)) {
            return position_id(parent, index, &base_name(condition));
        }
        let target_name = match target {
            Target::Asset(asset) if asset == self.root => String::new(),
            Target::Asset(asset) => self.graph.key(asset).to_string(),
            Target::Check(check, _) => self.graph.check(check).key.to_string(),
        };
        match self.ordering {
            Ordering::Tick => shallow_id(condition, &target_name),
            Ordering::Sequence => NodeId::hash_of(&[&structure_of(condition), &target_name]),
        }
    }
}

/// Returns the id of a node from its position in the tree.
fn position_id(parent: Option<NodeId>, index: Option<usize>, name: &str) -> NodeId {
    let parent_part = parent.map(|parent| parent.to_string()).unwrap_or_default();
    let index_part = index.map(|index| index.to_string()).unwrap_or_default();
    NodeId::hash_of(&[&parent_part, &index_part, name])
}

/// Returns the id of a stateful node from its name, its target and the names of its operands, as
/// Dagster does.
fn shallow_id(condition: &AutomationCondition, target: &str) -> NodeId {
    let children: Vec<String> = condition
        .children()
        .into_iter()
        .enumerate()
        .map(|(index, child)| match child.kind {
            K::Since { .. } | K::NewlyTrue(_) => shallow_id(child, target).to_string(),
            _ => position_id(None, Some(index), &base_name(child)).to_string(),
        })
        .collect();
    let name = condition.name();
    let mut parts = vec![name.as_str()];
    parts.extend(children.iter().map(String::as_str));
    parts.push(target);
    NodeId::hash_of(&parts)
}

/// Returns the name without the selections of a filter, so that the state in a cursor survives a
/// change of them.
fn base_name(condition: &AutomationCondition) -> String {
    match &condition.kind {
        K::AnyDepsMatch { .. } => "any_deps_match".to_owned(),
        K::AllDepsMatch { .. } => "all_deps_match".to_owned(),
        _ => condition.name(),
    }
}

/// Formats the names of a whole condition.
fn structure_of(condition: &AutomationCondition) -> String {
    let children: Vec<String> = condition.children().into_iter().map(structure_of).collect();
    format!("{}({})", base_name(condition), children.join(","))
}

/// Returns a condition without its `any_downstream_conditions`, which would refer back to the
/// condition that is being compiled; `None` when nothing is left.
fn without_downstream(condition: &AutomationCondition) -> Option<AutomationCondition> {
    if condition.label.is_some() {
        return Some(condition.clone());
    }
    match &condition.kind {
        K::AnyDownstreamConditions => None,
        K::And(operands) => {
            let kept: Option<Vec<_>> = operands.iter().map(without_downstream).collect();
            kept.map(|kept| K::And(kept).into())
        }
        K::Or(operands) => {
            let mut kept: Vec<_> = operands.iter().filter_map(without_downstream).collect();
            match kept.len() {
                0 => None,
                1 => kept.pop(),
                _ => Some(K::Or(kept).into()),
            }
        }
        _ => Some(condition.clone()),
    }
}
