//! Invocations and the waits between them: the graph that stages are cut from and frontiers follow.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    graph::{AssetGraph, AssetId, CheckId, Edge, OpId},
    mapping::PartitionMapping,
    partitions::PartitionSet,
    plan::{CheckSelection, Lineage, PlanError, Step, target::Target},
    spec::{BackfillPolicy, DepNeed},
};

/// One invocation of an op, for every partition of a set.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub op: OpId,
    /// The materialized assets, in the op's order; empty for an op that only checks.
    pub assets: Vec<AssetId>,
    /// The checks whose results the invocation returns.
    pub checks: Vec<CheckId>,
    /// The asset whose partitions definition applies: a materialized or a checked one.
    pub divided_like: AssetId,
    pub set: PartitionSet,
}

/// A dependency of one node on partitions of another.
#[derive(Debug, Clone)]
pub(super) struct Wait {
    /// The index of the node that has to end first.
    pub on: usize,
    /// The asset of that node that is read, or that its check evaluated.
    pub upstream: AssetId,
    /// The reading asset; for a check, the checked asset.
    pub downstream: AssetId,
    /// The mapping between partitions of the two.
    pub mapping: PartitionMapping,
    /// The effect of a skipped upstream partition.
    pub need: DepNeed,
    /// `true` if the node waits for the checks of earlier partitions of its own asset, which run
    /// after the asset itself.
    pub earlier: bool,
}

/// Nodes, and the waits of each.
#[derive(Debug, Clone, Default)]
pub(super) struct Nodes {
    pub nodes: Vec<Node>,
    pub waits: Vec<Vec<Wait>>,
}

impl Node {
    /// Returns the backfill policy: a check follows the op that materializes its asset.
    pub(super) fn backfill_policy(&self, graph: &AssetGraph) -> BackfillPolicy {
        let op = if self.assets.is_empty() {
            graph.op_of(self.divided_like)
        } else {
            Some(self.op)
        };
        op.map(|op| graph.op(op).backfill).unwrap_or_default()
    }

    /// Returns `true` if an asset of the node depends on earlier partitions of one of its assets.
    pub(super) fn has_self_dependency(&self, lineage: Lineage<'_>) -> bool {
        self.assets.iter().any(|asset| {
            let mut above = lineage.graph.upstream(*asset).iter();
            above.any(|edge| {
                self.assets.contains(&edge.asset) && !lineage.is_one_to_one(*asset, edge)
            })
        })
    }
}

/// Divides a target into its smallest invocations: an op with `can_subset` has one node for each of
/// its assets.
pub(super) fn finest_nodes(
    lineage: Lineage<'_>,
    target: &Target,
    selection: &CheckSelection,
) -> Result<Nodes, PlanError> {
    let graph = lineage.graph;
    let mut nodes = Vec::new();
    for (op, spec) in graph.ops() {
        let assets: Vec<AssetId> = graph
            .assets_of(op)
            .filter(|asset| target.pairs.contains_asset(*asset))
            .collect();
        let selected = |check: &CheckId| selection.contains(&graph.check(*check).key);
        let node = |assets: Vec<AssetId>, checks, divided_like| Node {
            op,
            assets,
            checks,
            divided_like,
            set: target.pairs.of(divided_like).clone(),
        };
        // An op that only checks runs once for each checked asset.
        if spec.assets.is_empty() {
            for (asset, checks) in checks_by_asset(graph, op) {
                let checks: Vec<CheckId> = checks.into_iter().filter(selected).collect();
                if !checks.is_empty() && target.pairs.contains_asset(asset) {
                    nodes.push(node(Vec::new(), checks, asset));
                }
            }
        } else if spec.can_subset {
            let checks = checks_by_asset(graph, op);
            for asset in assets {
                let own = checks.get(&asset).into_iter().flatten().copied();
                nodes.push(node(vec![asset], own.filter(selected).collect(), asset));
            }
        // All assets at once, with all of the op's checks.
        } else if let Some(&first) = assets.first() {
            let checks: Vec<CheckId> = checks_by_asset(graph, op).into_values().flatten().collect();
            if let Some(check) = checks.iter().find(|check| !selected(check)) {
                return Err(PlanError::InlineCheck {
                    check: graph.check(*check).key.clone(),
                    op: spec.name.clone(),
                });
            }
            nodes.push(node(assets, checks, first));
        }
    }
    Ok(Nodes::new(lineage, nodes))
}

fn checks_by_asset(graph: &AssetGraph, op: OpId) -> BTreeMap<AssetId, Vec<CheckId>> {
    let mut checks: BTreeMap<AssetId, Vec<CheckId>> = BTreeMap::new();
    for spec in &graph.op(op).checks {
        if let (Some(check), Some(asset)) = (graph.check_id(&spec.key), graph.id(&spec.key.asset)) {
            checks.entry(asset).or_default().push(check);
        }
    }
    checks
}

impl Nodes {
    /// Collects the waits of each node for the others.
    pub(super) fn new(lineage: Lineage<'_>, nodes: Vec<Node>) -> Self {
        let mut makers: BTreeMap<AssetId, usize> = BTreeMap::new();
        let mut gates: BTreeMap<AssetId, Vec<usize>> = BTreeMap::new();
        for (index, node) in nodes.iter().enumerate() {
            makers.extend(node.assets.iter().map(|asset| (*asset, index)));
            if node.assets.is_empty() && has_blocking_check(lineage.graph, node) {
                gates.entry(node.divided_like).or_default().push(index);
            }
        }
        let waits = (0..nodes.len())
            .map(|index| {
                let reads = reads_of(lineage.graph, &nodes[index]);
                waits_of(lineage, index, &nodes[index], reads, &makers, &gates)
            })
            .collect();
        Self { nodes, waits }
    }

    /// Iterates over the waits of a node for other nodes, without those for its own earlier
    /// partitions.
    pub(super) fn waits_on_others(&self, index: usize) -> impl Iterator<Item = &Wait> {
        let waits = self.waits[index].iter();
        waits.filter(move |wait| wait.on != index && !wait.earlier)
    }

    /// Returns the nodes in topological order, or the op of a node that waits for itself.
    pub(super) fn topological_order(&self, graph: &AssetGraph) -> Result<Vec<usize>, PlanError> {
        let mut below = vec![Vec::new(); self.nodes.len()];
        let mut open = vec![0_usize; self.nodes.len()];
        for (index, open) in open.iter_mut().enumerate() {
            let waits_on: BTreeSet<usize> =
                self.waits_on_others(index).map(|wait| wait.on).collect();
            for on in waits_on {
                below[on].push(index);
                *open += 1;
            }
        }
        let mut ready: BTreeSet<usize> =
            (0..open.len()).filter(|index| open[*index] == 0).collect();
        let mut order = Vec::with_capacity(open.len());
        while let Some(index) = ready.pop_first() {
            order.push(index);
            for &next in &below[index] {
                open[next] -= 1;
                if open[next] == 0 {
                    ready.insert(next);
                }
            }
        }
        // Nodes that are never released are in a cycle, or behind one.
        match (0..open.len()).find(|index| open[*index] > 0) {
            None => Ok(order),
            Some(index) => Err(PlanError::Cycle {
                op: graph.op(self.nodes[index].op).name.clone(),
            }),
        }
    }
}

/// Returns `true` if a check of the node is blocking.
fn has_blocking_check(graph: &AssetGraph, node: &Node) -> bool {
    node.checks.iter().any(|check| graph.check(*check).blocking)
}

/// Returns the reads of a node as (reading asset, edge to the upstream asset). A check reads the
/// checked asset and its additional dependencies.
fn reads_of(graph: &AssetGraph, node: &Node) -> Vec<(AssetId, Edge)> {
    let mut reads: Vec<(AssetId, Edge)> = Vec::new();
    for &asset in &node.assets {
        reads.extend(
            graph
                .upstream(asset)
                .iter()
                .map(|edge| (asset, edge.clone())),
        );
    }
    if node.assets.is_empty() {
        let asset = node.divided_like;
        let itself = Edge {
            asset,
            mapping: PartitionMapping::Identity,
            need: DepNeed::Data,
        };
        reads.push((asset, itself));
        for dep in node
            .checks
            .iter()
            .flat_map(|c| &graph.check(*c).additional_deps)
        {
            if let Some(upstream) = graph.id(&dep.asset) {
                let mapping = dep.mapping.clone().unwrap_or_else(|| {
                    PartitionMapping::infer(graph.partitions(upstream), graph.partitions(asset))
                });
                let edge = Edge {
                    asset: upstream,
                    mapping,
                    need: dep.need,
                };
                reads.push((asset, edge));
            }
        }
    }
    reads
}

/// Returns the waits of a node: for the node that materializes each upstream asset and for the
/// blocking checks of that asset, unless the node itself checks it.
fn waits_of(
    lineage: Lineage<'_>,
    index: usize,
    node: &Node,
    reads: Vec<(AssetId, Edge)>,
    makers: &BTreeMap<AssetId, usize>,
    gates: &BTreeMap<AssetId, Vec<usize>>,
) -> Vec<Wait> {
    let graph = lineage.graph;
    let checked: BTreeSet<_> = graph
        .op(node.op)
        .checks
        .iter()
        .map(|c| &c.key.asset)
        .collect();
    let mut waits = Vec::new();
    for (downstream, edge) in reads {
        let maker = makers.get(&edge.asset).copied();
        let own = maker == Some(index);
        // No check can run between assets that one invocation materializes.
        let together = own
            && (edge.asset != downstream && lineage.is_one_to_one(downstream, &edge)
                || graph.partitions(downstream).is_none());
        let exempt = together || checked.contains(graph.key(edge.asset));
        let gates_of_upstream = gates.get(&edge.asset).into_iter().flatten().copied();
        let awaited_gates = gates_of_upstream.filter(|gate| !exempt && *gate != index);
        waits.extend(maker.into_iter().chain(awaited_gates).map(|on| Wait {
            on,
            upstream: edge.asset,
            downstream,
            mapping: edge.mapping.clone(),
            need: edge.need,
            earlier: own && on != index,
        }));
    }
    waits
}

/// Builds the node of a step of a plan.
///
/// # Errors
/// [`PlanError::Stale`] when the step names something that the graph does not hold.
pub(super) fn node_of_step(
    graph: &AssetGraph,
    step: &Step,
    set: PartitionSet,
) -> Result<Node, PlanError> {
    let stale = |what, name: String| PlanError::Stale { what, name };
    let assets: Vec<AssetId> = step
        .assets
        .iter()
        .map(|key| graph.id(key).ok_or_else(|| stale("asset", key.to_string())))
        .collect::<Result<_, _>>()?;
    let checks: Vec<CheckId> = step
        .checks
        .iter()
        .map(|key| {
            graph
                .check_id(key)
                .ok_or_else(|| stale("check", key.to_string()))
        })
        .collect::<Result<_, _>>()?;
    let op = || stale("op", step.op.clone());
    let checked = checks
        .first()
        .and_then(|check| graph.id(&graph.check(*check).key.asset));
    Ok(Node {
        op: graph.op_id(&step.op).ok_or_else(op)?,
        divided_like: assets.first().copied().or(checked).ok_or_else(op)?,
        assets,
        checks,
        set,
    })
}
