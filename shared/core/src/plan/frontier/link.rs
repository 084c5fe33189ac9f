//! [`Link`]: deciding which partitions of a step can run, given the progress of others.

use crate::{
    graph::Edge,
    mapping::InvalidMapping,
    partitions::PartitionSet,
    plan::{Lineage, frontier::progress::StepProgress},
    spec::DepNeed,
};

/// The number of candidates up to which each is examined by itself, at the cost of its upstream
/// partitions; more are examined as a set, at the cost of the ranges of the upstream set.
const ONE_BY_ONE: u64 = 1024;

/// A dependency of one step on another.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// The index of the awaited step.
    pub on: usize,
    /// The index of the waiting step.
    pub waiting: usize,
    /// The reading asset, with the edge up to the asset that it reads.
    pub up: (crate::graph::AssetId, Edge),
    /// The asset that is read, with the edge down to the reading asset.
    pub down: (crate::graph::AssetId, Edge),
    /// `true` if each partition waits for the one with the same ordinal.
    pub one_to_one: bool,
    /// `true` if each partition waits for all partitions, so that none is free before the last
    /// ends.
    pub all_at_once: bool,
}

impl Link {
    /// Returns the partitions of the waiting step that depend on any in `set`.
    pub(super) fn waiting_partitions(
        &self,
        lineage: Lineage<'_>,
        set: &PartitionSet,
    ) -> Result<PartitionSet, InvalidMapping> {
        if self.one_to_one {
            return Ok(set.clone());
        }
        if lineage.graph.partitions(self.up.0).is_none() {
            // To plan, an unpartitioned asset depends on every upstream partition. Here it waits
            // only for those that its mapping reads.
            let whole = PartitionSet::single(0);
            let above = lineage.to_upstream(self.up.0, &whole, &self.up.1)?;
            return Ok(if above.existing.is_disjoint(set) {
                PartitionSet::empty()
            } else {
                whole
            });
        }
        lineage.to_downstream(self.down.0, set, &self.down.1)
    }

    /// Returns the partitions of the waiting step that are skipped, now that the partitions in `set`
    /// of the asset on this link are.
    pub(super) fn skipped_partitions(
        &self,
        lineage: Lineage<'_>,
        set: &PartitionSet,
        work: &[StepProgress],
    ) -> Result<PartitionSet, InvalidMapping> {
        let (asset, edge) = (self.up.0, &self.up.1);
        let skipped = work[self.on].skipped_assets.get(&edge.asset);
        // A check without a result stops nothing: the link to the asset itself decides.
        let Some(skipped) = skipped.filter(|_| !work[self.on].assets.is_empty()) else {
            return Ok(PartitionSet::empty());
        };
        if !edge.passes_on_skips(asset) {
            return Ok(PartitionSet::empty());
        }
        let candidates = self.waiting_partitions(lineage, set)?;
        let reads_one = self.one_to_one || lineage.graph.partitions(edge.asset).is_none();
        if edge.need == DepNeed::Data || reads_one {
            return Ok(candidates);
        }
        lineage.made_from_only(asset, edge, &candidates, skipped)
    }

    /// Returns `true` if partitions of the waiting step wait for nothing on this link. Partitions in
    /// `but` run together with them and do not count.
    fn is_free(
        &self,
        lineage: Lineage<'_>,
        set: &PartitionSet,
        on: &StepProgress,
        but: Option<&PartitionSet>,
    ) -> Result<bool, InvalidMapping> {
        if self.one_to_one && but.is_none() {
            return Ok(!set.iter().any(|ordinal| on.is_pending(ordinal)));
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

/// Returns those of `candidates` of a step that wait for nothing; `links` are the links of the
/// step.
pub(super) fn free_candidates(
    lineage: Lineage<'_>,
    work: &[StepProgress],
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
    // Many candidates: remove everything that depends on a pending partition, link by link.
    let mut free = candidates.clone();
    for link in links {
        free -= &link.waiting_partitions(lineage, &work[link.on].pending())?;
    }
    Ok(free)
}

/// Returns `true` if a batch waits for nothing outside itself.
pub(super) fn is_batch_free(
    lineage: Lineage<'_>,
    work: &[StepProgress],
    own_links: &[&Link],
    batch: &PartitionSet,
) -> Result<bool, InvalidMapping> {
    for link in own_links {
        if !link.is_free(lineage, batch, &work[link.on], Some(batch))? {
            return Ok(false);
        }
    }
    Ok(true)
}
