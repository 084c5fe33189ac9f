//! Runs in memory.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{key::AssetKey, partitions::PartitionSet};

use super::{
    MemoryStore,
    tables::{RunRow, Tables, TargetKey},
};
use crate::{
    run_id::RunId,
    state::{
        CheckEvaluation, CreatedRun, FailedAttempt, NewRun, OwnerId, Page, PageRequest,
        PlanSummary, PublishedByRun, Run, RunChange, RunChanged, RunFilter, RunKey, RunProgress,
        RunStore, SkippedPartitions, StateResult,
    },
};

impl Tables {
    pub(super) fn create_run(&mut self, new: NewRun) -> CreatedRun {
        // A known key wins over the new id.
        let known = new.key.as_ref().and_then(|key| self.run_keys.get(key));
        let id = known.copied().unwrap_or(new.id);
        match self.runs.entry(id) {
            Entry::Occupied(row) => CreatedRun::Existing(Box::new(row.get().run.clone())),
            Entry::Vacant(row) => {
                if let Some(key) = &new.key {
                    self.run_keys.insert(key.clone(), new.id);
                }
                let run = new.into_run();
                row.insert(RunRow {
                    run: run.clone(),
                    succeeded: 0,
                    failures: BTreeMap::new(),
                    skipped: BTreeMap::new(),
                });
                CreatedRun::New(Box::new(run))
            }
        }
    }
}

#[async_trait]
impl RunStore for MemoryStore {
    async fn create_run(&self, run: NewRun) -> StateResult<CreatedRun> {
        Ok(self.tables().create_run(run))
    }

    async fn find_run(&self, run: RunId) -> StateResult<Option<Run>> {
        Ok(self.tables().runs.get(&run).map(|row| row.run.clone()))
    }

    async fn find_run_by_key(&self, key: &RunKey) -> StateResult<Option<Run>> {
        let tables = self.tables();
        let row = tables
            .run_keys
            .get(key)
            .and_then(|run| tables.runs.get(run));
        Ok(row.map(|row| row.run.clone()))
    }

    async fn list_runs(&self, filter: &RunFilter, page: &PageRequest) -> StateResult<Page<Run>> {
        let end = page.start_bound()?;
        let tables = self.tables();
        let found = tables
            .runs
            .range((Bound::<RunId>::Unbounded, end))
            .rev()
            .map(|(_, row)| &row.run)
            .filter(|run| filter.matches_run(run))
            .take(page.fetch_limit())
            .cloned()
            .collect();
        Ok(Page::from_overfetch(found, page, |run| run.id))
    }

    async fn set_run_plan(&self, run: RunId, plan: PlanSummary) -> StateResult<()> {
        self.tables().run_mut(run)?.run.plan = Some(plan);
        Ok(())
    }

    async fn change_run(&self, run: RunId, change: RunChange) -> StateResult<RunChanged> {
        let mut tables = self.tables();
        let row = tables.run_mut(run)?;
        if !change.applies_to(row.run.status) {
            return Ok(RunChanged::Refused(Box::new(row.run.clone())));
        }
        row.run.apply_change(&change);
        let changed = RunChanged::Changed(Box::new(row.run.clone()));
        // Late attempts of an ended run must not stay in progress.
        if change.to.is_finished() {
            tables.end_attempts(run);
        }
        Ok(changed)
    }

    async fn claim_run(
        &self,
        run: RunId,
        owner: OwnerId,
        now: DateTime<Utc>,
        stale_before: DateTime<Utc>,
    ) -> StateResult<RunChanged> {
        let mut tables = self.tables();
        Ok(tables
            .run_mut(run)?
            .run
            .claim_ownership(owner, now, stale_before))
    }

    async fn record_heartbeat(
        &self,
        run: RunId,
        owner: &OwnerId,
        now: DateTime<Utc>,
    ) -> StateResult<RunChanged> {
        Ok(self.tables().run_mut(run)?.run.record_heartbeat(owner, now))
    }

    async fn record_skips(&self, run: RunId, skipped: Vec<SkippedPartitions>) -> StateResult<()> {
        let mut tables = self.tables();
        let row = tables.run_mut(run)?;
        for skip in skipped {
            *row.skipped.entry((skip.asset, skip.reason)).or_default() |= &skip.partitions;
        }
        Ok(())
    }

    async fn run_skips(&self, run: RunId) -> StateResult<Vec<SkippedPartitions>> {
        let tables = self.tables();
        let row = tables.runs.get(&run).into_iter();
        let skipped = row.flat_map(|row| &row.skipped);
        Ok(skipped
            .map(|((asset, reason), partitions)| SkippedPartitions {
                asset: asset.clone(),
                partitions: partitions.clone(),
                reason: reason.clone(),
            })
            .collect())
    }

    async fn run_failures(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<FailedAttempt>> {
        let start = page.start_bound::<TargetKey>()?;
        let tables = self.tables();
        let row = tables.runs.get(&run).into_iter();
        let found = row
            .flat_map(|row| row.failures.range((start.clone(), Bound::Unbounded)))
            .take(page.fetch_limit())
            .map(|(_, failure)| failure.clone())
            .collect();
        Ok(Page::from_overfetch(
            found,
            page,
            |failure: &FailedAttempt| super::tables::target_key(&failure.target),
        ))
    }

    async fn run_failed_checks(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>> {
        let start = page.start_bound::<(TargetKey, String)>()?;
        let tables = self.tables();
        let run_checks = tables.run_checks.get(&run).into_iter();
        let found = run_checks
            .flat_map(|run_checks| run_checks.range((start.clone(), Bound::Unbounded)))
            .filter(|(_, found)| found.fails_run())
            .take(page.fetch_limit())
            .map(|(_, found)| found.clone())
            .collect();
        Ok(Page::from_overfetch(
            found,
            page,
            |found: &CheckEvaluation| {
                (
                    super::tables::target_key(&found.target),
                    found.check.name.clone(),
                )
            },
        ))
    }

    async fn published_by(&self, run: RunId) -> StateResult<PublishedByRun> {
        let tables = self.tables();
        let mut made = PublishedByRun::default();
        for (asset, row) in &tables.assets {
            for partition in row.partitions.values() {
                let Some(ordinal) = partition.ordinal else {
                    continue;
                };
                let published = partition.materialization.as_ref();
                if published.is_some_and(|(published, _)| published.run == run) {
                    made.assets
                        .entry(asset.clone())
                        .or_default()
                        .insert(ordinal);
                }
                let checks = partition.checks.values().filter(|found| found.run == run);
                for found in checks {
                    let of_check = made.checks.entry(found.check.clone()).or_default();
                    of_check.insert(ordinal);
                }
            }
        }
        Ok(made)
    }

    async fn run_progress(&self, run: RunId) -> StateResult<RunProgress> {
        let tables = self.tables();
        let Some(row) = tables.runs.get(&run) else {
            return Ok(RunProgress::default());
        };
        // A partition held back for two reasons counts once.
        let mut skipped: BTreeMap<&AssetKey, PartitionSet> = BTreeMap::new();
        for ((asset, _), partitions) in &row.skipped {
            *skipped.entry(asset).or_default() |= partitions;
        }
        Ok(RunProgress {
            succeeded: row.succeeded,
            failed: row.failures.len() as u64,
            skipped: skipped.values().map(PartitionSet::len).sum(),
        })
    }
}
