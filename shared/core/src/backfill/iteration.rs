//! [`Backfill`]: the progress of a backfill, and its next wave.

use crate::{
    backfill::{
        BackfillError, BackfillRun,
        eligible::{Wave, find_eligible},
        queue::{Queue, asset_levels},
        roots::target_roots,
        run_request::run_requests,
    },
    graph::AssetSet,
    plan::{AssetPartitions, Lineage},
};

/// The outcome of the runs of a backfill so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Partitions that the runs materialized.
    pub materialized: AssetPartitions,
    /// Requested partitions that failed.
    pub failed: AssetPartitions,
}

/// A backfill in progress.
#[derive(Debug, Clone, PartialEq)]
pub struct Backfill {
    target: AssetPartitions,
    requested: AssetPartitions,
    given_up: AssetPartitions,
    begun: bool,
}

impl Backfill {
    /// Creates a backfill without any requested run.
    pub fn new(target: AssetPartitions) -> Self {
        Self {
            target,
            requested: AssetPartitions::new(),
            given_up: AssetPartitions::new(),
            begun: false,
        }
    }

    /// Returns every partition that the backfill is to materialize.
    pub fn target(&self) -> &AssetPartitions {
        &self.target
    }

    /// Returns every partition that has been requested.
    pub fn requested(&self) -> &AssetPartitions {
        &self.requested
    }

    /// Returns the failed partitions, and the targeted partitions that are held back because they
    /// depend on them.
    pub fn held_back(&self) -> &AssetPartitions {
        &self.given_up
    }

    /// Returns the next wave: the runs that can start now. Their partitions count as requested from
    /// here on. After an empty wave, wait for the runs in progress; with none in progress the
    /// backfill has ended.
    ///
    /// # Errors
    /// [`BackfillError::NonexistentUpstream`] when a partition depends on one that cannot exist.
    pub fn next_wave(
        &mut self,
        lineage: Lineage<'_>,
        outcome: &Outcome,
    ) -> Result<Vec<BackfillRun>, BackfillError> {
        let candidates = if self.begun {
            self.given_up = lineage.and_downstream(&outcome.failed, &self.target)?;
            self.next_candidates(lineage, outcome)
        } else {
            target_roots(lineage, &self.target)?
        };
        let levels = asset_levels(lineage.graph);
        let wave = Wave {
            lineage,
            target: &self.target,
            requested: &self.requested,
            materialized: &outcome.materialized,
            given_up: &self.given_up,
        };
        let queue = Queue::new(lineage.graph, &levels, &candidates);
        let wave_requests = find_eligible(&wave, queue, candidates)?;
        self.begun = true;
        self.requested = std::mem::take(&mut self.requested).union(&wave_requests);
        Ok(run_requests(lineage, &wave_requests))
    }

    /// Returns the unrequested partitions of the assets downstream of any that has finished.
    fn next_candidates(&self, lineage: Lineage<'_>, outcome: &Outcome) -> AssetPartitions {
        let finished = outcome.materialized.assets().chain(outcome.failed.assets());
        let below: AssetSet = finished
            .flat_map(|asset| lineage.graph.downstream(asset))
            .map(|edge| edge.asset)
            .collect();
        below
            .iter()
            .map(|asset| {
                let open = self.target.of(asset) - self.requested.of(asset);
                (asset, open)
            })
            .collect()
    }
}
