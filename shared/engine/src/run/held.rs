//! What must not run since what it is made from failed in the same run.

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
    /// Of some partitions of a step, those that are made from partitions of `among` that this run was
    /// to make and did not. Only a [lagging](Self::lagging) session knows what its run makes.
    ///
    /// It is for steps that follow what they wait for without a settled wave in between: the record
    /// alone says how those ended.
    ///
    /// # Errors
    /// [`RunItemError`] when the record cannot be read.
    pub async fn held(
        &self,
        step: &Step,
        partitions: &PartitionSet,
        among: &[AssetKey],
    ) -> Result<PartitionSet, RunItemError> {
        let mut held = PartitionSet::empty();
        loop {
            let more = self.held_besides(step, partitions, among, &held).await?;
            if more.is_empty() {
                return Ok(held);
            }
            held |= &more;
        }
    }

    /// Of some partitions of a step without those that are held, the ones that are held as well: what
    /// would have been made together with them is not made either.
    async fn held_besides(
        &self,
        step: &Step,
        partitions: &PartitionSet,
        among: &[AssetKey],
        held: &PartitionSet,
    ) -> Result<PartitionSet, RunItemError> {
        let together = partitions - held;
        let mut more = PartitionSet::empty();
        for (asset, edge) in self.edges_up(step) {
            let upstream = self.definitions.graph().key(edge.asset);
            let Some(makes) = self.makes(upstream).filter(|_| among.contains(upstream)) else {
                continue;
            };
            let own = step.assets.contains(upstream);
            if !own && !held.is_empty() {
                // Looked at before: it does not hang on what is made together.
                continue;
            }
            for ordinal in (&together - &more).iter() {
                let one = PartitionSet::single(ordinal);
                let mut above = &self.lineage().to_upstream(asset, &one, &edge)?.existing & makes;
                if own {
                    above -= &together;
                }
                let above = above.iter();
                let targets: Vec<PartitionRef> = above
                    .filter_map(|ordinal| self.reference(edge.asset, ordinal))
                    .collect();
                if !self.all_good(step, &targets).await? {
                    more.insert(ordinal);
                }
            }
        }
        Ok(more)
    }

    fn edges_up(&self, step: &Step) -> Vec<(AssetId, Edge)> {
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

    /// Whether this run has made all of these, and no blocking check found something wrong. A step
    /// that checks looks at what is made whatever other checks said.
    async fn all_good(&self, step: &Step, targets: &[PartitionRef]) -> StateResult<bool> {
        let strong = ReadConsistency::Strong;
        let state = &self.ports.state;
        let latest = self.persist(|| state.latest_many(targets, strong)).await?;
        for (target, latest) in targets.iter().zip(&latest) {
            if !self.is_new(latest.as_ref()) {
                return Ok(false);
            }
            if step.assets.is_empty() {
                continue;
            }
            let published = latest.as_ref().and_then(Latest::published);
            let own = published.is_some_and(|made| made.checks.iter().any(CheckEvaluation::blocks));
            if own || self.is_blocked(target).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

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
        let found = self.persist(|| state.latest_checks(target)).await?;
        let blocks = |found: &CheckEvaluation| found.run == self.run && found.blocks();
        Ok(found.iter().any(blocks))
    }
}
