//! Runs in SQLite.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{key::AssetKey, partitions::PartitionKey};
use precip_engine::{
    run_id::RunId,
    state::{
        CheckEvaluation, CreatedRun, FailedAttempt, NewRun, OwnerId, Page, PageRequest,
        PartitionRef, PlanSummary, Run, RunChange, RunChanged, RunFilter, RunKey, RunProgress,
        RunStatus, RunStore, SkippedAttempt, StateError, StateResult, UntriedPartitions,
        count_untried, record_json,
    },
};
use rusqlite::{params, params_from_iter, types::Value};
use serde::de::DeserializeOwned;

use super::{
    SqliteStore,
    codec::{PartitionColumn, RunColumn, set_from_json, set_to_json, to_micros},
    read::Read,
    write::Write,
};

impl Read<'_> {
    fn find_run(&self, run: RunId) -> Result<Option<Run>, StateError> {
        let sql = "SELECT record FROM runs WHERE id = ?1";
        let json: Option<String> = self.query_one(sql, [RunColumn(run)], |row| row.get(0))?;
        json.map(|json| self.decode_record(&format!("run {run}"), &json))
            .transpose()
    }

    fn find_run_of_key(&self, key: &RunKey) -> Result<Option<Run>, StateError> {
        let sql = "SELECT record FROM runs WHERE key = ?1";
        let json: Option<String> = self.query_one(sql, [key.as_str()], |row| row.get(0))?;
        json.map(|json| self.decode_record(&format!("the run of key {key}"), &json))
            .transpose()
    }

    fn list_untried(&self, run: RunId) -> Result<Vec<UntriedPartitions>, StateError> {
        let sql = "SELECT asset, reason, partitions FROM skipped WHERE run = ?1";
        let rows: Vec<(String, String, String)> =
            self.query_many(sql, [RunColumn(run)], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let what = "a record of untried partitions";
        let read = |(asset, reason, partitions): (String, String, String)| {
            Ok(UntriedPartitions {
                asset: self
                    .decode_record::<AssetKey>(what, &serde_json::json!(asset).to_string())?,
                partitions: set_from_json(&partitions)
                    .map_err(|error| self.errors.unreadable_record(what, error))?,
                reason: self.decode_record(what, &reason)?,
            })
        };
        rows.into_iter().map(read).collect()
    }
}

impl Write<'_> {
    pub(super) fn create_run(&mut self, new: NewRun) -> Result<CreatedRun, StateError> {
        // The key decides before the id: a request that is repeated with a new id finds its run.
        let of_key = match &new.key {
            Some(key) => self.find_run_of_key(key)?,
            None => None,
        };
        let known = match of_key {
            Some(run) => Some(run),
            None => self.find_run(new.id)?,
        };
        if let Some(run) = known {
            return Ok(CreatedRun::Existing(Box::new(run)));
        }
        let run = new.into_run();
        let json = run_json(&run)?;
        self.execute_change(
            "INSERT INTO runs (id, key, status, created_at, record) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                RunColumn(run.id),
                run.key.as_ref().map(RunKey::as_str),
                run.status.as_str(),
                to_micros(run.created_at),
                json
            ],
        )?;
        Ok(CreatedRun::New(Box::new(run)))
    }

    /// Reads a run, applies a change, and stores the run if it differs.
    fn update_run<T>(
        &mut self,
        id: RunId,
        change: impl FnOnce(&mut Run) -> T,
    ) -> Result<T, StateError> {
        let mut run = self
            .find_run(id)?
            .ok_or_else(|| StateError::unknown_run(id))?;
        let before = run.clone();
        let answer = change(&mut run);
        if run != before {
            self.execute_change(
                "UPDATE runs SET status = ?2, record = ?3 WHERE id = ?1",
                params![RunColumn(id), run.status.as_str(), run_json(&run)?],
            )?;
        }
        Ok(answer)
    }

    pub(super) fn is_run_finished(&self, run: RunId) -> Result<bool, StateError> {
        let status: Option<String> = self.query_one(
            "SELECT status FROM runs WHERE id = ?1",
            [RunColumn(run)],
            |row| row.get(0),
        )?;
        let finished = |status: &String| {
            let mut all = RunStatus::ALL.iter();
            all.any(|known| known.is_finished() && known.as_str() == status)
        };
        Ok(status.as_ref().is_some_and(finished))
    }
}

fn run_json(run: &Run) -> Result<String, StateError> {
    record_json(run, || format!("run {}", run.id))
}

#[async_trait]
impl RunStore for SqliteStore {
    async fn create_run(&self, run: NewRun) -> StateResult<CreatedRun> {
        self.run_write(|write| write.create_run(run)).await
    }

    async fn find_run(&self, run: RunId) -> StateResult<Option<Run>> {
        self.run_read(move |read| read.find_run(run)).await
    }

    async fn find_run_by_key(&self, key: &RunKey) -> StateResult<Option<Run>> {
        let key = key.clone();
        self.run_read(move |read| read.find_run_of_key(&key)).await
    }

    async fn list_runs(&self, filter: &RunFilter, page: &PageRequest) -> StateResult<Page<Run>> {
        let before = page.start_position::<RunId>()?;
        let (filter, page) = (filter.clone(), page.clone());
        self.run_read(move |read| {
            let mut sql = "SELECT record FROM runs WHERE created_at >= ?".to_owned();
            let since = filter.since.map_or(i64::MIN, to_micros);
            let mut values = vec![Value::Integer(since)];
            if let Some(before) = before {
                sql.push_str(" AND id < ?");
                values.push(Value::Blob(before.as_ulid().to_bytes().to_vec()));
            }
            if !filter.statuses.is_empty() {
                let placeholders = vec!["?"; filter.statuses.len()].join(", ");
                sql.push_str(&format!(" AND status IN ({placeholders})"));
                let statuses = filter.statuses.iter();
                values.extend(statuses.map(|status| Value::Text(status.to_string())));
            }
            // Other parts of the filter are in the record: rows are read until a page is full.
            sql.push_str(" ORDER BY id DESC");
            let mut statement = read.prepare_statement(&sql)?;
            let mut rows = read
                .errors
                .map_result(statement.query(params_from_iter(values)))?;
            let mut found = Vec::new();
            while found.len() < page.fetch_limit() {
                let Some(row) = read.errors.map_result(rows.next())? else {
                    break;
                };
                let json: String = read.errors.map_result(row.get(0))?;
                let run: Run = read.decode_record("a run", &json)?;
                if filter.matches_run(&run) {
                    found.push(run);
                }
            }
            Ok(Page::from_overfetch(found, &page, |run| run.id))
        })
        .await
    }

    async fn newest_run(&self) -> StateResult<Option<RunId>> {
        self.run_read(|read| {
            let newest = read.query_one("SELECT max(id) FROM runs", [], |row| {
                row.get::<_, Option<RunColumn>>(0)
            })?;
            Ok(newest.flatten().map(|newest| newest.0))
        })
        .await
    }

    async fn set_run_plan(&self, run: RunId, plan: PlanSummary) -> StateResult<()> {
        self.run_write(move |write| write.update_run(run, |run| run.plan = Some(plan)))
            .await
    }

    async fn change_run(&self, run: RunId, change: RunChange) -> StateResult<RunChanged> {
        self.run_write(move |write| {
            let to = change.to;
            let changed = write.update_run(run, |run| {
                if !change.applies_to(run.status) {
                    return RunChanged::Refused(Box::new(run.clone()));
                }
                run.apply_change(&change);
                RunChanged::Changed(Box::new(run.clone()))
            })?;
            if changed.is_changed() && to.is_finished() {
                // No attempt of an ended run is in progress.
                write.execute_change("DELETE FROM attempts WHERE run = ?1", [RunColumn(run)])?;
            }
            Ok(changed)
        })
        .await
    }

    async fn claim_run(
        &self,
        run: RunId,
        owner: OwnerId,
        now: DateTime<Utc>,
        stale_before: DateTime<Utc>,
    ) -> StateResult<RunChanged> {
        self.run_write(move |write| {
            write.update_run(run, |run| run.claim_ownership(owner, now, stale_before))
        })
        .await
    }

    async fn record_heartbeat(
        &self,
        run: RunId,
        owner: &OwnerId,
        now: DateTime<Utc>,
    ) -> StateResult<RunChanged> {
        let owner = owner.clone();
        self.run_write(move |write| write.update_run(run, |run| run.record_heartbeat(&owner, now)))
            .await
    }

    async fn record_untried(&self, run: RunId, untried: Vec<UntriedPartitions>) -> StateResult<()> {
        self.run_write(move |write| {
            if write.find_run(run)?.is_none() {
                // Skips belong to a recorded run: an unknown id is a mistake of the caller.
                return Err(StateError::unknown_run(run));
            }
            for other in untried {
                let asset = other.asset.to_string();
                let reason = record_json(&other.reason, || {
                    "the reason of untried partitions".to_owned()
                })?;
                let key = params![RunColumn(run), asset, reason];
                let sql = "SELECT partitions FROM skipped
                           WHERE run = ?1 AND asset = ?2 AND reason = ?3";
                let known: Option<String> = write.query_one(sql, key, |row| row.get(0))?;
                let mut partitions = other.partitions;
                if let Some(known) = known {
                    partitions |= &set_from_json(&known).map_err(|error| {
                        write.errors.unreadable_record("a set of partitions", error)
                    })?;
                }
                write.execute_change(
                    "INSERT OR REPLACE INTO skipped (run, asset, reason, partitions)
                     VALUES (?1, ?2, ?3, ?4)",
                    params![RunColumn(run), asset, reason, set_to_json(&partitions)],
                )?;
            }
            Ok(())
        })
        .await
    }

    async fn run_untried(&self, run: RunId) -> StateResult<Vec<UntriedPartitions>> {
        self.run_read(move |read| {
            let mut untried = read.list_untried(run)?;
            untried.sort_by(|a, b| (&a.asset, &a.reason).cmp(&(&b.asset, &b.reason)));
            Ok(untried)
        })
        .await
    }

    async fn run_failures(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<FailedAttempt>> {
        self.list_unpublished(run, false, page, |failure: &FailedAttempt| &failure.target)
            .await
    }

    async fn run_skipped_attempts(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<SkippedAttempt>> {
        self.list_unpublished(run, true, page, |skip: &SkippedAttempt| &skip.target)
            .await
    }

    async fn run_failed_checks(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>> {
        let place = page.start_position::<(AssetKey, Option<PartitionKey>, String)>()?;
        let page = page.clone();
        self.run_read(move |read| {
            let (asset, partition, name) = match place {
                Some((asset, partition, name)) => {
                    (asset.to_string(), Some(PartitionColumn(partition)), name)
                }
                None => (String::new(), None, String::new()),
            };
            let sql = "SELECT record FROM gates WHERE run = ?1 AND record IS NOT NULL
                       AND (asset, typeof(partition) = 'text', partition, name)
                           > (?2, typeof(?3) = 'text', coalesce(?3, ''), ?4)
                       ORDER BY asset, typeof(partition) = 'text', partition, name LIMIT ?5";
            let limit = i64::try_from(page.fetch_limit()).unwrap_or(i64::MAX);
            let rows: Vec<String> = read.query_many(
                sql,
                params![RunColumn(run), asset, partition, name, limit],
                |row| row.get(0),
            )?;
            let found = rows
                .iter()
                .map(|json| read.decode_record::<CheckEvaluation>("an evaluation", json))
                .collect::<Result<_, _>>()?;
            Ok(Page::from_overfetch(found, &page, |found| {
                (
                    found.target.asset.clone(),
                    found.target.partition.clone(),
                    found.check.name.clone(),
                )
            }))
        })
        .await
    }

    async fn run_progress(&self, run: RunId) -> StateResult<RunProgress> {
        self.run_read(move |read| {
            let count = |sql: &str| -> Result<u64, StateError> {
                let count: Option<i64> = read.query_one(sql, [RunColumn(run)], |row| row.get(0))?;
                Ok(count.unwrap_or_default().cast_unsigned())
            };
            let (untried, held_back) = count_untried(&read.list_untried(run)?);
            let skips = count("SELECT count(*) FROM failures WHERE run = ?1 AND skipped = 1")?;
            Ok(RunProgress {
                succeeded: count("SELECT succeeded FROM runs WHERE id = ?1")?,
                failed: count("SELECT count(*) FROM failures WHERE run = ?1 AND skipped = 0")?,
                skipped: skips + untried,
                held_back,
            })
        })
        .await
    }
}

impl SqliteStore {
    /// Lists the attempts of a run that published nothing: the failed or the skipped ones.
    async fn list_unpublished<T: DeserializeOwned + Send + 'static>(
        &self,
        run: RunId,
        skipped: bool,
        page: &PageRequest,
        target: fn(&T) -> &PartitionRef,
    ) -> StateResult<Page<T>> {
        let place = page.start_position::<(AssetKey, Option<PartitionKey>)>()?;
        let page = page.clone();
        self.run_read(move |read| {
            let (asset, partition) = match place {
                Some((asset, partition)) => (asset.to_string(), Some(PartitionColumn(partition))),
                None => (String::new(), None),
            };
            // An unpartitioned asset sorts before every key in the list; SQLite sorts its blob last.
            let sql = "SELECT record FROM failures WHERE run = ?1 AND skipped = ?5
                       AND (asset, typeof(partition) = 'text', partition)
                           > (?2, typeof(?3) = 'text', coalesce(?3, ''))
                       ORDER BY asset, typeof(partition) = 'text', partition LIMIT ?4";
            let limit = i64::try_from(page.fetch_limit()).unwrap_or(i64::MAX);
            let rows: Vec<String> = read.query_many(
                sql,
                params![RunColumn(run), asset, partition, limit, skipped],
                |row| row.get(0),
            )?;
            let found = rows
                .iter()
                .map(|json| read.decode_record::<T>("an attempt", json))
                .collect::<Result<_, _>>()?;
            Ok(Page::from_overfetch(found, &page, |found| {
                let target = target(found);
                (target.asset.clone(), target.partition.clone())
            }))
        })
        .await
    }
}
