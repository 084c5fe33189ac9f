//! What is left of a plan.

use std::collections::BTreeMap;

use crate::{
    partitions::PartitionSet,
    plan::{
        Lineage, Plan, PlanError, StepId,
        node::{Nodes, of_step},
        stages::stages,
    },
};

/// Takes partitions of steps out of a plan, and cuts what is left into stages anew: steps of one
/// stage may be left with different partitions.
pub(super) fn without(
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
            nodes.push(of_step(lineage.graph, step, left)?);
        }
    }
    let stages = stages(lineage, &Nodes::new(lineage, nodes))?;
    Ok(Plan {
        stages,
        ..plan.clone()
    })
}
