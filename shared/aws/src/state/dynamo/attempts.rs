//! Attempts under way.
//!
//! Starting is optional and no part of publishing, so publishing does not take the attempt's row away:
//! who reads compares it with what is published, and with the run. The rows expire after two days; an
//! attempt on AWS lasts 15 minutes at most.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use precip_core::{key::AssetKey, partitions::PartitionSet};
use precip_engine::{
    run_id::RunId,
    state::{AttemptStart, Event, PartitionRef, ReadConsistency, StateResult, rules::Version},
};

use super::{
    call::{Guard, Op, Query},
    item::{Attributes, item, number},
    keys,
    row::Row,
    runs::RunRow,
    store::DynamoStore,
};

const KEPT: TimeDelta = TimeDelta::days(2);

/// What decides whether an attempt is under way: how often its run has ended, and whether it has now.
#[derive(Debug, Clone, Copy, Default)]
struct RunState {
    ends: u64,
    finished: bool,
}

impl DynamoStore {
    pub(super) async fn start_all(&self, attempts: Vec<AttemptStart>) -> StateResult<()> {
        let runs = self
            .run_states(attempts.iter().map(|start| start.run))
            .await?;
        let expires = self.stamps.expiry(KEPT);
        let mut rows = Vec::with_capacity(attempts.len());
        for start in attempts {
            let ends = runs.get(&start.run).copied().unwrap_or_default().ends;
            let row = item(
                &keys::attempt(&start.target, start.run).checked()?,
                [
                    ("o", number(start.target.ordinal)),
                    ("attempt", number(start.attempt)),
                    ("ends", number(ends)),
                    ("ttl", number(expires)),
                ],
            );
            let event = self.event_row(&Event::Started(start.clone()))?;
            rows.push((row, start.attempt, event));
        }
        let mut events = Vec::with_capacity(rows.len());
        for (row, attempt, event) in rows {
            events.push(event);
            // A late start of an earlier attempt changes nothing.
            let guard = Guard::when("attribute_not_exists(attempt) OR attempt <= :attempt")
                .value(":attempt", number(attempt));
            self.table.write(Op::Put(row, guard)).await?;
        }
        self.table.write_all(events, Vec::new()).await
    }

    /// Takes the row of an attempt away, unless a later one of the run has begun.
    pub(super) async fn end_attempt(
        &self,
        target: &PartitionRef,
        (run, attempt): Version,
    ) -> StateResult<()> {
        let guard = Guard::when("attempt <= :attempt").value(":attempt", number(attempt));
        let key = keys::attempt(target, run).checked()?;
        self.table.write(Op::Delete(key, guard)).await.map(drop)
    }

    async fn run_states(
        &self,
        runs: impl Iterator<Item = RunId>,
    ) -> StateResult<BTreeMap<RunId, RunState>> {
        let runs: BTreeSet<RunId> = runs.collect();
        let keys = runs.iter().map(|run| keys::run(*run));
        let rows = self.table.get_many(keys, ReadConsistency::Strong).await?;
        let mut states = BTreeMap::new();
        for row in rows.values() {
            let row = RunRow::of(row)?;
            let state = RunState {
                ends: row.ends,
                finished: row.run.status.is_finished(),
            };
            states.insert(row.run.id, state);
        }
        Ok(states)
    }

    /// The partitions of an asset that a run which is not finished has begun and not come to the end
    /// of.
    pub(super) async fn in_progress(&self, asset: &AssetKey) -> StateResult<PartitionSet> {
        let rows = self
            .table
            .query(Query::all(keys::attempts_pk(asset)))
            .await?;
        let begun: Vec<_> = rows
            .iter()
            .filter_map(|row| {
                let (partition, run) = keys::parse_attempt(&row.key().sk)?;
                let version = (run, row.number("attempt")?);
                let ends: u64 = row.number("ends").unwrap_or_default();
                Some((partition, version, row.number("o")?, ends))
            })
            .collect();
        if begun.is_empty() {
            return Ok(PartitionSet::empty());
        }
        let runs = self
            .run_states(begun.iter().map(|(_, (run, _), ..)| *run))
            .await?;
        let keys = begun
            .iter()
            .map(|(partition, ..)| keys::latest(asset, partition.as_ref()));
        let latest = self.table.get_many(keys, ReadConsistency::Strong).await?;
        let mut set = PartitionSet::empty();
        for (partition, version, ordinal, ends) in begun {
            let run = runs.get(&version.0).copied().unwrap_or_default();
            let row = latest
                .get(&keys::latest(asset, partition.as_ref()))
                .and_then(Row::of);
            let done = row
                .as_ref()
                .and_then(|row| row.published)
                .is_some_and(|published| published >= version);
            if !done && !run.finished && run.ends == ends {
                // The partition may have been numbered anew since.
                let ordinal: u64 = ordinal;
                set.insert(row.and_then(|row| row.ordinal).unwrap_or(ordinal));
            }
        }
        Ok(set)
    }
}
