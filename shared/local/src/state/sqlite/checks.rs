//! Asset checks in SQLite.

use async_trait::async_trait;
use precip_core::{key::CheckKey, partitions::PartitionSet};
use precip_engine::state::{
    CheckEvaluation, CheckOutcome, CheckStore, Event, EventKey, Page, PageRequest, PartitionRef,
    StateError, StateResult, record_json,
};
use rusqlite::params;

use super::{
    SqliteStore,
    codec::RunColumn,
    read::Read,
    write::{Write, partition_column, to_integer},
};

impl Write<'_> {
    pub(super) fn record_check(&mut self, found: &CheckEvaluation) -> Result<(), StateError> {
        let asset = self.asset_row(&found.target.asset)?;
        let event = Event::Checked(Box::new(found.clone()));
        let subject = || format!("{} on {}", found.check, found.target);
        let id = self.log_event(&event, &record_json(&event, subject)?)?;
        // A partition may be checked before it is published; the row holds its ordinal.
        self.execute_change(
            "INSERT INTO partitions (asset, partition, ordinal) VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING",
            params![
                asset,
                partition_column(&found.target),
                to_integer(found.target.ordinal)?
            ],
        )?;
        self.execute_change(
            "INSERT INTO checks (asset, partition, name, run, attempt, failing, event)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET run = excluded.run, attempt = excluded.attempt,
               failing = excluded.failing, event = excluded.event
             WHERE (run, attempt) <= (excluded.run, excluded.attempt)",
            params![
                asset,
                partition_column(&found.target),
                found.check.name,
                RunColumn(found.run),
                found.attempt,
                found.outcome != CheckOutcome::Passed,
                id
            ],
        )?;
        self.record_gate(found)?;
        Ok(())
    }

    /// Records whether a check fails its run.
    fn record_gate(&mut self, found: &CheckEvaluation) -> Result<(), StateError> {
        let subject = || format!("{} on {}", found.check, found.target);
        let record = if found.fails_run() {
            Some(record_json(found, subject)?)
        } else {
            None
        };
        if record.is_none() && !found.blocking {
            // It may have failed earlier in this run. Most checks never fail and have no row.
            self.execute_change(
                "UPDATE gates SET attempt = ?5, record = NULL
                 WHERE run = ?1 AND asset = ?2 AND partition = ?3 AND name = ?4 AND attempt <= ?5",
                params![
                    RunColumn(found.run),
                    found.target.asset.as_str(),
                    partition_column(&found.target),
                    found.check.name,
                    found.attempt
                ],
            )?;
            return Ok(());
        }
        self.execute_change(
            "INSERT INTO gates (run, asset, partition, name, attempt, record)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET attempt = excluded.attempt, record = excluded.record
             WHERE attempt <= excluded.attempt",
            params![
                RunColumn(found.run),
                found.target.asset.as_str(),
                partition_column(&found.target),
                found.check.name,
                found.attempt,
                record
            ],
        )?;
        Ok(())
    }
}

impl Read<'_> {
    fn latest_checks(&self, target: &PartitionRef) -> Result<Vec<CheckEvaluation>, StateError> {
        let Some(asset) = self.find_asset(&target.asset)? else {
            return Ok(Vec::new());
        };
        let sql = "SELECT e.record FROM checks c JOIN events e ON e.id = c.event
                   WHERE c.asset = ?1 AND c.partition = ?2 ORDER BY c.name";
        let rows: Vec<String> =
            self.query_many(sql, params![asset, partition_column(target)], |row| {
                row.get(0)
            })?;
        // The event holds the whole evaluation; `checks` only says which event is the latest.
        let mut checks = Vec::with_capacity(rows.len());
        for json in rows {
            if let Event::Checked(found) = self.decode_event(&json)? {
                checks.push(*found);
            }
        }
        Ok(checks)
    }
}

#[async_trait]
impl CheckStore for SqliteStore {
    async fn record_checks(&self, evaluations: Vec<CheckEvaluation>) -> StateResult<()> {
        self.run_write(move |write| {
            evaluations
                .iter()
                .try_for_each(|found| write.record_check(found))
        })
        .await
    }

    async fn latest_checks(&self, target: &PartitionRef) -> StateResult<Vec<CheckEvaluation>> {
        let target = target.clone();
        self.run_read(move |read| read.latest_checks(&target)).await
    }

    async fn check_history(
        &self,
        check: &CheckKey,
        target: &PartitionRef,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>> {
        let after = page.start_position::<EventKey>()?;
        let (check, target, page) = (check.clone(), target.clone(), page.clone());
        self.run_read(move |read| {
            let found = read.list_events(&target, Some(&check.name), after, page.fetch_limit())?;
            let checked = |event| match event {
                Event::Checked(found) => Some(*found),
                _ => None,
            };
            Ok(Page::from_overfetch(found, &page, Event::key).filter_map(checked))
        })
        .await
    }

    async fn failing_partitions(&self, check: &CheckKey) -> StateResult<PartitionSet> {
        let check = check.clone();
        self.run_read(move |read| {
            let sql = "SELECT p.ordinal FROM checks c
                       JOIN assets a ON a.id = c.asset
                       JOIN partitions p ON p.asset = c.asset AND p.partition = c.partition
                       WHERE a.key = ?1 AND c.name = ?2 AND c.failing AND p.ordinal IS NOT NULL";
            let ordinals: Vec<i64> =
                read.query_many(sql, [check.asset.as_str(), &check.name], |row| row.get(0))?;
            Ok(ordinals.into_iter().map(i64::cast_unsigned).collect())
        })
        .await
    }
}
