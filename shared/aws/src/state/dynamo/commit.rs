//! The commit protocol: publishing a partition, and recording failures.
//!
//! The rules are those of [`precip_engine::state::rules`], written as conditions. When a condition does
//! not hold, DynamoDB returns the current row, so explaining a refusal takes no second read.

use aws_sdk_dynamodb::types::AttributeValue;
use precip_engine::state::{
    CommitOutcome, Event, FailedAttempt, FailureOutcome, Materialization, PartitionRef,
    StateResult,
    rules::{self, Version},
};

use super::{
    call::{Backoff, Guard, Op, TRANSACT_AT_ONCE, TransactOutcome, WriteOutcome},
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

/// The condition that a failure is newer than the published version and not older than the recorded
/// failure.
const MARKS_FAILED: &str = "(attribute_not_exists(run) OR run < :run) \
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
        let mut backoff = Backoff::new("publish a partition");
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

    /// Records one failed attempt.
    pub(super) async fn record_failed_attempt(
        &self,
        failure: FailedAttempt,
    ) -> StateResult<FailureOutcome> {
        let version = (failure.run, failure.attempt);
        if failure.will_retry {
            return self.log_failure(&failure, None).await;
        }
        let outcome = self.give_up(&failure).await?;
        self.end_attempt(&failure.target, version).await?;
        Ok(outcome)
    }

    /// Records the last failed attempt of a run in the run's failures and in the log, and marks the
    /// partition as failed if nothing newer is recorded.
    async fn give_up(&self, failure: &FailedAttempt) -> StateResult<FailureOutcome> {
        let target = &failure.target;
        let key = keys::latest_row_of(target).check_length()?;
        let guard = bind_version(
            Guard::with_condition(MARKS_FAILED),
            (failure.run, failure.attempt),
        )
        .with_value(":o", number_value(target.ordinal));
        let mark = "SET o = :o, frun = :run, fattempt = :attempt";
        let ops = vec![
            Op::Update(key, mark.to_owned(), guard),
            Op::Put(self.failure_row(failure)?, Guard::unconditional()),
            Op::Put(
                event_row(&Event::Failed(failure.clone()))?,
                Guard::unconditional(),
            ),
        ];
        // Only the first write has a condition, so a refusal returns its row: the latest row.
        let refused = match self.table.transact_ops(ops).await? {
            TransactOutcome::Done => return Ok(FailureOutcome::Recorded),
            TransactOutcome::Refused(mut rows) => rows.swap_remove(0).flatten(),
        };
        let row = refused.map(|row| Row::from_refused_item(target, &row));
        let outcome = rules::failure_outcome(row.as_ref().and_then(|row| row.published), failure);
        if outcome != FailureOutcome::Recorded {
            return Ok(outcome);
        }
        // Something newer is recorded, so the partition is not marked. The failure still counts for
        // its run, unless a later attempt of the run failed as well.
        let later = row
            .and_then(|row| row.failed)
            .is_some_and(|(run, attempt)| run == failure.run && attempt > failure.attempt);
        let record = if later {
            None
        } else {
            Some(self.failure_row(failure)?)
        };
        self.log_failure(failure, record).await
    }

    /// Writes a failure to the log, together with another row, unless the run has published the
    /// partition.
    async fn log_failure(
        &self,
        failure: &FailedAttempt,
        extra_row: Option<Item>,
    ) -> StateResult<FailureOutcome> {
        let target = &failure.target;
        let guard = Guard::with_condition(NOT_PUBLISHED)
            .with_value(":run", text_value(failure.run.to_string()));
        // The check is first: a refusal returns the latest row, which names the published version.
        let mut ops = vec![
            Op::Check(keys::latest_row_of(target).check_length()?, guard),
            Op::Put(
                event_row(&Event::Failed(failure.clone()))?,
                Guard::unconditional(),
            ),
        ];
        ops.extend(extra_row.map(|row| Op::Put(row, Guard::unconditional())));
        let row = match self.table.transact_ops(ops).await? {
            TransactOutcome::Done => return Ok(FailureOutcome::Recorded),
            TransactOutcome::Refused(mut rows) => rows.swap_remove(0).flatten(),
        };
        let published = row.and_then(|row| Row::from_refused_item(target, &row).published);
        Ok(rules::failure_outcome(published, failure))
    }

    fn failure_row(&self, failure: &FailedAttempt) -> StateResult<Item> {
        let target = &failure.target;
        let key = keys::failure_row(failure.run, &target.asset, target.partition.as_ref())
            .check_length()?;
        Ok(build_item(
            &key,
            [
                ("o", number_value(target.ordinal)),
                ("attempt", number_value(failure.attempt)),
                ("f", pack_record(failure, || target.to_string())?),
            ],
        ))
    }

    /// Deletes the rows of partitions. The projection moves the published records to the log.
    pub(super) async fn delete_latest_rows(&self, targets: &[PartitionRef]) -> StateResult<()> {
        let keys = targets.iter().map(keys::latest_row_of).collect();
        self.table.write_all(Vec::new(), keys).await
    }
}
