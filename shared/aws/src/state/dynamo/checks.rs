//! Asset checks.
//!
//! The latest evaluation of a check is either *inline* (in the partition's latest row, published with
//! it) or in a row of its *own*. The newer one counts.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{key::CheckKey, partitions::PartitionSet};
use precip_engine::{
    run_id::RunId,
    state::{
        CheckEvaluation, CheckOutcome, CheckStore, Event, Page, PageRequest, PartitionRef,
        ReadConsistency, StateResult, record_json,
    },
};

use super::{
    call::{Guard, Op, Query, REQUESTS_AT_ONCE},
    codec::{pack_record, unpack_record},
    events::event_row,
    item::{Attributes, Item, build_item, number_value, text_value},
    keys::{self, FAILED_CHECKS},
    row::Row,
    store::DynamoStore,
};

/// The condition that a write is not older than the recorded version.
const NEWEST: &str = "attribute_not_exists(run) \
    OR run < :run OR (run = :run AND attempt <= :attempt)";

pub(super) fn decode_evaluation(row: &Item) -> StateResult<CheckEvaluation> {
    unpack_record(row, "c", "the evaluation")
}

fn evaluation_row(key: &keys::Key, found: &CheckEvaluation) -> StateResult<Item> {
    let record = pack_record(found, || format!("{} on {}", found.check, found.target))?;
    Ok(build_item(
        key,
        [
            ("o", number_value(found.target.ordinal)),
            ("run", text_value(found.run.to_string())),
            ("attempt", number_value(found.attempt)),
            ("c", record),
        ],
    ))
}

/// Returns the write that records an evaluation as the check's latest, unless a newer one exists.
pub(super) fn latest_check(found: &CheckEvaluation) -> StateResult<Op> {
    let key = keys::check_row(&found.target, &found.check.name).check_length()?;
    let guard = Guard::with_condition(NEWEST)
        .with_value(":run", text_value(found.run.to_string()))
        .with_value(":attempt", number_value(found.attempt));
    Ok(Op::Put(evaluation_row(&key, found)?, guard))
}

/// Returns the newer of two evaluations of a check. Of one attempt's, the own row counts.
fn newer_of(inline: CheckEvaluation, own: CheckEvaluation) -> CheckEvaluation {
    if (inline.run, inline.attempt) > (own.run, own.attempt) {
        inline
    } else {
        own
    }
}

/// Returns the evaluations that were published with a partition.
fn inline_evaluations(row: Option<&Item>) -> StateResult<Vec<CheckEvaluation>> {
    let made = match row.and_then(Row::from_item) {
        Some(row) => row.materialization()?,
        None => None,
    };
    Ok(made.map(|made| made.checks).unwrap_or_default())
}

impl DynamoStore {
    /// Returns the row that records a check as a failure of its run.
    pub(super) fn failed_check(&self, found: &CheckEvaluation) -> StateResult<Item> {
        let key =
            keys::failed_check_row(found.run, &found.target, &found.check.name).check_length()?;
        evaluation_row(&key, found)
    }

    async fn record_check(&self, found: &CheckEvaluation) -> StateResult<()> {
        if found.fails_run() {
            // A check that passes later in the run needs no write here: see `list_failed_checks`.
            let guard =
                Guard::with_condition("attribute_not_exists(attempt) OR attempt <= :attempt")
                    .with_value(":attempt", number_value(found.attempt));
            let row = self.failed_check(found)?;
            self.table.write_op(Op::Put(row, guard)).await?;
        }
        // The history first: a repeated call replaces it with itself.
        let event = event_row(&Event::Checked(Box::new(found.clone())))?;
        self.table
            .write_op(Op::Put(event, Guard::unconditional()))
            .await?;
        self.table.write_op(latest_check(found)?).await.map(drop)
    }

    /// Lists the checks that are failures of a run.
    ///
    /// A row records that a check failed once. It still counts unless the check's latest evaluation
    /// is of the same run, is no older, and does not fail the run.
    pub(super) async fn list_failed_checks(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>> {
        let mut after = page.start_position::<String>()?;
        let limit = page.fetch_limit();
        let mut found: Vec<(String, CheckEvaluation)> = Vec::new();
        loop {
            // Rows are read until a page is full: those that no longer count are left out.
            let wanted = limit - found.len();
            let query = Query::rows_of(keys::run_pk(run))
                .with_prefix(FAILED_CHECKS)
                .with_limit(wanted);
            let rows = self
                .table
                .query_rows(query.starting_after(after.take()))
                .await?;
            let last = rows.last().filter(|_| rows.len() == wanted);
            // A full answer: there may be more rows after it.
            after = last.map(|row| row.key().sk);
            let failed = rows
                .iter()
                .map(|row| Ok((row.key().sk, decode_evaluation(row)?)))
                .collect::<StateResult<Vec<_>>>()?;
            // The latest evaluation of each check is in one of two rows; both are read together.
            let keys = failed.iter().flat_map(|(_, found)| {
                let own = keys::check_row(&found.target, &found.check.name);
                [keys::latest_row_of(&found.target), own]
            });
            let rows = self.table.get_many(keys, ReadConsistency::Strong).await?;
            for (sk, failed) in failed {
                let inline = inline_evaluations(rows.get(&keys::latest_row_of(&failed.target)))?
                    .into_iter()
                    .find(|found| found.check == failed.check);
                let own = rows
                    .get(&keys::check_row(&failed.target, &failed.check.name))
                    .map(decode_evaluation)
                    .transpose()?;
                let latest = match (inline, own) {
                    (Some(inline), Some(own)) => Some(newer_of(inline, own)),
                    (inline, own) => inline.or(own),
                };
                let current = latest
                    .filter(|latest| latest.run == run && latest.attempt >= failed.attempt)
                    .unwrap_or(failed);
                if current.fails_run() {
                    found.push((sk, current));
                }
            }
            if found.len() >= limit || after.is_none() {
                break;
            }
        }
        Ok(Page::from_overfetch(found, page, |(sk, _)| sk.clone()).map(|(_, found)| found))
    }
}

#[async_trait]
impl CheckStore for DynamoStore {
    async fn record_checks(&self, evaluations: Vec<CheckEvaluation>) -> StateResult<()> {
        let mut by_check: BTreeMap<_, Vec<CheckEvaluation>> = BTreeMap::new();
        for found in evaluations {
            record_json(&found, || format!("{} on {}", found.check, found.target))?;
            let check = (found.target.clone(), found.check.name.clone());
            by_check.entry(check).or_default().push(found);
        }
        // Evaluations of one check are recorded in order, different checks concurrently.
        stream::iter(by_check.into_values())
            .map(|evaluations| async move {
                for found in &evaluations {
                    self.record_check(found).await?;
                }
                StateResult::Ok(())
            })
            .buffer_unordered(REQUESTS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn latest_checks(&self, target: &PartitionRef) -> StateResult<Vec<CheckEvaluation>> {
        let key = keys::latest_row_of(target).check_length()?;
        // Inline evaluations first; newer ones in own rows replace them by name.
        let row = self.table.get_row(&key, ReadConsistency::Strong).await?;
        let own = self
            .table
            .query_rows(Query::rows_of(keys::checks_pk(target)))
            .await?;
        let mut latest: BTreeMap<String, CheckEvaluation> = BTreeMap::new();
        for found in inline_evaluations(row.as_ref())? {
            latest.insert(found.check.name.clone(), found);
        }
        for row in &own {
            let own = decode_evaluation(row)?;
            let found = match latest.remove(&own.check.name) {
                Some(inline) => newer_of(inline, own),
                None => own,
            };
            latest.insert(found.check.name.clone(), found);
        }
        Ok(latest.into_values().collect())
    }

    async fn check_history(
        &self,
        check: &CheckKey,
        target: &PartitionRef,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>> {
        self.list_evaluations(target, &check.name, page).await
    }

    async fn failing_partitions(&self, check: &CheckKey) -> StateResult<PartitionSet> {
        let query = Query::rows_of(keys::failing_pk(&check.asset))
            .with_prefix(keys::failing_prefix(check))
            .eventually_consistent();
        let rows = self.table.query_rows(query).await?;
        Ok(rows
            .iter()
            .filter_map(|row| row.number::<u64>("o"))
            .collect())
    }
}

/// Returns `true` if the partition of an evaluation counts as failing the check.
pub(super) fn is_failing(found: &CheckEvaluation) -> bool {
    found.outcome != CheckOutcome::Passed
}

/// Returns the write that adds the partition of an evaluation to those that fail its check, or removes
/// it, unless a newer evaluation has been applied.
pub(super) fn failing_mark(found: &CheckEvaluation) -> Op {
    let target = &found.target;
    let key = keys::failing_row(&target.asset, target.partition.as_ref(), &found.check.name);
    let guard = Guard::with_condition(NEWEST)
        .with_value(":run", text_value(found.run.to_string()))
        .with_value(":attempt", number_value(found.attempt));
    if !is_failing(found) {
        return Op::Delete(key, guard);
    }
    let row = build_item(
        &key,
        [
            ("o", number_value(target.ordinal)),
            ("run", text_value(found.run.to_string())),
            ("attempt", number_value(found.attempt)),
        ],
    );
    Op::Put(row, guard)
}
