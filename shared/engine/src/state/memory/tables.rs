//! The tables of the memory store.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use precip_core::{
    key::AssetKey,
    partitions::{PartitionKey, PartitionSet},
};

use crate::{
    run_id::RunId,
    state::{
        CheckEvaluation, Event, EventKey, Materialization, PartitionRef, Run, RunKey, Sequence,
        SlotHolder, StateError, Tick, TriggerId, TriggerState, UnpublishedAttempt, UntriedReason,
    },
};

/// The key of a partition in the tables: asset, then partition key.
pub(super) type TargetKey = (AssetKey, Option<PartitionKey>);

pub(super) fn target_key(target: &PartitionRef) -> TargetKey {
    (target.asset.clone(), target.partition.clone())
}

#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) runs: BTreeMap<RunId, RunRow>,
    pub(super) run_keys: BTreeMap<RunKey, RunId>,
    pub(super) assets: BTreeMap<AssetKey, AssetRow>,
    pub(super) events: BTreeMap<TargetKey, BTreeMap<EventKey, Event>>,
    pub(super) sequence: u64,
    /// The last evaluation of each check by each run, by partition and check name.
    pub(super) run_checks: BTreeMap<RunId, BTreeMap<(TargetKey, String), CheckEvaluation>>,
    pub(super) dynamic: BTreeMap<String, Vec<(PartitionKey, bool)>>,
    pub(super) limits: BTreeMap<String, u32>,
    pub(super) slots: BTreeMap<String, BTreeMap<SlotHolder, DateTime<Utc>>>,
    pub(super) triggers: BTreeMap<TriggerId, (TriggerState, Vec<Tick>)>,
}

#[derive(Debug)]
pub(super) struct RunRow {
    pub(super) run: Run,
    pub(super) succeeded: u64,
    /// The attempts that the run gave up on, or that had nothing to make.
    pub(super) unpublished: BTreeMap<TargetKey, UnpublishedAttempt>,
    pub(super) untried: BTreeMap<(AssetKey, UntriedReason), PartitionSet>,
}

#[derive(Debug, Default)]
pub(super) struct AssetRow {
    pub(super) layout: Option<String>,
    pub(super) partitions: BTreeMap<Option<PartitionKey>, PartitionRow>,
}

#[derive(Debug, Default)]
pub(super) struct PartitionRow {
    /// `None` while the definition lacks the key.
    pub(super) ordinal: Option<u64>,
    pub(super) materialization: Option<(Materialization, Sequence)>,
    /// The newest attempt, if it published nothing.
    pub(super) unpublished: Option<UnpublishedAttempt>,
    pub(super) attempts: BTreeMap<RunId, u32>,
    pub(super) checks: BTreeMap<String, CheckEvaluation>,
}

impl Tables {
    pub(super) fn run_mut(&mut self, run: RunId) -> Result<&mut RunRow, StateError> {
        self.runs
            .get_mut(&run)
            .ok_or_else(|| StateError::unknown_run(run))
    }

    pub(super) fn partition_row_mut(&mut self, target: &PartitionRef) -> &mut PartitionRow {
        let row = self
            .assets
            .entry(target.asset.clone())
            .or_default()
            .partitions
            .entry(target.partition.clone())
            .or_default();
        row.ordinal = Some(target.ordinal);
        row
    }

    pub(super) fn partition_row(&self, target: &PartitionRef) -> Option<&PartitionRow> {
        self.assets
            .get(&target.asset)?
            .partitions
            .get(&target.partition)
    }

    pub(super) fn log_event(&mut self, event: Event) {
        self.events
            .entry(target_key(event.target()))
            .or_default()
            .insert(event.key(), event);
    }

    pub(super) fn end_attempts(&mut self, run: RunId) {
        for asset in self.assets.values_mut() {
            for row in asset.partitions.values_mut() {
                row.attempts.remove(&run);
            }
        }
    }

    /// Returns the ordinals of an asset's partitions whose rows satisfy a predicate.
    pub(super) fn ordinals_where(
        &self,
        asset: &AssetKey,
        holds: impl Fn(&PartitionRow) -> bool,
    ) -> PartitionSet {
        let rows = self.assets.get(asset).into_iter();
        rows.flat_map(|asset| asset.partitions.values())
            .filter(|row| holds(row))
            .filter_map(|row| row.ordinal)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }
}
