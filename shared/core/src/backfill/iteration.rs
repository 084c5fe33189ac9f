//! [`Backfill`]: what has been asked for, and what to ask for next.

use crate::{
    backfill::{
        BackfillError, RunRequest,
        eligible::{Wave, eligible},
        queue::{Queue, levels},
        roots::target_roots,
        run_request::run_requests,
    },
    graph::AssetSet,
    plan::{AssetPartitions, Lineage},
};

/// What became of the runs of a backfill so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// What they made.
    pub materialized: AssetPartitions,
    /// What they were asked for and failed to make.
    pub failed: AssetPartitions,
}

/// A backfill under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Backfill {
    target: AssetPartitions,
    requested: AssetPartitions,
    given_up: AssetPartitions,
    begun: bool,
}

impl Backfill {
    /// A backfill that nothing has been asked for yet.
    pub fn new(target: AssetPartitions) -> Self {
        Self {
            target,
            requested: AssetPartitions::new(),
            given_up: AssetPartitions::new(),
            begun: false,
        }
    }

    /// Everything that it is to make.
    pub fn target(&self) -> &AssetPartitions {
        &self.target
    }

    /// Everything that has been asked for.
    pub fn requested(&self) -> &AssetPartitions {
        &self.requested
    }

    /// What failed, and everything targeted that depends on it and will not be run.
    pub fn given_up(&self) -> &AssetPartitions {
        &self.given_up
    }

    /// The next wave: the runs that can begin now. Their partitions count as requested from here on.
    /// An empty wave while runs are under way means waiting for them; with none under way it is the
    /// end.
    ///
    /// # Errors
    /// [`BackfillError::NonexistentUpstream`] when something is made from partitions that cannot be.
    pub fn next_wave(
        &mut self,
        lineage: Lineage<'_>,
        outcome: &Outcome,
    ) -> Result<Vec<RunRequest>, BackfillError> {
        let candidates = if self.begun {
            self.given_up = lineage.and_downstream(&outcome.failed, &self.target)?;
            self.candidates(lineage, outcome)
        } else {
            target_roots(lineage, &self.target)?
        };
        let levels = levels(lineage.graph);
        let wave = Wave {
            lineage,
            target: &self.target,
            requested: &self.requested,
            materialized: &outcome.materialized,
            given_up: &self.given_up,
        };
        let queue = Queue::new(lineage.graph, &levels, &candidates);
        let asked = eligible(&wave, queue, candidates)?;
        self.begun = true;
        self.requested = std::mem::take(&mut self.requested).or(&asked);
        Ok(run_requests(lineage, &asked))
    }

    /// What is not yet asked for of the assets that are made from anything that has finished.
    fn candidates(&self, lineage: Lineage<'_>, outcome: &Outcome) -> AssetPartitions {
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
