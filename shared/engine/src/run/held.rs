//! Partitions that are not tried because an upstream partition failed or was skipped in the same run.

use precip_core::{
    graph::{AssetId, Edge},
    mapping::PartitionMapping,
    partitions::PartitionSet,
    plan::Step,
    spec::DepNeed,
};

use crate::{
    run::{
        RunItemError, RunSession,
        skipped_input::{Availability, SkippedInput},
    },
    state::{
        CheckEvaluation, Latest, PartitionRef, ReadConsistency, StateResult, UntriedPartitions,
    },
};

/// Partitions of a step that this run does not try.
#[derive(Debug, Default)]
pub struct WithheldPartitions {
    /// Held back: something that they depend on failed, or left no trace.
    pub held: PartitionSet,
    /// Skipped: something that they need is skipped.
    pub skipped: PartitionSet,
    /// The records of the skipped partitions.
    pub untried: Vec<UntriedPartitions>,
}

impl WithheldPartitions {
    /// Returns all of them.
    pub fn all(&self) -> PartitionSet {
        &self.held | &self.skipped
    }
}

/// What a planned upstream partition means for the partitions that are made from it.
enum Upstream {
    Usable,
    Skipped(PartitionRef),
    Unusable,
}

impl RunSession {
    /// Returns the partitions of a step that are not tried: those made from partitions of
    /// [unsettled](Self::with_unsettled) assets that this run planned and did not publish. Only a session
    /// [with eventual reads](Self::with_eventual_reads) knows the planned partitions.
    ///
    /// Used for steps that follow their upstream without a settled wave in between: then the
    /// recorded state alone tells how the upstream ended.
    ///
    /// # Errors
    /// [`RunItemError`] when the state store cannot be read.
    pub async fn withheld_partitions(
        &self,
        step: &Step,
        partitions: &PartitionSet,
    ) -> Result<WithheldPartitions, RunItemError> {
        let mut withheld = WithheldPartitions::default();
        // A partition that is withheld withholds those that would have been made with it and depend
        // on it, until nothing is added.
        loop {
            let before = withheld.all();
            self.add_withheld(step, partitions, &mut withheld).await?;
            if withheld.all() == before {
                return Ok(withheld);
            }
        }
    }

    /// Adds the partitions that are withheld in addition. An asset that depends on its own earlier
    /// partitions does not count those that are made in the same invocation.
    async fn add_withheld(
        &self,
        step: &Step,
        partitions: &PartitionSet,
        withheld: &mut WithheldPartitions,
    ) -> Result<(), RunItemError> {
        let before = withheld.all();
        let together = partitions - &before;
        for (asset, edge) in self.upstream_edges(step) {
            let upstream = self.definitions.graph().key(edge.asset);
            let planned = self.planned(upstream);
            let Some(planned) = planned.filter(|_| self.unsettled.contains(upstream)) else {
                continue;
            };
            let own = step.assets.contains(upstream);
            if !own && !before.is_empty() {
                // The first pass decided this edge; only edges to the step itself can add more.
                continue;
            }
            for ordinal in (&together - &withheld.all()).iter() {
                let one = PartitionSet::single(ordinal);
                let mut above = &self.lineage().to_upstream(asset, &one, &edge)?.existing & planned;
                if own {
                    above -= &together;
                }
                let targets: Vec<PartitionRef> = above
                    .iter()
                    .filter_map(|ordinal| self.partition_ref(edge.asset, ordinal))
                    .collect();
                match self.combined_state(step, (asset, &edge), &targets).await? {
                    Upstream::Usable => {}
                    Upstream::Unusable => drop(withheld.held.insert(ordinal)),
                    Upstream::Skipped(source) => {
                        withheld.skipped.insert(ordinal);
                        let input = SkippedInput {
                            partitions: one,
                            source,
                        };
                        withheld.untried.extend(input.to_untried(step));
                    }
                }
            }
        }
        Ok(())
    }

    /// Combines the states of the upstream partitions of one partition.
    async fn combined_state(
        &self,
        step: &Step,
        (asset, edge): (AssetId, &Edge),
        targets: &[PartitionRef],
    ) -> StateResult<Upstream> {
        let strong = ReadConsistency::Strong;
        let state = &self.ports.state;
        let latest = self
            .with_state_retries(|| state.latest_materializations(targets, strong))
            .await?;
        let mut first = None;
        let mut all = true;
        for (target, latest) in targets.iter().zip(&latest) {
            match self.upstream_state(step, target, latest.as_ref()).await? {
                Upstream::Unusable => return Ok(Upstream::Unusable),
                Upstream::Usable => all = false,
                Upstream::Skipped(source) => drop(first.get_or_insert(source)),
            }
        }
        let needed = edge.passes_on_skips(asset) && (all || edge.need == DepNeed::Data);
        Ok(match first.filter(|_| needed) {
            Some(source) => Upstream::Skipped(source),
            None => Upstream::Usable,
        })
    }

    /// Returns the state of an upstream partition that this run plans. One that is published is
    /// usable unless a blocking check of it failed; a step that only checks ignores the results of
    /// other checks.
    async fn upstream_state(
        &self,
        step: &Step,
        target: &PartitionRef,
        latest: Option<&Latest>,
    ) -> StateResult<Upstream> {
        match self.availability(target, latest).await? {
            Availability::Missing => return Ok(Upstream::Unusable),
            Availability::Skipped(source) => return Ok(Upstream::Skipped(source)),
            Availability::Available if step.assets.is_empty() => return Ok(Upstream::Usable),
            Availability::Available => {}
        }
        let published = latest.and_then(Latest::published);
        let fails_own_check = published
            .is_some_and(|made| made.checks.iter().any(CheckEvaluation::blocks_downstream));
        Ok(if fails_own_check || self.is_blocked(target).await? {
            Upstream::Unusable
        } else {
            Upstream::Usable
        })
    }

    /// Returns the edges from a step's assets to their upstream; of a step that only checks, an edge
    /// to each checked asset itself.
    pub(super) fn upstream_edges(&self, step: &Step) -> Vec<(AssetId, Edge)> {
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
                need: DepNeed::Data,
            };
            edges.extend(checked.map(|asset| (asset, itself(asset))));
        }
        edges
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
