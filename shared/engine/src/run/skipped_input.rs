//! Partitions that are not tried, because they need something that is skipped.

use std::collections::BTreeSet;

use futures::{FutureExt, future::BoxFuture};
use precip_core::{
    graph::{AssetId, Edge},
    key::AssetKey,
    partitions::PartitionSet,
    plan::Step,
    spec::DepNeed,
};

use crate::{
    run::{RunSession, inputs::LoadError},
    state::{Latest, PartitionRef, ReadConsistency, StateResult, UntriedPartitions, UntriedReason},
};

/// Partitions of a step that need something that is skipped.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SkippedInput {
    pub(super) partitions: PartitionSet,
    /// A skipped upstream partition.
    pub(super) source: PartitionRef,
}

impl SkippedInput {
    /// Returns the records of the partitions that the step does not try.
    pub(super) fn to_untried(&self, step: &Step) -> Vec<UntriedPartitions> {
        let of_asset = |asset: &AssetKey| UntriedPartitions {
            asset: asset.clone(),
            partitions: self.partitions.clone(),
            reason: UntriedReason::UpstreamSkipped {
                asset: self.source.asset.clone(),
                partition: self.source.partition.clone(),
            },
        };
        step.assets.iter().map(of_asset).collect()
    }
}

/// What this run or an earlier one left of an upstream partition.
pub(super) enum Availability {
    /// There is data: of this run, if the run makes the partition.
    Available,
    /// There is nothing to make: of it, or of the given partition that it needs.
    Skipped(PartitionRef),
    /// There is no data, for another reason.
    Missing,
}

impl RunSession {
    /// Returns the partitions that need something that is skipped, given the records of the upstream
    /// partitions of one edge. `need` says what of them is needed.
    pub(super) async fn skipped_by(
        &self,
        (asset, edge): (AssetId, &Edge),
        need: DepNeed,
        partitions: &PartitionSet,
        upstream: &[(PartitionRef, Option<Latest>)],
    ) -> Result<Vec<SkippedInput>, LoadError> {
        if need == DepNeed::Optional {
            return Ok(Vec::new());
        }
        let mut sources: Vec<(u64, PartitionRef)> = Vec::new();
        for (target, latest) in upstream {
            let available = self.availability(target, latest.as_ref()).await?;
            if let Availability::Skipped(source) = available {
                sources.push((target.ordinal, source));
            }
        }
        let skipped: PartitionSet = sources.iter().map(|(ordinal, _)| *ordinal).collect();
        let mut found: Vec<SkippedInput> = Vec::new();
        // The usual case ends here: nothing upstream is skipped.
        for ordinal in partitions.iter().filter(|_| !skipped.is_empty()) {
            let one = PartitionSet::single(ordinal);
            let above = self.lineage().to_upstream(asset, &one, edge);
            let above = above.map_err(invalid_mapping)?.existing;
            let lost = &above & &skipped;
            let source = lost.first().and_then(|first| {
                let mut sources = sources.iter();
                sources.find(|(ordinal, _)| *ordinal == first)
            });
            if let Some((_, source)) = source
                && (need == DepNeed::Data || lost == above)
            {
                match found.iter_mut().find(|other| other.source == *source) {
                    Some(other) => drop(other.partitions.insert(ordinal)),
                    None => found.push(SkippedInput {
                        partitions: one,
                        source: source.clone(),
                    }),
                }
            }
        }
        Ok(found)
    }

    /// Returns what is there of an upstream partition, given its record.
    ///
    /// A partition that this run makes too is available once this run has published it. Of any other,
    /// whatever was ever published counts.
    pub(super) async fn availability(
        &self,
        target: &PartitionRef,
        latest: Option<&Latest>,
    ) -> StateResult<Availability> {
        self.trace_availability(target, latest, &mut BTreeSet::new())
            .await
    }

    /// A partition without any record may itself have been passed over: then its own upstream tells
    /// why, however far.
    fn trace_availability<'a>(
        &'a self,
        target: &'a PartitionRef,
        latest: Option<&'a Latest>,
        visited: &'a mut BTreeSet<PartitionRef>,
    ) -> BoxFuture<'a, StateResult<Availability>> {
        async move {
            let of_run = self.planned(&target.asset);
            let of_run = of_run.is_some_and(|planned| planned.contains(target.ordinal));
            let is_recent = |run| !of_run || run >= self.run;
            if let Some(latest) = latest {
                if latest.published().is_some_and(|made| is_recent(made.run)) {
                    return Ok(Availability::Available);
                }
                if latest.skip.as_ref().is_some_and(|skip| is_recent(skip.run)) {
                    return Ok(Availability::Skipped(target.clone()));
                }
                if latest
                    .failure
                    .as_ref()
                    .is_some_and(|failure| is_recent(failure.run))
                {
                    return Ok(Availability::Missing);
                }
            }
            if !visited.insert(target.clone()) {
                return Ok(Availability::Missing);
            }
            let graph = self.definitions.graph();
            let Some(asset) = graph.id(&target.asset) else {
                return Ok(Availability::Missing);
            };
            let edges = graph.upstream(asset).iter();
            for edge in edges.filter(|edge| edge.passes_on_skips(asset)) {
                let one = PartitionSet::single(target.ordinal);
                let Ok(above) = self.lineage().to_upstream(asset, &one, edge) else {
                    continue;
                };
                let targets: Vec<PartitionRef> = above
                    .existing
                    .iter()
                    .filter_map(|ordinal| self.partition_ref(edge.asset, ordinal))
                    .collect();
                let state = &self.ports.state;
                let strong = ReadConsistency::Strong;
                let latest = self
                    .with_state_retries(|| state.latest_materializations(&targets, strong))
                    .await?;
                let mut first = None;
                let mut all = !targets.is_empty();
                for (target, latest) in targets.iter().zip(&latest) {
                    let found = self
                        .trace_availability(target, latest.as_ref(), visited)
                        .await?;
                    match found {
                        Availability::Skipped(source) => drop(first.get_or_insert(source)),
                        Availability::Available | Availability::Missing => all = false,
                    }
                }
                if let Some(source) = first.filter(|_| all || edge.need == DepNeed::Data) {
                    return Ok(Availability::Skipped(source));
                }
            }
            Ok(Availability::Missing)
        }
        .boxed()
    }
}

fn invalid_mapping(invalid: precip_core::mapping::InvalidMapping) -> LoadError {
    LoadError::Asset(crate::asset::AssetError::terminal(invalid.to_string()))
}
