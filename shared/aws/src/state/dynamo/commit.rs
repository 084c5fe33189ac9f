//! The commit protocol: what is published, and what failed.
//!
//! The rules are those of [`precip_engine::state::rules`], written as conditions. When a condition does
//! not hold, DynamoDB answers the row as it is, so that saying why takes no second read.

use aws_sdk_dynamodb::types::AttributeValue;
use precip_engine::state::{
    Event, Failure, FailureRecorded, Finished, Materialization, PartitionRef, StateResult,
    rules::{self, Version},
};

use super::{
    call::{Guard, Op, Patience, TRANSACT_AT_ONCE, Transacted, Written},
    codec::{pack, pack_made},
    item::{Item, item, number, text},
    keys::{self, Key},
    row::Row,
    store::DynamoStore,
};

/// Newer than what is published; and stamped later, so that the stamps of one partition never go back
/// even if the clock that makes them is behind.
const NEWER: &str = "attribute_not_exists(run) \
    OR ((run < :run OR (run = :run AND attempt < :attempt)) AND q < :q)";

const SAME: &str = "run = :run AND attempt = :attempt";

/// Newer than what is published and not older than the failure on record.
const MARKS: &str = "(attribute_not_exists(run) OR run < :run) \
    AND (attribute_not_exists(frun) OR frun < :run OR (frun = :run AND fattempt <= :attempt))";

const NOT_DONE: &str = "attribute_not_exists(run) OR run <> :run";

fn of_version(guard: Guard, (run, attempt): Version) -> Guard {
    guard
        .value(":run", text(run.to_string()))
        .value(":attempt", number(attempt))
}

impl DynamoStore {
    /// Publishes one item: one write, unless it is refused or a blocking check failed.
    pub(super) async fn finish_one(&self, made: Materialization) -> StateResult<Finished> {
        let target = &made.target;
        let key = keys::latest_of(target).checked()?;
        let version = (made.run, made.attempt);
        // About what the names and the other attributes take.
        let record = pack_made(&made, 200 + key.pk.len() + key.sk.len())?;
        let failed_checks = self.failed_checks_of(&made)?;
        let tie = keys::fnv1a(&format!("{target}{}{}", made.run, made.attempt));
        let mut floor = 0;
        let mut patience = Patience::new("publish a partition");
        loop {
            let stamp = self.stamps.next(tie, floor);
            let guard = of_version(Guard::when(NEWER), version).value(":q", number(stamp));
            let update = "SET o = :o, run = :run, attempt = :attempt, q = :q, m = :m";
            let row = match self
                .publish(&key, update, guard, target, &record, &failed_checks)
                .await?
            {
                Written::Done => return Ok(Finished::Committed),
                Written::Refused(row) => row.map(|row| Row::of_target(target, &row)),
            };
            let published = row.as_ref().and_then(|row| row.published);
            let outcome = rules::finish_outcome(published, &made);
            if outcome != Finished::Committed {
                self.end_attempt(target, version).await?;
                return Ok(outcome);
            }
            if rules::is_repeat(published, &made) {
                // The last call of an attempt counts, and is no update: the stamp stays.
                let guard = of_version(Guard::when(SAME), version);
                let update = "SET o = :o, m = :m";
                let again = self
                    .publish(&key, update, guard, target, &record, &failed_checks)
                    .await?;
                if again.is_done() {
                    return Ok(Finished::Committed);
                }
            }
            floor = row.map_or(0, |row| row.stamp);
            patience.wait().await?;
        }
    }

    /// Writes the row, together with what says that a check failed.
    async fn publish(
        &self,
        key: &Key,
        update: &str,
        guard: Guard,
        target: &PartitionRef,
        record: &AttributeValue,
        failed_checks: &[Item],
    ) -> StateResult<Written> {
        let guard = guard
            .value(":o", number(target.ordinal))
            .value(":m", record.clone());
        let row = Op::Update(key.clone(), update.to_owned(), guard);
        if failed_checks.is_empty() {
            return self.table.write(row).await;
        }
        let failed_checks = failed_checks
            .iter()
            .map(|found| Op::Put(found.clone(), Guard::none()));
        let ops = std::iter::once(row)
            .chain(failed_checks)
            .take(TRANSACT_AT_ONCE)
            .collect();
        Ok(match self.table.transact(ops).await? {
            Transacted::Done => Written::Done,
            Transacted::Refused(mut of) => Written::Refused(of.swap_remove(0).flatten()),
        })
    }

    /// The rows that say which checks are failures of the run. A partition has one for each of the
    /// first 99: one would do to hold back what is downstream.
    fn failed_checks_of(&self, made: &Materialization) -> StateResult<Vec<Item>> {
        made.checks
            .iter()
            .filter(|found| found.fails_run())
            .map(|found| self.failed_check(found))
            .collect()
    }

    /// Puts down one failure.
    pub(super) async fn fail_one(&self, failure: Failure) -> StateResult<FailureRecorded> {
        let version = (failure.run, failure.attempt);
        let outcome = match failure.will_retry {
            true => self.log_failure(&failure, None).await?,
            false => self.give_up(&failure).await?,
        };
        if !failure.will_retry {
            self.end_attempt(&failure.target, version).await?;
        }
        Ok(outcome)
    }

    /// Marks the partition as failed, if this is the newest that is known of it, and puts the failure
    /// on the run's record and in the log.
    async fn give_up(&self, failure: &Failure) -> StateResult<FailureRecorded> {
        let target = &failure.target;
        let key = keys::latest_of(target).checked()?;
        let guard = of_version(Guard::when(MARKS), (failure.run, failure.attempt))
            .value(":o", number(target.ordinal));
        let mark = "SET o = :o, frun = :run, fattempt = :attempt";
        let ops = vec![
            Op::Update(key, mark.to_owned(), guard),
            Op::Put(self.failure_row(failure)?, Guard::none()),
            Op::Put(
                self.event_row(&Event::Failed(failure.clone()))?,
                Guard::none(),
            ),
        ];
        let row = match self.table.transact(ops).await? {
            Transacted::Done => return Ok(FailureRecorded::Recorded),
            Transacted::Refused(mut of) => of.swap_remove(0).flatten(),
        };
        let row = row.map(|row| Row::of_target(target, &row));
        let outcome = rules::fail_outcome(row.as_ref().and_then(|row| row.published), failure);
        if outcome != FailureRecorded::Recorded {
            return Ok(outcome);
        }
        // It marks nothing, since something newer is known; it is the run's failure all the same,
        // unless a later attempt's is on its record.
        let later = row
            .and_then(|row| row.failed)
            .is_some_and(|(run, attempt)| run == failure.run && attempt > failure.attempt);
        let record = match later {
            true => None,
            false => Some(self.failure_row(failure)?),
        };
        self.log_failure(failure, record).await
    }

    /// Puts a failure in the log, and a row beside it, unless the run has published the partition.
    async fn log_failure(
        &self,
        failure: &Failure,
        beside: Option<Item>,
    ) -> StateResult<FailureRecorded> {
        let target = &failure.target;
        let guard = Guard::when(NOT_DONE).value(":run", text(failure.run.to_string()));
        let mut ops = vec![
            Op::Check(keys::latest_of(target).checked()?, guard),
            Op::Put(
                self.event_row(&Event::Failed(failure.clone()))?,
                Guard::none(),
            ),
        ];
        ops.extend(beside.map(|row| Op::Put(row, Guard::none())));
        let row = match self.table.transact(ops).await? {
            Transacted::Done => return Ok(FailureRecorded::Recorded),
            Transacted::Refused(mut of) => of.swap_remove(0).flatten(),
        };
        let published = row.and_then(|row| Row::of_target(target, &row).published);
        Ok(rules::fail_outcome(published, failure))
    }

    fn failure_row(&self, failure: &Failure) -> StateResult<Item> {
        let target = &failure.target;
        let key = keys::failure(failure.run, &target.asset, target.partition.as_ref()).checked()?;
        Ok(item(
            &key,
            [
                ("o", number(target.ordinal)),
                ("attempt", number(failure.attempt)),
                ("f", pack(failure, || target.to_string())?),
            ],
        ))
    }

    /// Takes partitions' rows away. What was published goes into the log by the projection.
    pub(super) async fn wipe_all(&self, targets: &[PartitionRef]) -> StateResult<()> {
        let keys = targets.iter().map(keys::latest_of).collect();
        self.table.write_all(Vec::new(), keys).await
    }
}
