//! Cutting invocations into stages.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{
    Lineage, PlanError, Stage, Step,
    node::{Node, Nodes, Wait},
};

/// Cuts nodes into stages.
///
/// A node is on the level of what it waits for if the two can run one after the other for each
/// partition, and on the next level otherwise. Nodes of one level that are joined are a stage. As
/// levels never fall along an edge and rise along every edge between two stages, a path never leaves
/// a stage and comes back, and the levels are the waves.
pub(super) fn stages(lineage: Lineage<'_>, nodes: &Nodes) -> Result<Vec<Stage>, PlanError> {
    let order = nodes.topological(lineage.graph)?;
    let mut groups = Groups::new(nodes.nodes.len());
    let mut levels = vec![0_u32; nodes.nodes.len()];
    for &place in &order {
        let waits = || nodes.above(place);
        let joins = |wait: &Wait| joins(lineage, nodes, place, wait);
        let level = waits().map(|wait| levels[wait.on] + u32::from(!joins(wait)));
        levels[place] = level.max().unwrap_or(0);
        for wait in waits().filter(|wait| levels[wait.on] == levels[place] && joins(wait)) {
            groups.join(place, wait.on);
        }
    }
    join_ops(lineage, nodes, &levels, &mut groups);
    let mut members: BTreeMap<(u32, usize), Vec<usize>> = BTreeMap::new();
    for &place in &order {
        let group = (levels[place], groups.find(place));
        members.entry(group).or_default().push(place);
    }
    let stage_of: BTreeMap<usize, usize> = members
        .values()
        .enumerate()
        .flat_map(|(stage, members)| members.iter().map(move |place| (*place, stage)))
        .collect();
    Ok(members
        .iter()
        .map(|((wave, _), members)| stage(lineage, nodes, *wave, members, &stage_of))
        .collect())
}

/// Whether a node can run right after what it waits for, partition by partition.
fn joins(lineage: Lineage<'_>, nodes: &Nodes, place: usize, wait: &Wait) -> bool {
    let (node, upstream) = (&nodes.nodes[place], &nodes.nodes[wait.on]);
    let one_to_one = wait.upstream == wait.downstream
        || lineage.is_one_to_one(
            wait.downstream,
            &crate::graph::Edge {
                asset: wait.upstream,
                mapping: wait.mapping.clone(),
            },
        );
    one_to_one && alike(lineage, node, upstream)
}

fn alike(lineage: Lineage<'_>, a: &Node, b: &Node) -> bool {
    let graph = lineage.graph;
    a.set == b.set
        && a.policy(graph) == b.policy(graph)
        && graph.partitions(a.divided_like) == graph.partitions(b.divided_like)
        && !a.has_self_dependency(lineage)
        // A check can follow an asset that is made from earlier partitions of itself.
        && (a.assets.is_empty() || !b.has_self_dependency(lineage))
}

/// Assets of one op that can run together do.
fn join_ops(lineage: Lineage<'_>, nodes: &Nodes, levels: &[u32], groups: &mut Groups) {
    let mut by_op: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (place, node) in nodes.nodes.iter().enumerate() {
        if !node.assets.is_empty() {
            by_op
                .entry((node.op, levels[place]))
                .or_default()
                .push(place);
        }
    }
    for places in by_op.values() {
        for (index, a) in places.iter().enumerate() {
            for b in &places[..index] {
                if alike(lineage, &nodes.nodes[*a], &nodes.nodes[*b]) {
                    groups.join(*a, *b);
                }
            }
        }
    }
}

fn stage(
    lineage: Lineage<'_>,
    nodes: &Nodes,
    wave: u32,
    members: &[usize],
    stage_of: &BTreeMap<usize, usize>,
) -> Stage {
    let graph = lineage.graph;
    let here: BTreeSet<usize> = members.iter().copied().collect();
    // Nodes of one op become one step unless another op stands between them: the number of changes
    // of op on the way to a node tells the two cases apart.
    let mut depth: BTreeMap<usize, u32> = BTreeMap::new();
    let mut steps: BTreeMap<(u32, crate::graph::OpId, crate::graph::AssetId), Vec<usize>> =
        BTreeMap::new();
    for &place in members {
        let node = &nodes.nodes[place];
        let above = nodes.above(place).filter(|wait| here.contains(&wait.on));
        let above = above.map(|wait| {
            let other = &nodes.nodes[wait.on];
            depth.get(&wait.on).copied().unwrap_or(0) + u32::from(other.op != node.op)
        });
        let own = above.max().unwrap_or(0);
        depth.insert(place, own);
        // A check op that looks at several assets is invoked for each.
        let apart = if node.assets.is_empty() {
            node.divided_like
        } else {
            crate::graph::AssetId(0)
        };
        steps.entry((own, node.op, apart)).or_default().push(place);
    }
    let step_of: BTreeMap<usize, usize> = steps
        .values()
        .enumerate()
        .flat_map(|(step, places)| places.iter().map(move |place| (*place, step)))
        .collect();
    let first = &nodes.nodes[members[0]];
    let after: BTreeSet<usize> = members
        .iter()
        .flat_map(|place| nodes.above(*place))
        .filter(|wait| !here.contains(&wait.on))
        .filter_map(|wait| stage_of.get(&wait.on).copied())
        .collect();
    Stage {
        wave,
        after: after.into_iter().collect(),
        steps: steps
            .iter()
            .map(|((_, op, _), places)| {
                let assets: BTreeSet<_> = places
                    .iter()
                    .flat_map(|p| &nodes.nodes[*p].assets)
                    .collect();
                let checks = places.iter().flat_map(|p| &nodes.nodes[*p].checks);
                let own = step_of[&places[0]];
                let after: BTreeSet<usize> = places
                    .iter()
                    .flat_map(|place| nodes.above(*place))
                    .filter_map(|wait| step_of.get(&wait.on).copied())
                    .filter(|step| *step != own)
                    .collect();
                Step {
                    op: graph.op(*op).name.clone(),
                    assets: graph
                        .assets_of(*op)
                        .filter(|asset| assets.contains(asset))
                        .map(|asset| graph.key(asset).clone())
                        .collect(),
                    checks: checks
                        .map(|check| graph.check(*check).key.clone())
                        .collect(),
                    after: after.into_iter().collect(),
                }
            })
            .collect(),
        partitioned: graph.partitions(first.divided_like).is_some(),
        partitions: first.set.clone(),
        batching: first.policy(graph),
        in_order: members
            .iter()
            .any(|place| nodes.nodes[*place].has_self_dependency(lineage)),
    }
}

/// Disjoint groups of places.
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The smallest place in the group of a place.
    fn find(&mut self, place: usize) -> usize {
        let mut root = place;
        while self.0[root] != root {
            root = self.0[root];
        }
        self.0[place] = root;
        root
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
    }
}
