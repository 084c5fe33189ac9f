//! Invocations and what they wait for: the graph that stages are cut from and schedules follow.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    graph::{AssetGraph, AssetId, CheckId, Edge, OpId},
    mapping::PartitionMapping,
    partitions::PartitionSet,
    plan::{CheckSelection, Lineage, PlanError, Step, target::Target},
    spec::BackfillPolicy,
};

/// One invocation of an op, for every partition of a set.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub op: OpId,
    /// What it makes, in the op's order; empty for an op that only checks.
    pub assets: Vec<AssetId>,
    /// The checks whose results it returns.
    pub checks: Vec<CheckId>,
    /// The asset whose definition divides it: one that it makes, or one that it checks.
    pub divided_like: AssetId,
    pub set: PartitionSet,
}

/// One node waits for partitions of another.
#[derive(Debug, Clone)]
pub(super) struct Wait {
    /// The node that is waited for.
    pub on: usize,
    /// The asset of that node that is read (or that the check of that node looked at).
    pub upstream: AssetId,
    /// The asset that reads; for a check it is the checked asset.
    pub downstream: AssetId,
    /// How partitions of the two correspond.
    pub mapping: PartitionMapping,
    /// Whether earlier partitions only are waited for: an asset that is made from them waits for their
    /// checks, which come after the asset itself.
    pub earlier: bool,
}

/// Nodes, and what each waits for.
#[derive(Debug, Clone, Default)]
pub(super) struct Nodes {
    pub nodes: Vec<Node>,
    pub waits: Vec<Vec<Wait>>,
}

impl Node {
    pub(super) fn policy(&self, graph: &AssetGraph) -> BackfillPolicy {
        let op = match self.assets.is_empty() {
            true => graph.op_of(self.divided_like),
            false => Some(self.op),
        };
        op.map(|op| graph.op(op).backfill).unwrap_or_default()
    }

    /// Whether an asset of it is made from earlier partitions of one of its assets.
    pub(super) fn has_self_dependency(&self, lineage: Lineage<'_>) -> bool {
        self.assets.iter().any(|asset| {
            let mut above = lineage.graph.upstream(*asset).iter();
            above.any(|edge| {
                self.assets.contains(&edge.asset) && !lineage.is_one_to_one(*asset, edge)
            })
        })
    }
}

/// The finest invocations of a target: an op that can make some of its assets only has one node for
/// each of them.
pub(super) fn finest(
    lineage: Lineage<'_>,
    target: &Target,
    selection: &CheckSelection,
) -> Result<Nodes, PlanError> {
    let graph = lineage.graph;
    let mut nodes = Vec::new();
    for (op, spec) in graph.ops() {
        let assets: Vec<AssetId> = graph
            .assets_of(op)
            .filter(|asset| target.pairs.has(*asset))
            .collect();
        let selected = |check: &CheckId| selection.contains(&graph.check(*check).key);
        let node = |assets: Vec<AssetId>, checks, divided_like| Node {
            op,
            assets,
            checks,
            divided_like,
            set: target.pairs.of(divided_like).clone(),
        };
        if spec.assets.is_empty() {
            for (asset, checks) in checks_by_asset(graph, op) {
                let checks: Vec<CheckId> = checks.into_iter().filter(selected).collect();
                if !checks.is_empty() && target.pairs.has(asset) {
                    nodes.push(node(Vec::new(), checks, asset));
                }
            }
        } else if spec.can_subset {
            let checks = checks_by_asset(graph, op);
            for asset in assets {
                let own = checks.get(&asset).into_iter().flatten().copied();
                nodes.push(node(vec![asset], own.filter(selected).collect(), asset));
            }
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
    /// Finds what each node waits for among the others.
    pub(super) fn new(lineage: Lineage<'_>, nodes: Vec<Node>) -> Self {
        let mut makers: BTreeMap<AssetId, usize> = BTreeMap::new();
        let mut gates: BTreeMap<AssetId, Vec<usize>> = BTreeMap::new();
        for (place, node) in nodes.iter().enumerate() {
            makers.extend(node.assets.iter().map(|asset| (*asset, place)));
            if node.assets.is_empty() && blocks(lineage.graph, node) {
                gates.entry(node.divided_like).or_default().push(place);
            }
        }
        let waits = (0..nodes.len())
            .map(|place| {
                let reads = reads(lineage.graph, &nodes[place]);
                waits(lineage, place, &nodes[place], reads, &makers, &gates)
            })
            .collect();
        Self { nodes, waits }
    }

    /// What a node waits for of others, partition by partition or as a whole.
    pub(super) fn above(&self, place: usize) -> impl Iterator<Item = &Wait> {
        let waits = self.waits[place].iter();
        waits.filter(move |wait| wait.on != place && !wait.earlier)
    }

    /// The nodes, each after everything it waits for.
    pub(super) fn topological(&self, graph: &AssetGraph) -> Result<Vec<usize>, PlanError> {
        let mut below = vec![Vec::new(); self.nodes.len()];
        let mut open = vec![0_usize; self.nodes.len()];
        for (place, open) in open.iter_mut().enumerate() {
            let on: BTreeSet<usize> = self.above(place).map(|wait| wait.on).collect();
            for on in on {
                below[on].push(place);
                *open += 1;
            }
        }
        let mut ready: BTreeSet<usize> =
            (0..open.len()).filter(|place| open[*place] == 0).collect();
        let mut order = Vec::with_capacity(open.len());
        while let Some(place) = ready.pop_first() {
            order.push(place);
            for &next in &below[place] {
                open[next] -= 1;
                if open[next] == 0 {
                    ready.insert(next);
                }
            }
        }
        match (0..open.len()).find(|place| open[*place] > 0) {
            None => Ok(order),
            Some(place) => Err(PlanError::Circle {
                op: graph.op(self.nodes[place].op).name.clone(),
            }),
        }
    }
}

fn blocks(graph: &AssetGraph, node: &Node) -> bool {
    node.checks.iter().any(|check| graph.check(*check).blocking)
}

/// What a node reads: (the asset that reads, the edge up). A check reads the asset that it looks at,
/// and what it names in addition.
fn reads(graph: &AssetGraph, node: &Node) -> Vec<(AssetId, Edge)> {
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
                };
                reads.push((asset, edge));
            }
        }
    }
    reads
}

/// What is read has to be made, and to have passed its blocking checks, unless the node is itself
/// one that checks it.
fn waits(
    lineage: Lineage<'_>,
    place: usize,
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
        let own = maker == Some(place);
        // What is made together cannot wait for a check in between.
        let together = own
            && (edge.asset != downstream && lineage.is_one_to_one(downstream, &edge)
                || graph.partitions(downstream).is_none());
        let exempt = together || checked.contains(graph.key(edge.asset));
        let gates = gates.get(&edge.asset).into_iter().flatten().copied();
        let gates = gates.filter(|gate| !exempt && *gate != place);
        waits.extend(maker.into_iter().chain(gates).map(|on| Wait {
            on,
            upstream: edge.asset,
            downstream,
            mapping: edge.mapping.clone(),
            earlier: own && on != place,
        }));
    }
    waits
}

/// The node of a step of a plan.
pub(super) fn of_step(
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
