//! [`Snapshot`]: the recorded facts that conditions are evaluated on.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::Stamp;
use crate::{
    graph::{AssetGraph, AssetId},
    key::{AssetKey, CheckKey},
    partitions::PartitionSet,
};

/// The recorded facts at one moment, as sets of partitions.
///
/// A snapshot is a value that the caller reads from the record before an evaluation. The
/// [`updates`](AssetFacts::updates) hold the events *since* the last evaluation; they may reach
/// further back, since each asset skips those that its own cursor has seen.
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
/// snapshot.record_update(asset, Update {
///     run: Some(run),
///     ..Update::new(17, DateTime::UNIX_EPOCH, PartitionSet::single(3))
/// });
/// assert!(snapshot.asset_facts(asset).materialized.contains(3));
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

/// A reference to a run in a [`Snapshot`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunRef(usize);

/// The facts about a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFacts {
    /// The requested assets.
    pub assets: BTreeSet<AssetKey>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
}

/// The facts about an asset, as sets of its partitions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AssetFacts {
    /// Partitions that were ever materialized.
    pub materialized: PartitionSet,
    /// Partitions that a run in progress has yet to process.
    pub run_in_progress: PartitionSet,
    /// Partitions that a backfill in progress has yet to process.
    pub backfill_in_progress: PartitionSet,
    /// Partitions whose latest execution failed.
    pub failed: PartitionSet,
    /// Partitions without data that there is nothing to make for: they are not missing.
    pub skipped: PartitionSet,
    /// The runs of the latest updates, where known, with disjoint sets of partitions.
    pub latest_runs: Vec<(RunRef, PartitionSet)>,
    /// Materializations, in the order of their sequence numbers.
    pub updates: Vec<Update>,
}

/// The facts about a check, as sets of partitions of the checked asset. A check without partitions
/// of its own has all of them or none in each set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckFacts {
    /// Partitions whose latest materialization passed the check.
    pub passed: PartitionSet,
    /// Partitions whose latest materialization failed the check.
    pub failed: PartitionSet,
    /// Partitions that are being checked.
    pub run_in_progress: PartitionSet,
    /// Partitions for which the check could not be executed.
    pub execution_failed: PartitionSet,
    /// Executions, in the order of their sequence numbers.
    pub updates: Vec<Update>,
}

/// Partitions that one event materialized.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The sequence number in the order of all recorded events, from 1.
    pub sequence: u64,
    /// The time at which it was recorded.
    pub at: DateTime<Utc>,
    /// The time at which its work began to read; it includes no upstream update after that. The
    /// same as [`Self::at`] when absent.
    pub began: Option<DateTime<Utc>>,
    /// The partitions.
    pub partitions: PartitionSet,
    /// The run; `None` for an update reported from outside.
    pub run: Option<RunRef>,
    /// `true` if the data version differs from the one before.
    pub data_version_changed: bool,
}

impl Update {
    /// Creates an update without a run, with a new data version.
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

    /// Returns the moment at which it landed, by the evaluator's clock: an update that a tick is the
    /// first to see landed after the tick before and not after this one, whatever its machine's time.
    pub(super) fn landed_between(&self, before: DateTime<Utc>, now: DateTime<Utc>) -> Stamp {
        Stamp {
            at: self.at.min(now).max(before),
            sequence: self.sequence,
        }
    }

    /// Returns the moment up to which the work saw its upstream assets, by the evaluator's clock. The
    /// duration of the work is measured by one machine, so it holds by any clock. Where the two
    /// readings differ, the earlier one loses no update.
    pub(super) fn saw_between(&self, before: DateTime<Utc>, now: DateTime<Utc>) -> Stamp {
        let landed = self.landed_between(before, now);
        let Some(began) = self.began else {
            return landed;
        };
        let duration = (self.at - began).max(TimeDelta::zero());
        let at = began.min(landed.at - duration);
        if at < landed.at {
            Stamp { at, sequence: 0 }
        } else {
            landed
        }
    }
}

impl Snapshot {
    /// Creates a snapshot without any facts.
    pub fn new(graph: &AssetGraph) -> Self {
        Self {
            assets: vec![AssetFacts::default(); graph.len()],
            ..Self::default()
        }
    }

    /// Returns the highest sequence number in the snapshot.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Marks the snapshot as complete up to a sequence number, whether or not the event of that
    /// number concerns an asset.
    pub fn seen_up_to(&mut self, sequence: u64) {
        self.sequence = self.sequence.max(sequence);
    }

    /// Returns the facts about an asset.
    ///
    /// # Panics
    /// When the asset is of another graph.
    pub fn asset_facts(&self, asset: AssetId) -> &AssetFacts {
        &self.assets[asset.0 as usize]
    }

    /// Returns the facts about an asset for changing them.
    ///
    /// # Panics
    /// When the asset is of another graph.
    pub fn asset_facts_mut(&mut self, asset: AssetId) -> &mut AssetFacts {
        &mut self.assets[asset.0 as usize]
    }

    /// Returns the facts about a check; `None` when there are none.
    pub fn check_facts(&self, check: &CheckKey) -> Option<&CheckFacts> {
        self.checks.get(check)
    }

    /// Returns the facts about a check for changing them.
    pub fn check_facts_mut(&mut self, check: &CheckKey) -> &mut CheckFacts {
        self.checks.entry(check.clone()).or_default()
    }

    /// Adds a run for updates to refer to.
    pub fn add_run(&mut self, run: RunFacts) -> RunRef {
        self.runs.push(run);
        RunRef(self.runs.len() - 1)
    }

    /// Returns the facts about a run.
    pub fn run_facts(&self, run: RunRef) -> &RunFacts {
        &self.runs[run.0]
    }

    /// Adds an update: its partitions count as materialized by its run. Call it in the order of the
    /// sequence numbers. Since the clocks of different machines disagree, an update counts as no
    /// earlier than the one before it.
    pub fn record_update(&mut self, asset: AssetId, mut update: Update) {
        // Times never decrease along the sequence. The work keeps its duration.
        let late = self
            .at
            .map_or(TimeDelta::zero(), |at| at - update.at)
            .max(TimeDelta::zero());
        update.at += late;
        update.began = update.began.map(|began| began + late);
        self.at = Some(update.at);
        self.seen_up_to(update.sequence);
        let facts = self.asset_facts_mut(asset);
        facts.materialized |= &update.partitions;
        // Each partition belongs to its latest run only.
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
