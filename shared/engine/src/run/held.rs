//! Partitions that are held back because an upstream partition failed in the same run.

use precip_core::{
    graph::{AssetId, Edge},
    key::AssetKey,
    mapping::PartitionMapping,
    partitions::PartitionSet,
    plan::Step,
};

use crate::{
    run::{RunItemError, RunSession},
    state::{CheckEvaluation, Latest, PartitionRef, ReadConsistency, StateResult},
};

impl RunSession {
    /// Returns the partitions of a step that are held back: those made from partitions of `among`
    /// that this run planned and did not publish. Only a session
    /// [with eventual reads](Self::with_eventual_reads) knows the planned partitions.
    ///
    /// Used for steps that follow their upstream without a settled wave in between: then the
    /// recorded state alone tells how the upstream ended.
    ///
    /// # Errors
    /// [`RunItemError`] when the state store cannot be read.
    pub async fn held_back(
        &self,
        step: &Step,
        partitions: &PartitionSet,
        among: &[AssetKey],
    ) -> Result<PartitionSet, RunItemError> {
        let mut held = PartitionSet::empty();
        // A partition that is held back holds back those that would have been made with it and
        // depend on it, until nothing is added.
        loop {
            let more = self.newly_held_back(step, partitions, among, &held).await?;
            if more.is_empty() {
                return Ok(held);
            }
            held |= &more;
        }
    }

    /// Returns the partitions that are held back in addition to `held`. An asset that depends on its
    /// own earlier partitions does not count those that are made in the same invocation.
    async fn newly_held_back(
        &self,
        step: &Step,
        partitions: &PartitionSet,
        among: &[AssetKey],
        held: &PartitionSet,
    ) -> Result<PartitionSet, RunItemError> {
        let together = partitions - held;
        let mut more = PartitionSet::empty();
        for (asset, edge) in self.upstream_edges(step) {
            let upstream = self.definitions.graph().key(edge.asset);
            let planned = self.planned(upstream);
            let Some(planned) = planned.filter(|_| among.contains(upstream)) else {
                continue;
            };
            let own = step.assets.contains(upstream);
            if !own && !held.is_empty() {
                // The first pass decided this edge; only edges to the step itself can add more.
                continue;
            }
            for ordinal in (&together - &more).iter() {
                let one = PartitionSet::single(ordinal);
                let mut above = &self.lineage().to_upstream(asset, &one, &edge)?.existing & planned;
                if own {
                    above -= &together;
                }
                let targets: Vec<PartitionRef> = above
                    .iter()
                    .filter_map(|ordinal| self.partition_ref(edge.asset, ordinal))
                    .collect();
                if !self.are_usable(step, &targets).await? {
                    more.insert(ordinal);
                }
            }
        }
        Ok(more)
    }

    /// Returns the edges from a step's assets to their upstream; of a step that only checks, an edge
    /// to each checked asset itself.
    fn upstream_edges(&self, step: &Step) -> Vec<(AssetId, Edge)> {
        let graph = self.definitions.graph();
        let mut edges = Vec::new();
        for asset in step.assets.iter().filter_map(|key| graph.id(key)) {
            edges.extend(
                graph
                    .upstream(asset)
                    .iter()
                    .map(|edge| (asset, edge.clone())),
            );
        }
        if step.assets.is_empty() {
            let checked = step
                .checks
                .iter()
                .filter_map(|check| graph.id(&check.asset));
            let itself = |asset| Edge {
                asset,
                mapping: PartitionMapping::Identity,
            };
            edges.extend(checked.map(|asset| (asset, itself(asset))));
        }
        edges
    }

    /// Returns whether this run has published all of these and no blocking check of them failed. A
    /// step that only checks ignores the results of other checks.
    async fn are_usable(&self, step: &Step, targets: &[PartitionRef]) -> StateResult<bool> {
        let strong = ReadConsistency::Strong;
        let state = &self.ports.state;
        let latest = self
            .with_state_retries(|| state.latest_materializations(targets, strong))
            .await?;
        for (target, latest) in targets.iter().zip(&latest) {
            if !self.is_current(latest.as_ref()) {
                return Ok(false);
            }
            if step.assets.is_empty() {
                continue;
            }
            let published = latest.as_ref().and_then(Latest::published);
            let fails_own_check = published
                .is_some_and(|made| made.checks.iter().any(CheckEvaluation::blocks_downstream));
            if fails_own_check || self.is_blocked(target).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether a blocking check that runs in a step of its own failed in this run.
    async fn is_blocked(&self, target: &PartitionRef) -> StateResult<bool> {
        let graph = self.definitions.graph();
        let Some(asset) = graph.id(&target.asset) else {
            return Ok(false);
        };
        if !graph
            .checks_of(asset)
            .any(|check| graph.check(check).blocking)
        {
            return Ok(false);
        }
        let state = &self.ports.state;
        let evaluations = self
            .with_state_retries(|| state.latest_checks(target))
            .await?;
        let blocks = |evaluation: &CheckEvaluation| {
            evaluation.run == self.run && evaluation.blocks_downstream()
        };
        Ok(evaluations.iter().any(blocks))
    }
}
