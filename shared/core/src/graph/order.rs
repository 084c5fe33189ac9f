//! A topological order, or the circles that leave none.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, VecDeque},
};

use petgraph::{algo::kosaraju_scc, graph::DiGraph, graph::NodeIndex};

use crate::graph::{AssetId, Edge, GraphProblem, asset_graph::Place, build::Assets};

/// Orders the assets so that each comes after what it is made from, by key where that leaves a choice.
pub(super) fn order(
    assets: &Assets<'_>,
    upstream: &[Vec<Edge>],
    downstream: &[Vec<Edge>],
    problems: &mut Vec<GraphProblem>,
) -> Vec<AssetId> {
    let others = |id: AssetId, edges: &[Edge]| edges.iter().filter(|edge| edge.asset != id).count();
    let mut waiting: Vec<usize> = assets
        .ids()
        .map(|id| others(id, &upstream[id.index()]))
        .collect();
    let mut ready: BinaryHeap<Reverse<AssetId>> = assets
        .ids()
        .filter(|id| waiting[id.index()] == 0)
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(Reverse(id)) = ready.pop() {
        order.push(id);
        for edge in downstream[id.index()]
            .iter()
            .filter(|edge| edge.asset != id)
        {
            let left = &mut waiting[edge.asset.index()];
            *left -= 1;
            if *left == 0 {
                ready.push(Reverse(edge.asset));
            }
        }
    }
    if order.len() < waiting.len() {
        for path in circles(waiting.len(), |asset| asset, upstream) {
            let path = path.into_iter().map(|(from, _)| from);
            problems.push(GraphProblem::Cycle {
                path: closed(assets, path),
            });
        }
    } else {
        op_circles(assets, upstream, problems);
    }
    order
}

/// Finds the ops that make several assets at once and have to run before as well as after another.
/// An op that can make some of its assets only can run twice, and is never in the way.
fn op_circles(assets: &Assets<'_>, upstream: &[Vec<Edge>], problems: &mut Vec<GraphProblem>) {
    let first_of_op: Vec<AssetId> = assets
        .ids()
        .map(|id| match assets.places[id.index()] {
            Place::Op(op, _) if !assets.ops[op.0 as usize].can_subset => {
                let made = assets.ops[op.0 as usize].assets.first();
                made.and_then(|asset| assets.ids.get(&asset.key))
                    .copied()
                    .unwrap_or(id)
            }
            _ => id,
        })
        .collect();
    for steps in circles(upstream.len(), |id| first_of_op[id.index()], upstream) {
        // Somewhere on the way the path enters an op at one asset and leaves it at another.
        let joints = steps.iter().zip(steps.iter().cycle().skip(1));
        let several = joints.filter(|((_, enters), (leaves, _))| enters != leaves);
        let ops = several.filter_map(|((_, enters), _)| match assets.places[enters.index()] {
            Place::Op(op, _) => Some(assets.ops[op.0 as usize].name.clone()),
            Place::External(_) => None,
        });
        let Some(op) = ops.min() else { continue };
        let mut path: Vec<AssetId> = steps.iter().flat_map(|(from, to)| [*from, *to]).collect();
        path.dedup();
        let path = path
            .into_iter()
            .map(|id| assets.spec(id).key.clone())
            .collect();
        problems.push(GraphProblem::OpCycle { op, path });
    }
}

/// One shortest circle through the first member of each group of nodes that reach each other, as the
/// edges around it: the asset that is made, and the asset it is made from. `node` gives the node
/// that an asset belongs to, named by one of its assets.
fn circles(
    count: usize,
    node: impl Fn(AssetId) -> AssetId,
    upstream: &[Vec<Edge>],
) -> Vec<Vec<(AssetId, AssetId)>> {
    let mut graph: DiGraph<(), (AssetId, AssetId)> = DiGraph::new();
    for _ in 0..count {
        graph.add_node(());
    }
    let index = |asset| NodeIndex::new(node(asset).index());
    for (made, edges) in (0..).map(AssetId).zip(upstream) {
        for edge in edges.iter().filter(|edge| index(edge.asset) != index(made)) {
            graph.add_edge(index(made), index(edge.asset), (made, edge.asset));
        }
    }
    let mut groups: Vec<BTreeSet<NodeIndex>> = kosaraju_scc(&graph)
        .into_iter()
        .filter(|group| group.len() > 1)
        .map(BTreeSet::from_iter)
        .collect();
    groups.sort();
    groups
        .iter()
        .filter_map(|group| circle(&graph, group))
        .collect()
}

fn circle(
    graph: &DiGraph<(), (AssetId, AssetId)>,
    group: &BTreeSet<NodeIndex>,
) -> Option<Vec<(AssetId, AssetId)>> {
    let start = *group.first()?;
    let mut came_by = vec![None; graph.node_count()];
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        let mut next: Vec<_> = graph
            .edges(at)
            .map(|edge| (petgraph::visit::EdgeRef::target(&edge), *edge.weight()))
            .filter(|(target, _)| group.contains(target))
            .collect();
        next.sort();
        for (target, step) in next {
            if came_by[target.index()].is_some() {
                continue;
            }
            came_by[target.index()] = Some((at, step));
            if target == start {
                let mut steps = Vec::new();
                let mut at = start;
                while let Some((from, step)) = came_by[at.index()] {
                    steps.push(step);
                    at = from;
                    if at == start {
                        break;
                    }
                }
                steps.reverse();
                return Some(steps);
            }
            queue.push_back(target);
        }
    }
    None
}

/// The keys of a path, the first again at the end.
fn closed(assets: &Assets<'_>, path: impl Iterator<Item = AssetId>) -> Vec<crate::key::AssetKey> {
    let mut keys: Vec<_> = path.map(|id| assets.spec(id).key.clone()).collect();
    keys.extend(keys.first().cloned());
    keys
}
