//! Materializations in SQLite: the commit protocol.

use std::collections::BTreeMap;

use precip_engine::{
    run_id::RunId,
    state::{
        AttemptStart, Event, Failure, FailureRecorded, Finished, Materialization, PartitionRef,
        StateError, record_json,
        rules::{self, Version},
    },
};
use rusqlite::{Row, params};

use super::{
    codec::RunColumn,
    write::{Status, Write, column, partition},
};

/// A partition's row.
#[derive(Default)]
struct PartitionRow {
    ordinal: Option<i64>,
    made: Option<Version>,
    sequence: Option<i64>,
    failed: Option<Version>,
}

impl PartitionRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let version = |run: Option<RunColumn>, attempt: Option<u32>| Some((run?.0, attempt?));
        Ok(Self {
            ordinal: row.get(0)?,
            made: version(row.get(1)?, row.get(2)?),
            sequence: row.get(3)?,
            failed: version(row.get(4)?, row.get(5)?),
        })
    }
}

impl Write<'_> {
    /// Finds a partition's row, and makes it stand where the caller says: at its ordinal.
    fn partition_row(
        &mut self,
        asset: i64,
        target: &PartitionRef,
    ) -> Result<PartitionRow, StateError> {
        let ordinal = column(target.ordinal)?;
        let sql =
            "SELECT ordinal, made_run, made_attempt, made_sequence, failed_run, failed_attempt
                   FROM partitions WHERE asset = ?1 AND partition = ?2";
        let place = params![asset, partition(target)];
        let Some(row) = self.one(sql, place, PartitionRow::from_row)? else {
            self.change(
                "INSERT INTO partitions (asset, partition, ordinal) VALUES (?1, ?2, ?3)",
                params![asset, partition(target), ordinal],
            )?;
            return Ok(PartitionRow::default());
        };
        if row.ordinal != Some(ordinal) {
            self.change(
                "UPDATE partitions SET ordinal = ?3 WHERE asset = ?1 AND partition = ?2",
                params![asset, partition(target), ordinal],
            )?;
            for (status, holds) in [
                (Status::Materialized, row.made.is_some()),
                (Status::Failed, row.failed.is_some()),
            ] {
                if let Some(old) = row.ordinal {
                    self.mark(asset, status, old.cast_unsigned(), false)?;
                }
                self.mark(asset, status, target.ordinal, holds)?;
            }
        }
        Ok(row)
    }

    fn end_attempt(
        &mut self,
        asset: i64,
        target: &PartitionRef,
        run: RunId,
        attempt: u32,
    ) -> Result<(), StateError> {
        self.change(
            "DELETE FROM attempts
             WHERE asset = ?1 AND partition = ?2 AND run = ?3 AND attempt <= ?4",
            params![asset, partition(target), RunColumn(run), attempt],
        )?;
        Ok(())
    }

    pub(super) fn start(&mut self, start: AttemptStart) -> Result<(), StateError> {
        let asset = self.asset_row(&start.target.asset)?;
        let row = self.partition_row(asset, &start.target)?;
        let done = row
            .made
            .is_some_and(|made| made >= (start.run, start.attempt));
        if !done && !self.is_run_finished(start.run)? {
            self.change(
                "INSERT INTO attempts (asset, partition, run, attempt) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET attempt = max(attempt, excluded.attempt)",
                params![
                    asset,
                    partition(&start.target),
                    RunColumn(start.run),
                    start.attempt
                ],
            )?;
        }
        let event = Event::Started(start);
        let json = record_json(&event, || event.target().to_string())?;
        self.log(&event, &json)?;
        Ok(())
    }

    /// Publishes items that come with the JSON of their events.
    pub(super) fn finish_all(
        &mut self,
        items: Vec<(Event, String)>,
    ) -> Result<Vec<Finished>, StateError> {
        let mut newly: BTreeMap<RunId, i64> = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(items.len());
        for (event, json) in &items {
            if let Event::Materialized(made) = event {
                let (outcome, first) = self.finish(made, event, json)?;
                outcomes.push(outcome);
                *newly.entry(made.run).or_default() += i64::from(first);
            }
        }
        for (run, count) in newly {
            self.change(
                "UPDATE runs SET succeeded = succeeded + ?2 WHERE id = ?1",
                params![RunColumn(run), count],
            )?;
        }
        Ok(outcomes)
    }

    /// Publishes one item; answers whether it is the first that its run publishes there, too.
    fn finish(
        &mut self,
        made: &Materialization,
        event: &Event,
        json: &str,
    ) -> Result<(Finished, bool), StateError> {
        let target = &made.target;
        let asset = self.asset_row(&target.asset)?;
        self.end_attempt(asset, target, made.run, made.attempt)?;
        let row = self.partition_row(asset, target)?;
        let outcome = rules::finish_outcome(row.made, made);
        if outcome != Finished::Committed {
            return Ok((outcome, false));
        }
        let sequence = match row.sequence {
            Some(sequence) if rules::is_repeat(row.made, made) => sequence,
            _ => self.next_sequence()?,
        };
        let id = self.log(event, json)?;
        self.change(
            "UPDATE partitions
             SET made_run = ?3, made_attempt = ?4, made_sequence = ?5, made_event = ?6
             WHERE asset = ?1 AND partition = ?2",
            params![
                asset,
                partition(target),
                RunColumn(made.run),
                made.attempt,
                sequence,
                id
            ],
        )?;
        self.mark(asset, Status::Materialized, target.ordinal, true)?;
        if row
            .failed
            .is_some_and(|failed| rules::clears_failure(failed, made))
        {
            self.clear_failure(asset, target)?;
        }
        self.change(
            "DELETE FROM failures WHERE run = ?1 AND asset = ?2 AND partition = ?3",
            params![
                RunColumn(made.run),
                target.asset.as_str(),
                partition(target)
            ],
        )?;
        for check in &made.checks {
            self.record_check(check)?;
        }
        Ok((outcome, row.made.is_none_or(|(run, _)| run != made.run)))
    }

    fn clear_failure(&mut self, asset: i64, target: &PartitionRef) -> Result<(), StateError> {
        self.change(
            "UPDATE partitions SET failed_run = NULL, failed_attempt = NULL, failed_event = NULL
             WHERE asset = ?1 AND partition = ?2",
            params![asset, partition(target)],
        )?;
        self.mark(asset, Status::Failed, target.ordinal, false)
    }

    pub(super) fn fail(&mut self, failure: Failure) -> Result<FailureRecorded, StateError> {
        let asset = self.asset_row(&failure.target.asset)?;
        if !failure.will_retry {
            self.end_attempt(asset, &failure.target, failure.run, failure.attempt)?;
        }
        let row = self.partition_row(asset, &failure.target)?;
        let outcome = rules::fail_outcome(row.made, &failure);
        if outcome != FailureRecorded::Recorded {
            return Ok(outcome);
        }
        let marks = rules::marks_failed(row.made, row.failed, &failure);
        let event = Event::Failed(failure.clone());
        let id = self.log(&event, &record_json(&event, || failure.target.to_string())?)?;
        if marks {
            self.change(
                "UPDATE partitions SET failed_run = ?3, failed_attempt = ?4, failed_event = ?5
                 WHERE asset = ?1 AND partition = ?2",
                params![
                    asset,
                    partition(&failure.target),
                    RunColumn(failure.run),
                    failure.attempt,
                    id
                ],
            )?;
            self.mark(asset, Status::Failed, failure.target.ordinal, true)?;
        }
        if !failure.will_retry {
            self.change(
                "INSERT INTO failures (run, asset, partition, record)
                 SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM runs WHERE id = ?1)
                 ON CONFLICT DO UPDATE SET record = excluded.record",
                params![
                    RunColumn(failure.run),
                    failure.target.asset.as_str(),
                    partition(&failure.target),
                    record_json(&failure, || failure.target.to_string())?
                ],
            )?;
        }
        Ok(outcome)
    }

    pub(super) fn wipe(&mut self, target: &PartitionRef) -> Result<(), StateError> {
        let asset = self.asset_row(&target.asset)?;
        self.partition_row(asset, target)?;
        self.change(
            "UPDATE partitions SET made_run = NULL, made_attempt = NULL, made_sequence = NULL,
               made_event = NULL
             WHERE asset = ?1 AND partition = ?2",
            params![asset, partition(target)],
        )?;
        self.mark(asset, Status::Materialized, target.ordinal, false)?;
        self.clear_failure(asset, target)
    }
}
