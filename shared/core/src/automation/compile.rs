//! The conditions of a graph, checked and made ready: [`Conditions`].

use std::{collections::BTreeSet, sync::Arc};

use super::{
    AutomationCondition, ConditionKind as K, Filter, InvalidAutomation, Ordering,
    cursor::NodeId,
    node::{Kind, Node, Target, Way},
    schedule::Schedule,
};
use crate::{
    graph::{AssetGraph, AssetId, AssetSet, Edge},
    key::AssetKey,
    mapping::PartitionMapping,
    nearest::{nearest, or_list},
    selection::Selection,
};

/// The automation conditions of a graph, checked and made ready to be evaluated again and again.
#[derive(Debug)]
pub struct Conditions<'g> {
    pub(super) graph: &'g AssetGraph,
    pub(super) ordering: Ordering,
    /// In the order of evaluation: level by level of the graph, by key in a level.
    pub(super) roots: Vec<(AssetId, Node)>,
    pub(super) schedules: Vec<Schedule>,
    /// The assets of each op that cannot be asked for some of them only.
    pub(super) together: Vec<Vec<AssetId>>,
}

impl<'g> Conditions<'g> {
    /// Checks the conditions of all assets of a graph.
    ///
    /// # Errors
    /// [`InvalidAutomation`]: a bad cron schedule or time zone, a selection or an asset that does not
    /// exist, a question put to something that cannot answer it.
    pub fn new(graph: &'g AssetGraph, ordering: Ordering) -> Result<Self, InvalidAutomation> {
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
            let root = compiler.node(condition, Target::Asset(id), None, None)?;
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

    /// The assets that carry a condition, in the order of evaluation.
    pub fn assets(&self) -> impl ExactSizeIterator<Item = AssetId> + '_ {
        self.roots.iter().map(|(id, _)| *id)
    }
}

struct Compiler<'a, 'g> {
    graph: &'g AssetGraph,
    ordering: Ordering,
    root: AssetId,
    schedules: &'a mut Vec<Schedule>,
    /// The conditions around the one at hand.
    above: Vec<AutomationCondition>,
}

impl Compiler<'_, '_> {
    fn node(
        &mut self,
        condition: &AutomationCondition,
        target: Target,
        parent: Option<NodeId>,
        index: Option<usize>,
    ) -> Result<Node, InvalidAutomation> {
        let id = self.id(condition, target, parent, index);
        self.above.push(condition.clone());
        let kind = self.kind(condition, target, id)?;
        self.above.pop();
        Ok(Node {
            id,
            target,
            label: condition.label.as_deref().map(Arc::from),
            name: condition.name().into(),
            kind,
        })
    }

    fn kind(
        &mut self,
        condition: &AutomationCondition,
        target: Target,
        id: NodeId,
    ) -> Result<Kind, InvalidAutomation> {
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
                let other = self.asset(asset)?;
                self.matches(operand, other, target, Some(id), None)?.kind
            }
            K::AnyDepsMatch { operand, filter } => {
                Kind::AnyOf(true, self.deps(condition, operand, filter, target, id)?)
            }
            K::AllDepsMatch { operand, filter } => {
                Kind::AllOf(self.deps(condition, operand, filter, target, id)?)
            }
            K::AnyChecksMatch {
                operand,
                blocking_only,
            } => Kind::AnyOf(
                false,
                self.checks(condition, operand, *blocking_only, target, id)?,
            ),
            K::AllChecksMatch {
                operand,
                blocking_only,
            } => Kind::AllOf(self.checks(condition, operand, *blocking_only, target, id)?),
            K::AnyDownstreamConditions => Kind::Downstream(self.downstream(condition, target, id)?),
            K::And(operands) => Kind::And(self.operands(condition, operands, target, id)?),
            K::Or(operands) => Kind::Or(self.operands(condition, operands, target, id)?),
            K::Not(operand) => Kind::Not(self.child(operand, target, id, 0)?),
            K::NewlyTrue(operand) => Kind::NewlyTrue(self.child(operand, target, id, 0)?),
            K::Since { trigger, reset } => Kind::Since(
                self.child(trigger, target, id, 0)?,
                self.child(reset, target, id, 1)?,
            ),
        })
    }

    fn child(
        &mut self,
        condition: &AutomationCondition,
        target: Target,
        parent: NodeId,
        index: usize,
    ) -> Result<Box<Node>, InvalidAutomation> {
        self.node(condition, target, Some(parent), Some(index))
            .map(Box::new)
    }

    fn operands(
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
            .map(|(i, child)| self.node(child, target, Some(parent), Some(i)))
            .collect()
    }

    /// `operand`, asked of another asset on behalf of `target`.
    fn matches(
        &mut self,
        operand: &AutomationCondition,
        other: AssetId,
        target: Target,
        parent: Option<NodeId>,
        label: Option<Arc<str>>,
    ) -> Result<Node, InvalidAutomation> {
        let name = self.graph.key(other).as_str();
        let id = path(parent, None, name);
        let way = self.way(target.asset(), other);
        let child = self.node(operand, Target::Asset(other), Some(id), Some(0))?;
        let kind = Kind::Matches(way, Box::new(child));
        Ok(Node {
            id,
            target,
            label,
            name: name.into(),
            kind,
        })
    }

    fn deps(
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
        let allowed = self.select(&filter.allow)?;
        let ignored = self.select(&filter.ignore)?;
        let graph = self.graph;
        let mut deps: Vec<AssetId> = graph
            .upstream(asset)
            .iter()
            .map(|edge| edge.asset)
            .collect();
        deps.retain(|dep| {
            (filter.allow.is_empty() || allowed.contains(*dep)) && !ignored.contains(*dep)
        });
        deps.sort_unstable();
        deps.into_iter()
            .map(|dep| self.matches(operand, dep, target, Some(parent), None))
            .collect()
    }

    fn select(&self, selections: &[Selection]) -> Result<AssetSet, InvalidAutomation> {
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

    fn checks(
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
        let mut children = Vec::new();
        for check in graph.checks_of(asset) {
            let spec = graph.check(check);
            if blocking_only && !spec.blocking {
                continue;
            }
            let name: Arc<str> = spec.key.to_string().into();
            let id = path(Some(parent), None, &name);
            let child = self.child(operand, Target::Check(check, asset), id, 0)?;
            let kind = Kind::Matches(Way::Same, child);
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

    /// The distinct conditions of the assets downstream, each asked of `target`.
    fn downstream(
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
        distinct.sort_by(|(_, a), (_, b)| a.cmp(b));
        let mut children = Vec::new();
        for (index, (below, keys)) in distinct.iter().enumerate() {
            if self.above.contains(below) {
                continue;
            }
            let names: Vec<&str> = keys.iter().map(AssetKey::as_str).collect();
            let name: Arc<str> = names.join(", ").into();
            let id = path(Some(parent), Some(index), &name);
            let child = self.child(below, target, id, 0)?;
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

    fn asset(&self, key: &AssetKey) -> Result<AssetId, InvalidAutomation> {
        self.graph.id(key).ok_or_else(|| {
            let near = nearest(key.as_str(), self.graph.keys().map(AssetKey::as_str));
            InvalidAutomation::UnknownAsset {
                asset: self.graph.key(self.root).clone(),
                other: key.clone(),
                hint: if near.is_empty() {
                    String::new()
                } else {
                    format!(": did you mean {}?", or_list(&near))
                },
            }
        })
    }

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

    /// Whether the root asset can be made in the run in which another asset is made: nothing has to
    /// land before the run can be planned. As Dagster's `executable_in_same_run`.
    fn joins_run_of(&self, other: AssetId) -> bool {
        let (ours, theirs) = (
            self.graph.partitions(self.root),
            self.graph.partitions(other),
        );
        !self.graph.is_external(other)
            && ours == theirs
            && (ours.is_none()
                || matches!(
                    self.mapping(self.root, other),
                    PartitionMapping::Identity | PartitionMapping::TimeWindow { .. }
                ))
    }

    /// How a downstream asset is made from an upstream one; where neither is made from the other, how
    /// it would be.
    fn mapping(&self, downstream: AssetId, upstream: AssetId) -> PartitionMapping {
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

    fn way(&self, from: AssetId, to: AssetId) -> Way {
        let below = from != to
            && self
                .graph
                .downstream(from)
                .iter()
                .any(|edge| edge.asset == to);
        let mapping = if below {
            self.mapping(to, from)
        } else {
            self.mapping(from, to)
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
        let (here, there) = (self.graph.partitions(from), self.graph.partitions(to));
        if here == there && (here.is_none() || one_to_one) {
            Way::Same
        } else if below {
            Way::Down(mapping)
        } else {
            Way::Up(mapping)
        }
    }

    /// Nodes that remember something are known by what they say, wherever they stand in the tree:
    /// they always look at all partitions. With [`Ordering::Tick`] they are known by as little as
    /// Dagster knows them by, so that two of them can share what they remember.
    fn id(
        &self,
        condition: &AutomationCondition,
        target: Target,
        parent: Option<NodeId>,
        index: Option<usize>,
    ) -> NodeId {
        if !matches!(condition.kind, K::Since { .. } | K::NewlyTrue(_)) {
            return path(parent, index, &base_name(condition));
        }
        let target = match target {
            Target::Asset(asset) if asset == self.root => String::new(),
            Target::Asset(asset) => self.graph.key(asset).to_string(),
            Target::Check(check, _) => self.graph.check(check).key.to_string(),
        };
        match self.ordering {
            Ordering::Tick => shallow(condition, &target),
            Ordering::Sequence => NodeId::of(&[&structure(condition), &target]),
        }
    }
}

fn path(parent: Option<NodeId>, index: Option<usize>, name: &str) -> NodeId {
    let parent = parent.map(|parent| parent.to_string()).unwrap_or_default();
    let index = index.map(|index| index.to_string()).unwrap_or_default();
    NodeId::of(&[&parent, &index, name])
}

fn shallow(condition: &AutomationCondition, target: &str) -> NodeId {
    let children = condition.children();
    let children: Vec<String> = children
        .iter()
        .enumerate()
        .map(|(index, child)| match child.kind {
            K::Since { .. } | K::NewlyTrue(_) => shallow(child, target).to_string(),
            _ => path(None, Some(index), &base_name(child)).to_string(),
        })
        .collect();
    let name = condition.name();
    let mut parts = vec![name.as_str()];
    parts.extend(children.iter().map(String::as_str));
    parts.push(target);
    NodeId::of(&parts)
}

/// The name without the selections of a filter: changing them does not make a cursor worthless.
fn base_name(condition: &AutomationCondition) -> String {
    match &condition.kind {
        K::AnyDepsMatch { .. } => "any_deps_match".to_owned(),
        K::AllDepsMatch { .. } => "all_deps_match".to_owned(),
        _ => condition.name(),
    }
}

fn structure(condition: &AutomationCondition) -> String {
    let children: Vec<String> = condition.children().into_iter().map(structure).collect();
    format!("{}({})", base_name(condition), children.join(","))
}

/// A condition without its `any_downstream_conditions`: those would ask again what is being asked.
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
