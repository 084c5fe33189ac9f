//! The order of items that wait for each other.

use std::collections::BTreeMap;

use crate::{
    partitions::PartitionSet,
    plan::{Lineage, Plan, PlanError, Schedule},
};

/// For each stage of a plan that has to run in order: the place of each partition in an order in
/// which everything comes after what it is made from.
pub(super) fn in_order(
    lineage: Lineage<'_>,
    plan: &Plan,
) -> Result<BTreeMap<usize, BTreeMap<u64, usize>>, PlanError> {
    let mut places: BTreeMap<usize, BTreeMap<u64, usize>> = BTreeMap::new();
    if !plan.stages.iter().any(|stage| stage.in_order) {
        return Ok(places);
    }
    let mut schedule = Schedule::new(lineage, plan)?;
    let nothing = PartitionSet::empty();
    // What can run at all runs here, and succeeds.
    while let Some(ready) = schedule.next(lineage, |_| true)? {
        let stage = ready.step.stage;
        if plan.stages[stage].in_order {
            let order = places.entry(stage).or_default();
            for ordinal in ready.partitions.iter() {
                let next = order.len();
                order.entry(ordinal).or_insert(next);
            }
        }
        schedule.settle(lineage, ready.step, &ready.partitions, &nothing)?;
    }
    Ok(places)
}
