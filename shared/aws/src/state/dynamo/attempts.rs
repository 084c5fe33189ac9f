//! Attempts under way.
//!
//! Recording a start is optional and not part of publishing, so publishing leaves the attempt's row in
//! place: readers compare it with the published version and with the run. The rows expire after two
//! days; an attempt on AWS lasts 15 minutes at most.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use precip_core::{key::AssetKey, partitions::PartitionSet};
use precip_engine::{
    run_id::RunId,
    state::{AttemptStart, Event, PartitionRef, ReadConsistency, StateResult, rules::Version},
};

use super::{
    call::{Guard, Op, Query},
    events::event_row,
    item::{Attributes, build_item, number_value},
    keys,
    row::Row,
    runs::RunRow,
    store::DynamoStore,
};

/// The time after which the row of an attempt expires.
const RETENTION: TimeDelta = TimeDelta::days(2);

/// The part of a run that decides whether its attempts are in progress.
#[derive(Debug, Clone, Copy, Default)]
struct RunState {
    /// The number of times that the run has ended.
    ends: u64,
    /// `true` if the run has ended and was not resumed.
    finished: bool,
}

impl DynamoStore {
    pub(super) async fn record_started_attempts(
        &self,
        attempts: Vec<AttemptStart>,
    ) -> StateResult<()> {
        let runs = self
            .run_states(attempts.iter().map(|start| start.run))
            .await?;
        let expires = self.stamps.expiry_after(RETENTION);
        // Every row is built, and its size checked, before the first is written.
        let mut rows = Vec::with_capacity(attempts.len());
        for start in attempts {
            let ends = runs.get(&start.run).copied().unwrap_or_default().ends;
            let row = build_item(
                &keys::attempt_row(&start.target, start.run).check_length()?,
                [
                    ("o", number_value(start.target.ordinal)),
                    ("attempt", number_value(start.attempt)),
                    ("ends", number_value(ends)),
                    ("ttl", number_value(expires)),
                ],
            );
            let event = event_row(&Event::Started(start.clone()))?;
            rows.push((row, start.attempt, event));
        }
        let mut events = Vec::with_capacity(rows.len());
        for (row, attempt, event) in rows {
            events.push(event);
            // A late start of an earlier attempt changes nothing.
            let guard =
                Guard::with_condition("attribute_not_exists(attempt) OR attempt <= :attempt")
                    .with_value(":attempt", number_value(attempt));
            self.table.write_op(Op::Put(row, guard)).await?;
        }
        self.table.write_all(events, Vec::new()).await
    }

    /// Deletes the row of an attempt, unless a later attempt of the run has begun.
    pub(super) async fn end_attempt(
        &self,
        target: &PartitionRef,
        (run, attempt): Version,
    ) -> StateResult<()> {
        let guard = Guard::with_condition("attempt <= :attempt")
            .with_value(":attempt", number_value(attempt));
        let key = keys::attempt_row(target, run).check_length()?;
        self.table.write_op(Op::Delete(key, guard)).await.map(drop)
    }

    async fn run_states(
        &self,
        runs: impl Iterator<Item = RunId>,
    ) -> StateResult<BTreeMap<RunId, RunState>> {
        let distinct: BTreeSet<RunId> = runs.collect();
        let keys = distinct.iter().map(|run| keys::run_row(*run));
        let rows = self.table.get_many(keys, ReadConsistency::Strong).await?;
        let mut states = BTreeMap::new();
        for row in rows.values() {
            let row = RunRow::from_item(row)?;
            let state = RunState {
                ends: row.ends,
                finished: row.run.status.is_finished(),
            };
            states.insert(row.run.id, state);
        }
        Ok(states)
    }

    /// Returns the partitions of an asset that an unfinished run has begun and not ended.
    pub(super) async fn in_progress(&self, asset: &AssetKey) -> StateResult<PartitionSet> {
        let rows = self
            .table
            .query_rows(Query::rows_of(keys::attempts_pk(asset)))
            .await?;
        let begun: Vec<_> = rows
            .iter()
            .filter_map(|row| {
                // A row that cannot be parsed is of a newer version, and is ignored.
                let (partition, run) = keys::parse_attempt(&row.key().sk)?;
                let version = (run, row.number("attempt")?);
                let ends: u64 = row.number("ends").unwrap_or_default();
                Some((partition, version, row.number("o")?, ends))
            })
            .collect();
        if begun.is_empty() {
            return Ok(PartitionSet::empty());
        }
        // Three reads for all rows together: the attempts, their runs, and the latest rows.
        let runs = self
            .run_states(begun.iter().map(|(_, (run, _), ..)| *run))
            .await?;
        let keys = begun
            .iter()
            .map(|(partition, ..)| keys::latest_row(asset, partition.as_ref()));
        let latest = self.table.get_many(keys, ReadConsistency::Strong).await?;
        let mut set = PartitionSet::empty();
        for (partition, version, ordinal, ends) in begun {
            let run = runs.get(&version.0).copied().unwrap_or_default();
            let row = latest
                .get(&keys::latest_row(asset, partition.as_ref()))
                .and_then(Row::from_item);
            // A publication of this attempt, or of a later one, ends it.
            let done = row
                .as_ref()
                .and_then(|row| row.published)
                .is_some_and(|published| published >= version);
            // Attempts from before a resume belong to an end that has passed.
            if !done && !run.finished && run.ends == ends {
                // The partition may have been renumbered since.
                set.insert(row.and_then(|row| row.ordinal).unwrap_or(ordinal));
            }
        }
        Ok(set)
    }
}
