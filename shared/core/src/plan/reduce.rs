//! Removing partitions from a plan.

use std::collections::BTreeMap;

use crate::{
    partitions::PartitionSet,
    plan::{
        Lineage, Plan, PlanError, StepId,
        node::{Nodes, node_of_step},
        stages::divide_into_stages,
    },
};

/// Removes partitions of steps from a plan and cuts the rest into stages again, since the steps of
/// one stage may be left with different partitions.
pub(super) fn remove_partitions(
    lineage: Lineage<'_>,
    plan: &Plan,
    done: &[(StepId, PartitionSet)],
) -> Result<Plan, PlanError> {
    let done: BTreeMap<StepId, &PartitionSet> = done.iter().map(|(id, set)| (*id, set)).collect();
    let mut nodes = Vec::new();
    for (id, stage, step) in plan.steps() {
        let left = match done.get(&id) {
            Some(done) => &stage.partitions - done,
            None => stage.partitions.clone(),
        };
        if !left.is_empty() {
            nodes.push(node_of_step(lineage.graph, step, left)?);
        }
    }
    let stages = divide_into_stages(lineage, &Nodes::new(lineage, nodes))?;
    Ok(Plan {
        stages,
        ..plan.clone()
    })
}
