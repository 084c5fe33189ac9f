//! Asset checks.
//!
//! The latest evaluation of a check is either in the partition's latest row (published with it) or in a
//! row of the check's own; the newer one counts.

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
    codec::{pack, unpack},
    item::{Attributes, Item, item, number, text},
    keys::{self, FAILED_CHECKS},
    row::Row,
    store::DynamoStore,
};

/// Not older than what is on record.
const NEWEST: &str = "attribute_not_exists(run) \
    OR run < :run OR (run = :run AND attempt <= :attempt)";

pub(super) fn evaluation(row: &Item) -> StateResult<CheckEvaluation> {
    unpack(row, "c", "the evaluation")
}

fn evaluation_row(key: &keys::Key, found: &CheckEvaluation) -> StateResult<Item> {
    let record = pack(found, || format!("{} on {}", found.check, found.target))?;
    Ok(item(
        key,
        [
            ("o", number(found.target.ordinal)),
            ("run", text(found.run.to_string())),
            ("attempt", number(found.attempt)),
            ("c", record),
        ],
    ))
}

/// Puts an evaluation down as the check's latest, unless a newer one is there.
pub(super) fn latest_check(found: &CheckEvaluation) -> StateResult<Op> {
    let key = keys::check(&found.target, &found.check.name).checked()?;
    let guard = Guard::when(NEWEST)
        .value(":run", text(found.run.to_string()))
        .value(":attempt", number(found.attempt));
    Ok(Op::Put(evaluation_row(&key, found)?, guard))
}

/// Of two evaluations of a check the newer one; of one attempt's, the check's own row.
fn newer(inline: CheckEvaluation, own: CheckEvaluation) -> CheckEvaluation {
    match (inline.run, inline.attempt) > (own.run, own.attempt) {
        true => inline,
        false => own,
    }
}

fn inline(row: Option<&Item>) -> StateResult<Vec<CheckEvaluation>> {
    let made = match row.and_then(Row::of) {
        Some(row) => row.materialization()?,
        None => None,
    };
    Ok(made.map(|made| made.checks).unwrap_or_default())
}

impl DynamoStore {
    /// The row that says that a check is a failure of its run.
    pub(super) fn failed_check(&self, found: &CheckEvaluation) -> StateResult<Item> {
        let key = keys::failed_check(found.run, &found.target, &found.check.name).checked()?;
        evaluation_row(&key, found)
    }

    async fn record_check(&self, found: &CheckEvaluation) -> StateResult<()> {
        if found.fails_run() {
            // A check that passes later in the run needs no write here: see `list_failed_checks`.
            let guard = Guard::when("attribute_not_exists(attempt) OR attempt <= :attempt")
                .value(":attempt", number(found.attempt));
            let row = self.failed_check(found)?;
            self.table.write(Op::Put(row, guard)).await?;
        }
        let event = self.event_row(&Event::Checked(Box::new(found.clone())))?;
        self.table.write(Op::Put(event, Guard::none())).await?;
        self.table.write(latest_check(found)?).await.map(drop)
    }

    /// The checks that are failures of a run.
    ///
    /// A row says that one did. Whether it still holds is told by the check's latest evaluation, as
    /// long as that is of the same run.
    pub(super) async fn list_failed_checks(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>> {
        let mut after = page.place::<String>()?;
        let limit = page.look_for();
        let mut found: Vec<(String, CheckEvaluation)> = Vec::new();
        loop {
            let wanted = limit - found.len();
            let query = Query::all(keys::run_pk(run))
                .prefix(FAILED_CHECKS)
                .limit(wanted);
            let rows = self.table.query(query.after(after.take())).await?;
            let last = rows.last().filter(|_| rows.len() == wanted);
            after = last.map(|row| row.key().sk);
            let failed = rows
                .iter()
                .map(|row| Ok((row.key().sk, evaluation(row)?)))
                .collect::<StateResult<Vec<_>>>()?;
            let keys = failed.iter().flat_map(|(_, found)| {
                let own = keys::check(&found.target, &found.check.name);
                [keys::latest_of(&found.target), own]
            });
            let rows = self.table.get_many(keys, ReadConsistency::Strong).await?;
            for (sk, failed) in failed {
                let inline = inline(rows.get(&keys::latest_of(&failed.target)))?
                    .into_iter()
                    .find(|found| found.check == failed.check);
                let own = rows
                    .get(&keys::check(&failed.target, &failed.check.name))
                    .map(evaluation)
                    .transpose()?;
                let latest = match (inline, own) {
                    (Some(inline), Some(own)) => Some(newer(inline, own)),
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
        let page = Page::cut(found, page, |(sk, _)| sk.clone());
        Ok(Page {
            items: page.items.into_iter().map(|(_, found)| found).collect(),
            next: page.next,
        })
    }
}

#[async_trait]
impl CheckStore for DynamoStore {
    async fn record_checks(&self, evaluations: Vec<CheckEvaluation>) -> StateResult<()> {
        let mut by_check: BTreeMap<_, Vec<CheckEvaluation>> = BTreeMap::new();
        for found in evaluations {
            record_json(&found, || format!("{} on {}", found.check, found.target))?;
            let place = (found.target.clone(), found.check.name.clone());
            by_check.entry(place).or_default().push(found);
        }
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
        let key = keys::latest_of(target).checked()?;
        let row = self.table.get(&key, ReadConsistency::Strong).await?;
        let own = self
            .table
            .query(Query::all(keys::checks_pk(target)))
            .await?;
        let mut latest: BTreeMap<String, CheckEvaluation> = BTreeMap::new();
        for found in inline(row.as_ref())? {
            latest.insert(found.check.name.clone(), found);
        }
        for row in &own {
            let own = evaluation(row)?;
            let found = match latest.remove(&own.check.name) {
                Some(inline) => newer(inline, own),
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

    async fn failing(&self, check: &CheckKey) -> StateResult<PartitionSet> {
        let query = Query::all(keys::failing_pk(&check.asset))
            .prefix(keys::failing_prefix(check))
            .eventual();
        let rows = self.table.query(query).await?;
        Ok(rows
            .iter()
            .filter_map(|row| row.number::<u64>("o"))
            .collect())
    }
}

/// Whether an evaluation puts its partition among those that fail the check.
pub(super) fn fails(found: &CheckEvaluation) -> bool {
    found.outcome != CheckOutcome::Passed
}

/// Puts the partition of an evaluation among those that fail its check, or takes it away, unless a
/// newer evaluation did.
pub(super) fn failing_mark(found: &CheckEvaluation) -> Op {
    let target = &found.target;
    let key = keys::failing(&target.asset, target.partition.as_ref(), &found.check.name);
    let guard = Guard::when(NEWEST)
        .value(":run", text(found.run.to_string()))
        .value(":attempt", number(found.attempt));
    if !fails(found) {
        return Op::Delete(key, guard);
    }
    let row = item(
        &key,
        [
            ("o", number(target.ordinal)),
            ("run", text(found.run.to_string())),
            ("attempt", number(found.attempt)),
        ],
    );
    Op::Put(row, guard)
}
