//! The order of items in stages that run in order.

use std::collections::BTreeMap;

use crate::plan::{Frontier, Lineage, Plan, PlanError, StepOutcome};

/// Returns, for each in-order stage of a plan, the position of each partition in an order that puts
/// everything after its upstream partitions.
pub(super) fn in_order_positions(
    lineage: Lineage<'_>,
    plan: &Plan,
) -> Result<BTreeMap<usize, BTreeMap<u64, usize>>, PlanError> {
    let mut positions: BTreeMap<usize, BTreeMap<u64, usize>> = BTreeMap::new();
    if !plan.stages.iter().any(|stage| stage.in_order) {
        return Ok(positions);
    }
    let mut frontier = Frontier::new(lineage, plan)?;
    // A dry run in which everything succeeds: the order of dispatch is the order of the items.
    while let Some(ready) = frontier.take_ready(lineage, |_| true)? {
        let stage = ready.step.stage;
        if plan.stages[stage].in_order {
            let order = positions.entry(stage).or_default();
            for ordinal in ready.partitions.iter() {
                let next = order.len();
                order.entry(ordinal).or_insert(next);
            }
        }
        let outcome = StepOutcome::succeeded(ready.partitions);
        frontier.record_outcome(lineage, ready.step, &outcome)?;
    }
    Ok(positions)
}
