//! Which partitions of a step can run now that others are settled.

use crate::{
    graph::Edge,
    mapping::InvalidMapping,
    partitions::PartitionSet,
    plan::{Lineage, schedule::work::Work},
};

/// Up to this many candidates are looked at one by one, which costs as much as they have upstream
/// partitions; more are looked at as a set, which costs as much as the upstream set has ranges.
const ONE_BY_ONE: u64 = 1024;

/// One step waits for another.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// The step that is waited for.
    pub on: usize,
    /// The step that waits.
    pub waiting: usize,
    /// From the asset that reads up to the asset that is read.
    pub up: (crate::graph::AssetId, Edge),
    /// From the asset that is read down to the asset that reads.
    pub down: (crate::graph::AssetId, Edge),
    /// Whether each partition waits for the one with the same ordinal.
    pub one_to_one: bool,
    /// Whether each partition waits for all partitions: then none is free before the last of them.
    pub all_at_once: bool,
}

impl Link {
    /// The partitions of the waiting step that wait for some of these.
    pub(super) fn below(
        &self,
        lineage: Lineage<'_>,
        set: &PartitionSet,
    ) -> Result<PartitionSet, InvalidMapping> {
        if self.one_to_one {
            return Ok(set.clone());
        }
        if lineage.graph.partitions(self.up.0).is_none() {
            // A plan takes an undivided asset to be made from every partition of what is above it. What
            // it waits for is what it reads.
            let whole = PartitionSet::single(0);
            let above = lineage.to_upstream(self.up.0, &whole, &self.up.1)?;
            return Ok(match above.existing.is_disjoint(set) {
                true => PartitionSet::empty(),
                false => whole,
            });
        }
        lineage.to_downstream(self.down.0, set, &self.down.1)
    }

    /// Whether a partition of the waiting step waits for nothing here. Partitions in `but` are made
    /// together with it, and not waited for.
    fn is_free(
        &self,
        lineage: Lineage<'_>,
        set: &PartitionSet,
        on: &Work,
        but: Option<&PartitionSet>,
    ) -> Result<bool, InvalidMapping> {
        if self.one_to_one && but.is_none() {
            return Ok(!set.iter().any(|ordinal| on.is_unsettled(ordinal)));
        }
        let mut above = lineage.to_upstream(self.up.0, set, &self.up.1)?.existing;
        if let Some(but) = but {
            above -= but;
        }
        Ok([&on.waiting, &on.ready, &on.running]
            .iter()
            .all(|unsettled| above.is_disjoint(unsettled)))
    }
}

/// Of `candidates` of a step, those that none of its links holds. `links` are the step's own.
pub(super) fn free(
    lineage: Lineage<'_>,
    work: &[Work],
    links: &[&Link],
    candidates: &PartitionSet,
) -> Result<PartitionSet, InvalidMapping> {
    if candidates.len() <= ONE_BY_ONE {
        let mut free = PartitionSet::empty();
        'candidates: for ordinal in candidates.iter() {
            let one = PartitionSet::single(ordinal);
            for link in links {
                if !link.is_free(lineage, &one, &work[link.on], None)? {
                    continue 'candidates;
                }
            }
            free.insert(ordinal);
        }
        return Ok(free);
    }
    let mut free = candidates.clone();
    for link in links {
        free -= &link.below(lineage, &work[link.on].unsettled())?;
    }
    Ok(free)
}

/// Whether a batch waits for nothing outside itself.
pub(super) fn is_batch_free(
    lineage: Lineage<'_>,
    work: &[Work],
    itself: &[&Link],
    batch: &PartitionSet,
) -> Result<bool, InvalidMapping> {
    for link in itself {
        if !link.is_free(lineage, batch, &work[link.on], Some(batch))? {
            return Ok(false);
        }
    }
    Ok(true)
}
