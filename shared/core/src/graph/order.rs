//! The topological order of a graph, or the cycles that prevent one.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, VecDeque},
};

use petgraph::{algo::kosaraju_scc, graph::DiGraph, graph::NodeIndex};

use crate::graph::{AssetId, Edge, GraphError, asset_graph::DeclaredAt, build::Assets};

/// Returns the assets in topological order, by key where that leaves a choice, and reports cycles.
pub(super) fn topological_order(
    assets: &Assets<'_>,
    upstream: &[Vec<Edge>],
    downstream: &[Vec<Edge>],
    errors: &mut Vec<GraphError>,
) -> Vec<AssetId> {
    // Kahn's algorithm. A dependency of an asset on itself does not count: it is between
    // partitions.
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
    // Cycles between ops are reported only in a graph whose assets have none.
    if order.len() < waiting.len() {
        for path in find_cycles(waiting.len(), |asset| asset, upstream) {
            let members = path.into_iter().map(|(from, _)| from);
            errors.push(GraphError::Cycle {
                path: closed_path(assets, members),
            });
        }
    } else {
        report_op_cycles(assets, upstream, errors);
    }
    order
}

/// Reports the ops that materialize several assets at once and would have to run before as well as
/// after another op. An op with `can_subset` can run twice and causes no cycle.
fn report_op_cycles(assets: &Assets<'_>, upstream: &[Vec<Edge>], errors: &mut Vec<GraphError>) {
    let first_of_op: Vec<AssetId> = assets
        .ids()
        .map(|id| match assets.declared_at[id.index()] {
            DeclaredAt::Op(op, _) if !assets.ops[op.0 as usize].can_subset => {
                let made = assets.ops[op.0 as usize].assets.first();
                made.and_then(|asset| assets.ids.get(&asset.key))
                    .copied()
                    .unwrap_or(id)
            }
            _ => id,
        })
        .collect();
    for steps in find_cycles(upstream.len(), |id| first_of_op[id.index()], upstream) {
        // Somewhere the path enters an op at one asset and leaves it at another.
        // Pairs of consecutive edges, the last with the first.
        let joints = steps.iter().zip(steps.iter().cycle().skip(1));
        let several = joints.filter(|((_, enters), (leaves, _))| enters != leaves);
        let ops = several.filter_map(
            |((_, enters), _)| match assets.declared_at[enters.index()] {
                DeclaredAt::Op(op, _) => Some(assets.ops[op.0 as usize].name.clone()),
                DeclaredAt::External(_) => None,
            },
        );
        let Some(op) = ops.min() else { continue };
        let mut members: Vec<AssetId> = steps.iter().flat_map(|(from, to)| [*from, *to]).collect();
        members.dedup();
        let path = members
            .into_iter()
            .map(|id| assets.spec(id).key.clone())
            .collect();
        errors.push(GraphError::OpCycle { op, path });
    }
}

/// Returns one shortest cycle through the first member of each strongly connected component, as
/// edges (downstream asset, upstream asset). `node` returns the node that an asset belongs to,
/// named by one of its assets.
fn find_cycles(
    count: usize,
    node: impl Fn(AssetId) -> AssetId,
    upstream: &[Vec<Edge>],
) -> Vec<Vec<(AssetId, AssetId)>> {
    // The nodes are assets or, for ops that run as a whole, the first asset of the op.
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
    // Sorted, so that messages do not depend on the search order.
    groups.sort();
    groups
        .iter()
        .filter_map(|group| shortest_cycle(&graph, group))
        .collect()
}

/// Returns a shortest cycle through the first node of a component, found breadth first.
fn shortest_cycle(
    graph: &DiGraph<(), (AssetId, AssetId)>,
    group: &BTreeSet<NodeIndex>,
) -> Option<Vec<(AssetId, AssetId)>> {
    let start = *group.first()?;
    let mut came_by = vec![None; graph.node_count()];
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        // Neighbours in a fixed order make the found cycle deterministic.
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
            // Back at the start: follow the edges of the search in reverse.
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

/// Returns the keys of a path, with the first repeated at the end.
fn closed_path(
    assets: &Assets<'_>,
    path: impl Iterator<Item = AssetId>,
) -> Vec<crate::key::AssetKey> {
    let mut keys: Vec<_> = path.map(|id| assets.spec(id).key.clone()).collect();
    keys.extend(keys.first().cloned());
    keys
}
