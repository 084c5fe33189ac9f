//! The commit protocol in SQLite: publishing materializations, and recording failures.

use std::collections::BTreeMap;

use precip_engine::{
    run_id::RunId,
    state::{
        AttemptStart, CommitOutcome, Event, FailureOutcome, Materialization, PartitionRef,
        StateError, UnpublishedAttempt, record_json,
        rules::{self, Version},
    },
};
use rusqlite::{Row, params};

use super::{
    codec::RunColumn,
    write::{Status, Write, partition_column, to_integer},
};

/// A partition's row.
#[derive(Default)]
struct PartitionRow {
    ordinal: Option<i64>,
    /// The published version.
    published: Option<Version>,
    sequence: Option<i64>,
    /// The version of the newest attempt that published nothing.
    unpublished: Option<Version>,
    /// `true` if that attempt had nothing to make, `false` if it failed.
    skipped: bool,
}

impl PartitionRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let version = |run: Option<RunColumn>, attempt: Option<u32>| Some((run?.0, attempt?));
        Ok(Self {
            ordinal: row.get(0)?,
            published: version(row.get(1)?, row.get(2)?),
            sequence: row.get(3)?,
            unpublished: version(row.get(4)?, row.get(5)?),
            skipped: row.get(6)?,
        })
    }
}

impl Write<'_> {
    /// Finds or creates a partition's row, and moves it to the ordinal of the target.
    fn partition_row(
        &mut self,
        asset: i64,
        target: &PartitionRef,
    ) -> Result<PartitionRow, StateError> {
        let ordinal = to_integer(target.ordinal)?;
        let sql =
            "SELECT ordinal, made_run, made_attempt, made_sequence, failed_run, failed_attempt, skipped
                   FROM partitions WHERE asset = ?1 AND partition = ?2";
        let key = params![asset, partition_column(target)];
        let Some(row) = self.query_one(sql, key, PartitionRow::from_row)? else {
            self.execute_change(
                "INSERT INTO partitions (asset, partition, ordinal) VALUES (?1, ?2, ?3)",
                params![asset, partition_column(target), ordinal],
            )?;
            return Ok(PartitionRow::default());
        };
        if row.ordinal != Some(ordinal) {
            self.execute_change(
                "UPDATE partitions SET ordinal = ?3 WHERE asset = ?1 AND partition = ?2",
                params![asset, partition_column(target), ordinal],
            )?;
            // The status bits move with the ordinal.
            for (status, holds) in [
                (Status::Materialized, row.published.is_some()),
                (Status::Failed, row.unpublished.is_some() && !row.skipped),
                (Status::Skipped, row.skipped),
            ] {
                if let Some(old) = row.ordinal {
                    self.mark_status(asset, status, old.cast_unsigned(), false)?;
                }
                self.mark_status(asset, status, target.ordinal, holds)?;
            }
        }
        Ok(row)
    }

    /// Deletes an attempt of a run, unless a later one has begun.
    fn end_attempt(
        &mut self,
        asset: i64,
        target: &PartitionRef,
        run: RunId,
        attempt: u32,
    ) -> Result<(), StateError> {
        self.execute_change(
            "DELETE FROM attempts
             WHERE asset = ?1 AND partition = ?2 AND run = ?3 AND attempt <= ?4",
            params![asset, partition_column(target), RunColumn(run), attempt],
        )?;
        Ok(())
    }

    pub(super) fn record_attempt(&mut self, start: AttemptStart) -> Result<(), StateError> {
        let asset = self.asset_row(&start.target.asset)?;
        let row = self.partition_row(asset, &start.target)?;
        // A late start, after its attempt or its run has ended, is only logged.
        let done = row
            .published
            .is_some_and(|made| made >= (start.run, start.attempt));
        if !done && !self.is_run_finished(start.run)? {
            self.execute_change(
                "INSERT INTO attempts (asset, partition, run, attempt) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET attempt = max(attempt, excluded.attempt)",
                params![
                    asset,
                    partition_column(&start.target),
                    RunColumn(start.run),
                    start.attempt
                ],
            )?;
        }
        let event = Event::Started(start);
        let json = record_json(&event, || event.target().to_string())?;
        self.log_event(&event, &json)?;
        Ok(())
    }

    /// Publishes materializations, given as events with their JSON.
    pub(super) fn publish_all(
        &mut self,
        items: Vec<(Event, String)>,
    ) -> Result<Vec<CommitOutcome>, StateError> {
        let mut first_publications: BTreeMap<RunId, i64> = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(items.len());
        for (event, json) in &items {
            if let Event::Materialized(made) = event {
                let (outcome, first) = self.publish(made, event, json)?;
                outcomes.push(outcome);
                *first_publications.entry(made.run).or_default() += i64::from(first);
            }
        }
        // One update per run, however many of its partitions the batch holds.
        for (run, count) in first_publications {
            self.execute_change(
                "UPDATE runs SET succeeded = succeeded + ?2 WHERE id = ?1",
                params![RunColumn(run), count],
            )?;
        }
        Ok(outcomes)
    }

    /// Publishes one materialization. Also returns whether it is the run's first of this partition.
    fn publish(
        &mut self,
        made: &Materialization,
        event: &Event,
        json: &str,
    ) -> Result<(CommitOutcome, bool), StateError> {
        let target = &made.target;
        let asset = self.asset_row(&target.asset)?;
        // The attempt ends whether or not it publishes.
        self.end_attempt(asset, target, made.run, made.attempt)?;
        let row = self.partition_row(asset, target)?;
        let outcome = rules::commit_outcome(row.published, made);
        if outcome != CommitOutcome::Committed {
            return Ok((outcome, false));
        }
        // The last call of an attempt counts. It is not an update, so the sequence is kept.
        let sequence = match row.sequence {
            Some(sequence) if rules::is_repeat(row.published, made) => sequence,
            _ => self.next_sequence()?,
        };
        let id = self.log_event(event, json)?;
        self.execute_change(
            "UPDATE partitions
             SET made_run = ?3, made_attempt = ?4, made_sequence = ?5, made_event = ?6
             WHERE asset = ?1 AND partition = ?2",
            params![
                asset,
                partition_column(target),
                RunColumn(made.run),
                made.attempt,
                sequence,
                id
            ],
        )?;
        self.mark_status(asset, Status::Materialized, target.ordinal, true)?;
        if row
            .unpublished
            .is_some_and(|version| rules::clears_unpublished(version, made))
        {
            self.clear_unpublished(asset, target)?;
        }
        // The run's own failure of this partition is resolved.
        self.execute_change(
            "DELETE FROM failures WHERE run = ?1 AND asset = ?2 AND partition = ?3",
            params![
                RunColumn(made.run),
                target.asset.as_str(),
                partition_column(target)
            ],
        )?;
        for check in &made.checks {
            self.record_check(check)?;
        }
        Ok((
            outcome,
            row.published.is_none_or(|(run, _)| run != made.run),
        ))
    }

    fn clear_unpublished(&mut self, asset: i64, target: &PartitionRef) -> Result<(), StateError> {
        self.execute_change(
            "UPDATE partitions
             SET failed_run = NULL, failed_attempt = NULL, failed_event = NULL, skipped = 0
             WHERE asset = ?1 AND partition = ?2",
            params![asset, partition_column(target)],
        )?;
        self.mark_status(asset, Status::Failed, target.ordinal, false)?;
        self.mark_status(asset, Status::Skipped, target.ordinal, false)
    }

    /// Records an attempt that published nothing: it failed, or had nothing to make.
    pub(super) fn record_unpublished(
        &mut self,
        attempt: &UnpublishedAttempt,
    ) -> Result<FailureOutcome, StateError> {
        let target = attempt.target();
        let version = attempt.version();
        let skipped = matches!(attempt, UnpublishedAttempt::Skipped(_));
        let asset = self.asset_row(&target.asset)?;
        if !attempt.will_retry() {
            self.end_attempt(asset, target, version.0, version.1)?;
        }
        let row = self.partition_row(asset, target)?;
        let outcome = rules::failure_outcome(row.published, version);
        if outcome != FailureOutcome::Recorded {
            return Ok(outcome);
        }
        let marks = rules::marks_unpublished(row.published, row.unpublished, attempt);
        // One that marks nothing is still logged, and may still fail its run.
        let event = attempt.to_event();
        let id = self.log_event(&event, &record_json(&event, || target.to_string())?)?;
        if marks {
            self.execute_change(
                "UPDATE partitions
                 SET failed_run = ?3, failed_attempt = ?4, failed_event = ?5, skipped = ?6
                 WHERE asset = ?1 AND partition = ?2",
                params![
                    asset,
                    partition_column(target),
                    RunColumn(version.0),
                    version.1,
                    id,
                    skipped
                ],
            )?;
            self.mark_status(asset, Status::Failed, target.ordinal, !skipped)?;
            self.mark_status(asset, Status::Skipped, target.ordinal, skipped)?;
        }
        if !attempt.will_retry() {
            let record = match attempt {
                UnpublishedAttempt::Failed(failure) => record_json(failure, || target.to_string())?,
                UnpublishedAttempt::Skipped(skip) => record_json(skip, || target.to_string())?,
            };
            // Only the last attempt of a recorded run counts for the run.
            self.execute_change(
                "INSERT INTO failures (run, asset, partition, record, skipped, attempt)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM runs WHERE id = ?1)
                 ON CONFLICT DO UPDATE SET record = excluded.record, skipped = excluded.skipped,
                   attempt = excluded.attempt
                 WHERE attempt <= excluded.attempt",
                params![
                    RunColumn(version.0),
                    target.asset.as_str(),
                    partition_column(target),
                    record,
                    skipped,
                    version.1
                ],
            )?;
        }
        Ok(outcome)
    }

    pub(super) fn wipe_partition(&mut self, target: &PartitionRef) -> Result<(), StateError> {
        let asset = self.asset_row(&target.asset)?;
        self.partition_row(asset, target)?;
        self.execute_change(
            "UPDATE partitions SET made_run = NULL, made_attempt = NULL, made_sequence = NULL,
               made_event = NULL
             WHERE asset = ?1 AND partition = ?2",
            params![asset, partition_column(target)],
        )?;
        self.mark_status(asset, Status::Materialized, target.ordinal, false)?;
        self.clear_unpublished(asset, target)
    }
}
