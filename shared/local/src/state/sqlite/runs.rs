//! Runs in SQLite.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{
    key::AssetKey,
    partitions::{PartitionKey, PartitionSet},
};
use precip_engine::{
    run_id::RunId,
    state::{
        CheckEvaluation, CreatedRun, Failure, NewRun, OwnerId, Page, PageRequest, PlanSummary, Run,
        RunChange, RunChanged, RunFilter, RunKey, RunProgress, RunStatus, RunStore, Skipped,
        StateError, StateResult, record_json,
    },
};
use rusqlite::{params, params_from_iter, types::Value};

use super::{
    SqliteStore,
    codec::{PartitionColumn, RunColumn, micros, set_from_json, set_to_json},
    read::Read,
    write::Write,
};

impl Read<'_> {
    fn find_run(&self, run: RunId) -> Result<Option<Run>, StateError> {
        let sql = "SELECT record FROM runs WHERE id = ?1";
        let json: Option<String> = self.one(sql, [RunColumn(run)], |row| row.get(0))?;
        json.map(|json| self.record(&format!("run {run}"), &json))
            .transpose()
    }

    fn find_run_of_key(&self, key: &RunKey) -> Result<Option<Run>, StateError> {
        let sql = "SELECT record FROM runs WHERE key = ?1";
        let json: Option<String> = self.one(sql, [key.as_str()], |row| row.get(0))?;
        json.map(|json| self.record(&format!("the run of key {key}"), &json))
            .transpose()
    }

    fn list_skipped(&self, run: RunId) -> Result<Vec<Skipped>, StateError> {
        let sql = "SELECT asset, reason, partitions FROM skipped WHERE run = ?1";
        let rows: Vec<(String, String, String)> = self.many(sql, [RunColumn(run)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        let what = "a record of skipped partitions";
        let read = |(asset, reason, partitions): (String, String, String)| {
            Ok(Skipped {
                asset: self.record::<AssetKey>(what, &serde_json::json!(asset).to_string())?,
                partitions: set_from_json(&partitions)
                    .map_err(|error| self.blame.unreadable(what, error))?,
                reason: self.record(what, &reason)?,
            })
        };
        rows.into_iter().map(read).collect()
    }
}

impl Write<'_> {
    pub(super) fn create_run(&mut self, new: NewRun) -> Result<CreatedRun, StateError> {
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
        self.change(
            "INSERT INTO runs (id, key, status, created_at, record) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                RunColumn(run.id),
                run.key.as_ref().map(RunKey::as_str),
                run.status.as_str(),
                micros(run.created_at),
                json
            ],
        )?;
        Ok(CreatedRun::New(Box::new(run)))
    }

    /// Reads a run, lets it be changed, and stores it if it was.
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
            self.change(
                "UPDATE runs SET status = ?2, record = ?3 WHERE id = ?1",
                params![RunColumn(id), run.status.as_str(), run_json(&run)?],
            )?;
        }
        Ok(answer)
    }

    pub(super) fn is_run_finished(&self, run: RunId) -> Result<bool, StateError> {
        let status: Option<String> = self.one(
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
        self.write(|write| write.create_run(run)).await
    }

    async fn run(&self, run: RunId) -> StateResult<Option<Run>> {
        self.read(move |read| read.find_run(run)).await
    }

    async fn run_of_key(&self, key: &RunKey) -> StateResult<Option<Run>> {
        let key = key.clone();
        self.read(move |read| read.find_run_of_key(&key)).await
    }

    async fn runs(&self, filter: &RunFilter, page: &PageRequest) -> StateResult<Page<Run>> {
        let before = page.place::<RunId>()?;
        let (filter, page) = (filter.clone(), page.clone());
        self.read(move |read| {
            let mut sql = "SELECT record FROM runs WHERE created_at >= ?".to_owned();
            let since = filter.since.map_or(i64::MIN, micros);
            let mut values = vec![Value::Integer(since)];
            if let Some(before) = before {
                sql.push_str(" AND id < ?");
                values.push(Value::Blob(before.as_ulid().to_bytes().to_vec()));
            }
            if !filter.statuses.is_empty() {
                let marks = vec!["?"; filter.statuses.len()].join(", ");
                sql.push_str(&format!(" AND status IN ({marks})"));
                let statuses = filter.statuses.iter();
                values.extend(statuses.map(|status| Value::Text(status.to_string())));
            }
            sql.push_str(" ORDER BY id DESC");
            let mut statement = read.statement(&sql)?;
            let mut rows = read.blame.of(statement.query(params_from_iter(values)))?;
            let mut found = Vec::new();
            while found.len() < page.look_for() {
                let Some(row) = read.blame.of(rows.next())? else {
                    break;
                };
                let json: String = read.blame.of(row.get(0))?;
                let run: Run = read.record("a run", &json)?;
                if filter.matches(&run) {
                    found.push(run);
                }
            }
            Ok(Page::cut(found, &page, |run| run.id))
        })
        .await
    }

    async fn set_plan(&self, run: RunId, plan: PlanSummary) -> StateResult<()> {
        self.write(move |write| write.update_run(run, |run| run.plan = Some(plan)))
            .await
    }

    async fn change_run(&self, run: RunId, change: RunChange) -> StateResult<RunChanged> {
        self.write(move |write| {
            let to = change.to;
            let changed = write.update_run(run, |run| {
                if !change.applies_to(run.status) {
                    return RunChanged::Refused(Box::new(run.clone()));
                }
                run.apply(&change);
                RunChanged::Changed(Box::new(run.clone()))
            })?;
            if changed.is_changed() && to.is_finished() {
                write.change("DELETE FROM attempts WHERE run = ?1", [RunColumn(run)])?;
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
        self.write(move |write| write.update_run(run, |run| run.claim(owner, now, stale_before)))
            .await
    }

    async fn heartbeat(
        &self,
        run: RunId,
        owner: &OwnerId,
        now: DateTime<Utc>,
    ) -> StateResult<RunChanged> {
        let owner = owner.clone();
        self.write(move |write| write.update_run(run, |run| run.beat(&owner, now)))
            .await
    }

    async fn skip(&self, run: RunId, skipped: Vec<Skipped>) -> StateResult<()> {
        self.write(move |write| {
            if write.find_run(run)?.is_none() {
                return Err(StateError::unknown_run(run));
            }
            for skip in skipped {
                let asset = skip.asset.to_string();
                let reason = record_json(&skip.reason, || "why it was skipped".to_owned())?;
                let place = params![RunColumn(run), asset, reason];
                let sql = "SELECT partitions FROM skipped
                           WHERE run = ?1 AND asset = ?2 AND reason = ?3";
                let known: Option<String> = write.one(sql, place, |row| row.get(0))?;
                let mut partitions = skip.partitions;
                if let Some(known) = known {
                    partitions |= &set_from_json(&known)
                        .map_err(|error| write.blame.unreadable("a set", error))?;
                }
                write.change(
                    "INSERT OR REPLACE INTO skipped (run, asset, reason, partitions)
                     VALUES (?1, ?2, ?3, ?4)",
                    params![RunColumn(run), asset, reason, set_to_json(&partitions)],
                )?;
            }
            Ok(())
        })
        .await
    }

    async fn skipped(&self, run: RunId) -> StateResult<Vec<Skipped>> {
        self.read(move |read| {
            let mut skipped = read.list_skipped(run)?;
            skipped.sort_by(|a, b| (&a.asset, &a.reason).cmp(&(&b.asset, &b.reason)));
            Ok(skipped)
        })
        .await
    }

    async fn failures(&self, run: RunId, page: &PageRequest) -> StateResult<Page<Failure>> {
        let place = page.place::<(AssetKey, Option<PartitionKey>)>()?;
        let page = page.clone();
        self.read(move |read| {
            let (asset, partition) = match place {
                Some((asset, partition)) => (asset.to_string(), Some(PartitionColumn(partition))),
                None => (String::new(), None),
            };
            // No partition stands before every key for the reader, and behind it for SQLite.
            let sql = "SELECT record FROM failures WHERE run = ?1
                       AND (asset, typeof(partition) = 'text', partition)
                           > (?2, typeof(?3) = 'text', coalesce(?3, ''))
                       ORDER BY asset, typeof(partition) = 'text', partition LIMIT ?4";
            let limit = i64::try_from(page.look_for()).unwrap_or(i64::MAX);
            let rows: Vec<String> = read.many(
                sql,
                params![RunColumn(run), asset, partition, limit],
                |row| row.get(0),
            )?;
            let found = rows
                .iter()
                .map(|json| read.record::<Failure>("a failure", json))
                .collect::<Result<_, _>>()?;
            Ok(Page::cut(found, &page, |failure| {
                (
                    failure.target.asset.clone(),
                    failure.target.partition.clone(),
                )
            }))
        })
        .await
    }

    async fn failed_checks(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>> {
        let place = page.place::<(AssetKey, Option<PartitionKey>, String)>()?;
        let page = page.clone();
        self.read(move |read| {
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
            let limit = i64::try_from(page.look_for()).unwrap_or(i64::MAX);
            let rows: Vec<String> = read.many(
                sql,
                params![RunColumn(run), asset, partition, name, limit],
                |row| row.get(0),
            )?;
            let found = rows
                .iter()
                .map(|json| read.record::<CheckEvaluation>("an evaluation", json))
                .collect::<Result<_, _>>()?;
            Ok(Page::cut(found, &page, |found| {
                (
                    found.target.asset.clone(),
                    found.target.partition.clone(),
                    found.check.name.clone(),
                )
            }))
        })
        .await
    }

    async fn progress(&self, run: RunId) -> StateResult<RunProgress> {
        self.read(move |read| {
            let count = |sql: &str| -> Result<u64, StateError> {
                let count: Option<i64> = read.one(sql, [RunColumn(run)], |row| row.get(0))?;
                Ok(count.unwrap_or_default().cast_unsigned())
            };
            let mut skipped: std::collections::BTreeMap<_, PartitionSet> = Default::default();
            for skip in read.list_skipped(run)? {
                *skipped.entry(skip.asset).or_default() |= &skip.partitions;
            }
            Ok(RunProgress {
                succeeded: count("SELECT succeeded FROM runs WHERE id = ?1")?,
                failed: count("SELECT count(*) FROM failures WHERE run = ?1")?,
                skipped: skipped.values().map(PartitionSet::len).sum(),
            })
        })
        .await
    }
}
