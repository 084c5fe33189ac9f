//! What is true of the record when conditions are evaluated: [`Snapshot`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::Stamp;
use crate::{
    graph::{AssetGraph, AssetId},
    key::{AssetKey, CheckKey},
    partitions::PartitionSet,
};

/// What is true of the record at one moment, as sets of partitions.
///
/// It is a value: whoever evaluates conditions reads it from the record first. What happened *since*
/// the last evaluation is in the [`updates`](AssetFacts::updates); they may reach further back than
/// the cursor, since each asset takes from them what its own cursor has not seen.
///
/// ```
/// use std::collections::BTreeMap;
/// use chrono::DateTime;
/// use precip_core::automation::{RunFacts, Snapshot, Update};
/// use precip_core::{graph::AssetGraph, partitions::PartitionSet};
/// # let graph = AssetGraph::new(vec![], vec![])?;
/// # let Some(asset) = graph.ids().next() else { return Ok(()) };
///
/// let mut snapshot = Snapshot::new(&graph);
/// let run = snapshot.add_run(RunFacts { assets: [graph.key(asset).clone()].into(), tags: BTreeMap::new() });
/// snapshot.record(asset, Update {
///     run: Some(run),
///     ..Update::new(17, DateTime::UNIX_EPOCH, PartitionSet::single(3))
/// });
/// assert!(snapshot.asset(asset).materialized.contains(3));
/// assert_eq!(snapshot.sequence(), 17);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    sequence: u64,
    at: Option<DateTime<Utc>>,
    assets: Vec<AssetFacts>,
    checks: BTreeMap<CheckKey, CheckFacts>,
    runs: Vec<RunFacts>,
}

/// The place of a run in a [`Snapshot`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunRef(usize);

/// What conditions ask about a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFacts {
    /// The assets it was asked for.
    pub assets: BTreeSet<AssetKey>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What is true of an asset, as sets of its partitions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AssetFacts {
    /// Was ever materialized.
    pub materialized: PartitionSet,
    /// Is part of a run that has not come to it yet.
    pub run_in_progress: PartitionSet,
    /// Is part of a backfill that has not come to it yet.
    pub backfill_in_progress: PartitionSet,
    /// The latest execution failed.
    pub failed: PartitionSet,
    /// The run behind the latest update, as far as it is known: disjoint sets.
    pub latest_runs: Vec<(RunRef, PartitionSet)>,
    /// Materializations, in the order of their sequence numbers.
    pub updates: Vec<Update>,
}

/// What is true of a check, as sets of partitions of the asset that it looks at. A check without
/// partitions of its own is true of all or of none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckFacts {
    /// Passed, on the latest materialization.
    pub passed: PartitionSet,
    /// Failed, on the latest materialization.
    pub failed: PartitionSet,
    /// Is being executed.
    pub run_in_progress: PartitionSet,
    /// Could not be executed.
    pub execution_failed: PartitionSet,
    /// Executions, in the order of their sequence numbers.
    pub updates: Vec<Update>,
}

/// Partitions that were materialized, by one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Its place in the order of all events of the record, from 1.
    pub sequence: u64,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// When the work that it ends began to read: what lands upstream after that is not in it. As
    /// [`Self::at`] when absent.
    pub began: Option<DateTime<Utc>>,
    /// The partitions.
    pub partitions: PartitionSet,
    /// The run it came from; none for what was reported from outside.
    pub run: Option<RunRef>,
    /// Whether it brought another data version than the one before.
    pub data_version_changed: bool,
}

impl Update {
    /// A materialization that was reported from outside of any run, with a data version of its own.
    pub fn new(sequence: u64, at: DateTime<Utc>, partitions: PartitionSet) -> Self {
        Self {
            sequence,
            at,
            began: None,
            partitions,
            run: None,
            data_version_changed: true,
        }
    }

    /// When it landed.
    pub(super) fn landed(&self) -> Stamp {
        Stamp {
            at: self.at,
            sequence: self.sequence,
        }
    }

    /// The moment up to which the work saw its upstream assets.
    pub(super) fn saw(&self) -> Stamp {
        match self.began {
            Some(began) if began < self.at => Stamp {
                at: began,
                sequence: 0,
            },
            _ => self.landed(),
        }
    }
}

impl Snapshot {
    /// Nothing is true of any asset of the graph.
    pub fn new(graph: &AssetGraph) -> Self {
        Self {
            assets: vec![AssetFacts::default(); graph.len()],
            ..Self::default()
        }
    }

    /// The highest sequence number that was seen.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Says that everything up to a sequence number is in the snapshot, whether or not an event of
    /// that number was about an asset.
    pub fn seen_up_to(&mut self, sequence: u64) {
        self.sequence = self.sequence.max(sequence);
    }

    /// What is true of an asset.
    ///
    /// # Panics
    /// When the asset is of another graph.
    pub fn asset(&self, asset: AssetId) -> &AssetFacts {
        &self.assets[asset.0 as usize]
    }

    /// What is true of an asset, to be filled in.
    ///
    /// # Panics
    /// When the asset is of another graph.
    pub fn asset_mut(&mut self, asset: AssetId) -> &mut AssetFacts {
        &mut self.assets[asset.0 as usize]
    }

    /// What is true of a check; none when nothing is known of it.
    pub fn check(&self, check: &CheckKey) -> Option<&CheckFacts> {
        self.checks.get(check)
    }

    /// What is true of a check, to be filled in.
    pub fn check_mut(&mut self, check: &CheckKey) -> &mut CheckFacts {
        self.checks.entry(check.clone()).or_default()
    }

    /// Adds a run that updates can name.
    pub fn add_run(&mut self, run: RunFacts) -> RunRef {
        self.runs.push(run);
        RunRef(self.runs.len() - 1)
    }

    /// A run.
    pub fn run(&self, run: RunRef) -> &RunFacts {
        &self.runs[run.0]
    }

    /// Adds a materialization: the partitions count as materialized, by this run. To be called in the
    /// order of the sequence numbers. Clocks of different machines disagree a little, the sequence
    /// does not: an event counts as no earlier than the one before it.
    pub fn record(&mut self, asset: AssetId, mut update: Update) {
        update.at = self.at.map_or(update.at, |at| at.max(update.at));
        self.at = Some(update.at);
        self.seen_up_to(update.sequence);
        let facts = self.asset_mut(asset);
        facts.materialized |= &update.partitions;
        for (_, partitions) in &mut facts.latest_runs {
            *partitions -= &update.partitions;
        }
        facts
            .latest_runs
            .retain(|(_, partitions)| !partitions.is_empty());
        if let Some(run) = update.run {
            match facts
                .latest_runs
                .iter_mut()
                .find(|(known, _)| *known == run)
            {
                Some((_, partitions)) => *partitions |= &update.partitions,
                None => facts.latest_runs.push((run, update.partitions.clone())),
            }
        }
        facts.updates.push(update);
    }
}
