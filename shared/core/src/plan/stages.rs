//! Dividing invocations into stages.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{
    Lineage, PlanError, Stage, Step,
    node::{Node, Nodes, Wait},
};

/// Divides nodes into stages.
///
/// A node is on the level of the node it waits for if the two can run one after the other for each
/// partition, and on the next level otherwise. Joined nodes of one level form a stage. Levels never
/// fall along an edge and rise along every edge between two stages, so no path leaves a stage and
/// returns to it, and the levels are the waves.
pub(super) fn divide_into_stages(
    lineage: Lineage<'_>,
    nodes: &Nodes,
) -> Result<Vec<Stage>, PlanError> {
    let order = nodes.topological_order(lineage.graph)?;
    let mut groups = Groups::new(nodes.nodes.len());
    let mut levels = vec![0_u32; nodes.nodes.len()];
    for &index in &order {
        let waits = || nodes.waits_on_others(index);
        let joins = |wait: &Wait| can_join(lineage, nodes, index, wait);
        let level = waits().map(|wait| levels[wait.on] + u32::from(!joins(wait)));
        levels[index] = level.max().unwrap_or(0);
        for wait in waits().filter(|wait| levels[wait.on] == levels[index] && joins(wait)) {
            groups.join_groups(index, wait.on);
        }
    }
    join_ops(lineage, nodes, &levels, &mut groups);
    // Sorted by level first, so that the stages come out in the order of their waves.
    let mut members: BTreeMap<(u32, usize), Vec<usize>> = BTreeMap::new();
    for &index in &order {
        let group = (levels[index], groups.find_root(index));
        members.entry(group).or_default().push(index);
    }
    let stage_of: BTreeMap<usize, usize> = members
        .values()
        .enumerate()
        .flat_map(|(stage, members)| members.iter().map(move |index| (*index, stage)))
        .collect();
    Ok(members
        .iter()
        .map(|((wave, _), members)| build_stage(lineage, nodes, *wave, members, &stage_of))
        .collect())
}

/// Returns `true` if a node can run right after the node it waits for, partition by partition.
fn can_join(lineage: Lineage<'_>, nodes: &Nodes, index: usize, wait: &Wait) -> bool {
    let (node, upstream) = (&nodes.nodes[index], &nodes.nodes[wait.on]);
    let one_to_one = wait.upstream == wait.downstream
        || lineage.is_one_to_one(
            wait.downstream,
            &crate::graph::Edge {
                asset: wait.upstream,
                mapping: wait.mapping.clone(),
                need: wait.need,
            },
        );
    one_to_one && has_same_items(lineage, node, upstream)
}

/// Returns `true` if the items of two nodes are the same: partitions, batches and order.
fn has_same_items(lineage: Lineage<'_>, a: &Node, b: &Node) -> bool {
    let graph = lineage.graph;
    a.set == b.set
        && a.backfill_policy(graph) == b.backfill_policy(graph)
        && graph.partitions(a.divided_like) == graph.partitions(b.divided_like)
        && !a.has_self_dependency(lineage)
        // A check can follow an asset that depends on earlier partitions of itself.
        && (a.assets.is_empty() || !b.has_self_dependency(lineage))
}

/// Joins the nodes of one op on one level, so that one invocation materializes their assets.
fn join_ops(lineage: Lineage<'_>, nodes: &Nodes, levels: &[u32], groups: &mut Groups) {
    let mut by_op: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.nodes.iter().enumerate() {
        if !node.assets.is_empty() {
            by_op
                .entry((node.op, levels[index]))
                .or_default()
                .push(index);
        }
    }
    for nodes_of_op in by_op.values() {
        for (position, a) in nodes_of_op.iter().enumerate() {
            for b in &nodes_of_op[..position] {
                if has_same_items(lineage, &nodes.nodes[*a], &nodes.nodes[*b]) {
                    groups.join_groups(*a, *b);
                }
            }
        }
    }
}

/// Builds one stage from the nodes that belong to it, in topological order.
fn build_stage(
    lineage: Lineage<'_>,
    nodes: &Nodes,
    wave: u32,
    members: &[usize],
    stage_of: &BTreeMap<usize, usize>,
) -> Stage {
    let graph = lineage.graph;
    let here: BTreeSet<usize> = members.iter().copied().collect();
    // Nodes of one op become one step unless another op runs between them. The number of changes of
    // op on the longest way to a node distinguishes the two cases: nodes of one step share it.
    let mut depth: BTreeMap<usize, u32> = BTreeMap::new();
    let mut steps: BTreeMap<(u32, crate::graph::OpId, crate::graph::AssetId), Vec<usize>> =
        BTreeMap::new();
    for &index in members {
        let node = &nodes.nodes[index];
        let waits_in_stage = nodes
            .waits_on_others(index)
            .filter(|wait| here.contains(&wait.on));
        let depths = waits_in_stage.map(|wait| {
            let other = &nodes.nodes[wait.on];
            depth.get(&wait.on).copied().unwrap_or(0) + u32::from(other.op != node.op)
        });
        let own = depths.max().unwrap_or(0);
        depth.insert(index, own);
        // An op that checks several assets is invoked for each.
        let apart = if node.assets.is_empty() {
            node.divided_like
        } else {
            crate::graph::AssetId(0)
        };
        steps.entry((own, node.op, apart)).or_default().push(index);
    }
    let step_of: BTreeMap<usize, usize> = steps
        .values()
        .enumerate()
        .flat_map(|(step, indices)| indices.iter().map(move |index| (*index, step)))
        .collect();
    let first = &nodes.nodes[members[0]];
    let after: BTreeSet<usize> = members
        .iter()
        .flat_map(|index| nodes.waits_on_others(*index))
        .filter(|wait| !here.contains(&wait.on))
        .filter_map(|wait| stage_of.get(&wait.on).copied())
        .collect();
    Stage {
        wave,
        after: after.into_iter().collect(),
        steps: steps
            .iter()
            .map(|((_, op, _), indices)| {
                let assets: BTreeSet<_> = indices
                    .iter()
                    .flat_map(|index| &nodes.nodes[*index].assets)
                    .collect();
                let checks = indices.iter().flat_map(|index| &nodes.nodes[*index].checks);
                let own = step_of[&indices[0]];
                let after: BTreeSet<usize> = indices
                    .iter()
                    .flat_map(|index| nodes.waits_on_others(*index))
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
        batching: first.backfill_policy(graph),
        in_order: members
            .iter()
            .any(|index| nodes.nodes[*index].has_self_dependency(lineage)),
    }
}

/// Disjoint groups of node indices: a union-find structure.
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// Returns the smallest index in the group of an index.
    fn find_root(&mut self, index: usize) -> usize {
        let mut root = index;
        while self.0[root] != root {
            root = self.0[root];
        }
        self.0[index] = root;
        root
    }

    /// Merges the groups of two indices.
    fn join_groups(&mut self, a: usize, b: usize) {
        let (root_a, root_b) = (self.find_root(a), self.find_root(b));
        self.0[root_a.max(root_b)] = root_a.min(root_b);
    }
}
