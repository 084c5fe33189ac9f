//! The commit protocol: publishing a partition, and recording failures and skips.
//!
//! The rules are those of [`precip_engine::state::rules`], written as conditions. When a condition does
//! not hold, DynamoDB returns the current row, so explaining a refusal takes no second read.

use aws_sdk_dynamodb::types::AttributeValue;
use precip_core::{key::AssetKey, partitions::PartitionKey};
use precip_engine::{
    run_id::RunId,
    state::{
        CommitOutcome, FailureOutcome, Materialization, PartitionRef, StateResult,
        UnpublishedAttempt,
        rules::{self, Version},
    },
};

use super::{
    call::{Guard, Op, TRANSACT_AT_ONCE, TransactOutcome, WriteOutcome},
    codec::{pack_materialization, pack_record},
    events::event_row,
    item::{Item, build_item, number_value, text_value},
    keys::{self, Key},
    row::Row,
    store::DynamoStore,
};

/// The condition that a version is newer than the published one and has a later stamp: the stamps of
/// one partition never decrease, even if the writer's clock is behind.
const NEWER: &str = "attribute_not_exists(run) \
    OR ((run < :run OR (run = :run AND attempt < :attempt)) AND q < :q)";

/// The condition that the published version is this one.
const SAME_VERSION: &str = "run = :run AND attempt = :attempt";

/// The condition that an attempt that published nothing is newer than the published version and not
/// older than the recorded one.
const MARKS_UNPUBLISHED: &str = "(attribute_not_exists(run) OR run < :run) \
    AND (attribute_not_exists(frun) OR frun < :run OR (frun = :run AND fattempt <= :attempt))";

/// The condition that the run has not published the partition.
const NOT_PUBLISHED: &str = "attribute_not_exists(run) OR run <> :run";

fn bind_version(guard: Guard, (run, attempt): Version) -> Guard {
    guard
        .with_value(":run", text_value(run.to_string()))
        .with_value(":attempt", number_value(attempt))
}

impl DynamoStore {
    /// Publishes one partition: one write, unless it is refused or a blocking check failed.
    pub(super) async fn commit_one(&self, made: Materialization) -> StateResult<CommitOutcome> {
        let target = &made.target;
        let key = keys::latest_row_of(target).check_length()?;
        let version = (made.run, made.attempt);
        // 200 bytes: roughly the names and the other attributes.
        let record = pack_materialization(&made, 200 + key.pk.len() + key.sk.len())?;
        let failed_checks = self.failed_checks_of(&made)?;
        // The tie-break depends on the materialization, so two processes differ within one microsecond.
        let tie = keys::fnv1a(&format!("{target}{}{}", made.run, made.attempt));
        let mut floor = 0;
        let mut backoff = self.table.backoff("publish a partition");
        // A refusal has one of three reasons: the published version is newer (that is the answer), it is
        // this very version (the record is replaced), or its stamp is later (repeat with a later stamp).
        loop {
            let stamp = self.stamps.next(tie, floor);
            let guard = bind_version(Guard::with_condition(NEWER), version)
                .with_value(":q", number_value(stamp));
            let update = "SET o = :o, run = :run, attempt = :attempt, q = :q, m = :m";
            let row = match self
                .write_latest_row(&key, update, guard, target, &record, &failed_checks)
                .await?
            {
                WriteOutcome::Done => return Ok(CommitOutcome::Committed),
                WriteOutcome::Refused(row) => row.map(|row| Row::from_refused_item(target, &row)),
            };
            let published = row.as_ref().and_then(|row| row.published);
            // The same rule as in every store explains the refusal.
            let outcome = rules::commit_outcome(published, &made);
            if outcome != CommitOutcome::Committed {
                self.end_attempt(target, version).await?;
                return Ok(outcome);
            }
            if rules::is_repeat(published, &made) {
                // The last call of an attempt counts. It is not an update, so the stamp is kept.
                let guard = bind_version(Guard::with_condition(SAME_VERSION), version);
                let update = "SET o = :o, m = :m";
                let again = self
                    .write_latest_row(&key, update, guard, target, &record, &failed_checks)
                    .await?;
                if again.is_done() {
                    return Ok(CommitOutcome::Committed);
                }
            }
            floor = row.map_or(0, |row| row.stamp);
            backoff.wait().await?;
        }
    }

    /// Writes the latest row, in one transaction with the rows of failed checks.
    async fn write_latest_row(
        &self,
        key: &Key,
        update: &str,
        guard: Guard,
        target: &PartitionRef,
        record: &AttributeValue,
        failed_checks: &[Item],
    ) -> StateResult<WriteOutcome> {
        let guard_with_values = guard
            .with_value(":o", number_value(target.ordinal))
            .with_value(":m", record.clone());
        let row = Op::Update(key.clone(), update.to_owned(), guard_with_values);
        if failed_checks.is_empty() {
            return self.table.write_op(row).await;
        }
        let check_puts = failed_checks
            .iter()
            .map(|found| Op::Put(found.clone(), Guard::unconditional()));
        // The latest row is first, so that a refusal returns it.
        let ops = std::iter::once(row)
            .chain(check_puts)
            .take(TRANSACT_AT_ONCE)
            .collect();
        Ok(match self.table.transact_ops(ops).await? {
            TransactOutcome::Done => WriteOutcome::Done,
            TransactOutcome::Refused(mut rows) => {
                WriteOutcome::Refused(rows.swap_remove(0).flatten())
            }
        })
    }

    /// Returns the rows of checks that are failures of the run. Only the first 99 fit into the
    /// transaction; one is enough to hold back what depends on the partition.
    fn failed_checks_of(&self, made: &Materialization) -> StateResult<Vec<Item>> {
        made.checks
            .iter()
            .filter(|found| found.fails_run())
            .map(|found| self.failed_check(found))
            .collect()
    }

    /// Records one attempt that published nothing.
    pub(super) async fn record_unpublished(
        &self,
        attempt: UnpublishedAttempt,
    ) -> StateResult<FailureOutcome> {
        if attempt.will_retry() {
            return self.log_unpublished(&attempt, None).await;
        }
        let outcome = self.mark_unpublished(&attempt).await?;
        self.end_attempt(attempt.target(), attempt.version())
            .await?;
        Ok(outcome)
    }

    /// Records the last attempt of a run that published nothing with the run and in the log, and marks
    /// the partition if nothing newer is recorded.
    async fn mark_unpublished(&self, attempt: &UnpublishedAttempt) -> StateResult<FailureOutcome> {
        let target = attempt.target();
        let version = attempt.version();
        let skipped = matches!(attempt, UnpublishedAttempt::Skipped(_));
        let key = keys::latest_row_of(target).check_length()?;
        let guard = bind_version(Guard::with_condition(MARKS_UNPUBLISHED), version)
            .with_value(":o", number_value(target.ordinal))
            .with_value(":skip", number_value(u8::from(skipped)));
        let mark = "SET o = :o, frun = :run, fattempt = :attempt, fskip = :skip";
        let mut ops = vec![
            Op::Update(key, mark.to_owned(), guard),
            Op::Put(event_row(&attempt.to_event())?, Guard::unconditional()),
        ];
        ops.extend(self.rows_of_run(attempt)?);
        // Only the first write has a condition, so a refusal returns its row: the latest row.
        let refused = match self.table.transact_ops(ops).await? {
            TransactOutcome::Done => return Ok(FailureOutcome::Recorded),
            TransactOutcome::Refused(mut rows) => rows.swap_remove(0).flatten(),
        };
        let row = refused.map(|row| Row::from_refused_item(target, &row));
        let outcome = rules::failure_outcome(row.as_ref().and_then(|row| row.published), version);
        if outcome != FailureOutcome::Recorded {
            return Ok(outcome);
        }
        // Something newer is recorded, so the partition is not marked. The attempt still counts for
        // its run, unless a later one of the run published nothing as well.
        let later = row
            .and_then(|row| row.unpublished)
            .is_some_and(|(run, number)| run == version.0 && number > version.1);
        let rows = (!later).then(|| self.rows_of_run(attempt)).transpose()?;
        self.log_unpublished(attempt, rows).await
    }

    /// Writes an attempt to the log, together with other rows, unless the run has published the
    /// partition.
    async fn log_unpublished(
        &self,
        attempt: &UnpublishedAttempt,
        rows: Option<[Op; 2]>,
    ) -> StateResult<FailureOutcome> {
        let target = attempt.target();
        let version = attempt.version();
        let guard = Guard::with_condition(NOT_PUBLISHED)
            .with_value(":run", text_value(version.0.to_string()));
        // The check is first: a refusal returns the latest row, which names the published version.
        let mut ops = vec![
            Op::Check(keys::latest_row_of(target).check_length()?, guard),
            Op::Put(event_row(&attempt.to_event())?, Guard::unconditional()),
        ];
        ops.extend(rows.into_iter().flatten());
        let row = match self.table.transact_ops(ops).await? {
            TransactOutcome::Done => return Ok(FailureOutcome::Recorded),
            TransactOutcome::Refused(mut rows) => rows.swap_remove(0).flatten(),
        };
        let published = row.and_then(|row| Row::from_refused_item(target, &row).published);
        Ok(rules::failure_outcome(published, version))
    }

    /// Returns the writes that make an attempt the run's last one of the partition: as a failure or as
    /// a skip, and no longer as the other.
    fn rows_of_run(&self, attempt: &UnpublishedAttempt) -> StateResult<[Op; 2]> {
        let target = attempt.target();
        let (run, number) = attempt.version();
        let key = |row: fn(RunId, &AssetKey, Option<&PartitionKey>) -> Key| {
            row(run, &target.asset, target.partition.as_ref()).check_length()
        };
        let (failure, skip) = (key(keys::failure_row)?, key(keys::skipped_row)?);
        let subject = || target.to_string();
        let (key, record, other) = match attempt {
            UnpublishedAttempt::Failed(failed) => (failure, pack_record(failed, subject)?, skip),
            UnpublishedAttempt::Skipped(skipped) => (skip, pack_record(skipped, subject)?, failure),
        };
        let row = build_item(
            &key,
            [
                ("o", number_value(target.ordinal)),
                ("attempt", number_value(number)),
                ("f", record),
            ],
        );
        Ok([
            Op::Put(row, Guard::unconditional()),
            Op::Delete(other, Guard::unconditional()),
        ])
    }

    /// Deletes the rows of partitions. The projection moves the published records to the log.
    pub(super) async fn delete_latest_rows(&self, targets: &[PartitionRef]) -> StateResult<()> {
        let keys = targets.iter().map(keys::latest_row_of).collect();
        self.table.write_all(Vec::new(), keys).await
    }
}
