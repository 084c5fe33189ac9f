//! Runs in memory.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    MemoryStore,
    tables::{RunRow, Tables, TargetKey},
};
use crate::{
    run_id::RunId,
    state::{
        CheckEvaluation, CreatedRun, FailedAttempt, NewRun, OwnerId, Page, PageRequest,
        PlanSummary, PublishedByRun, Run, RunChange, RunChanged, RunFilter, RunKey, RunProgress,
        RunStore, SkippedAttempt, StateResult, UnpublishedAttempt, UntriedPartitions,
        count_untried,
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
                    unpublished: BTreeMap::new(),
                    untried: BTreeMap::new(),
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

    async fn newest_run(&self) -> StateResult<Option<RunId>> {
        Ok(self.tables().runs.keys().next_back().copied())
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

    async fn record_untried(&self, run: RunId, skipped: Vec<UntriedPartitions>) -> StateResult<()> {
        let mut tables = self.tables();
        let row = tables.run_mut(run)?;
        for skip in skipped {
            *row.untried.entry((skip.asset, skip.reason)).or_default() |= &skip.partitions;
        }
        Ok(())
    }

    async fn run_untried(&self, run: RunId) -> StateResult<Vec<UntriedPartitions>> {
        let tables = self.tables();
        Ok(tables
            .runs
            .get(&run)
            .map(RunRow::untried_partitions)
            .unwrap_or_default())
    }

    async fn run_failures(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<FailedAttempt>> {
        self.list_unpublished(run, page, |attempt| match attempt {
            UnpublishedAttempt::Failed(failure) => Some(failure.clone()),
            UnpublishedAttempt::Skipped(_) => None,
        })
    }

    async fn run_skipped_attempts(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<SkippedAttempt>> {
        self.list_unpublished(run, page, |attempt| match attempt {
            UnpublishedAttempt::Skipped(skip) => Some(skip.clone()),
            UnpublishedAttempt::Failed(_) => None,
        })
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
        let (untried, held_back) = count_untried(&row.untried_partitions());
        let skips = row.unpublished.values();
        let skips = skips.filter(|attempt| matches!(attempt, UnpublishedAttempt::Skipped(_)));
        let skips = skips.count() as u64;
        Ok(RunProgress {
            succeeded: row.succeeded,
            failed: row.unpublished.len() as u64 - skips,
            skipped: skips + untried,
            held_back,
        })
    }
}

impl RunRow {
    fn untried_partitions(&self) -> Vec<UntriedPartitions> {
        let untried = self.untried.iter();
        untried
            .map(|((asset, reason), partitions)| UntriedPartitions {
                asset: asset.clone(),
                partitions: partitions.clone(),
                reason: reason.clone(),
            })
            .collect()
    }
}

impl MemoryStore {
    /// Lists those of a run's attempts that published nothing which `select` returns.
    fn list_unpublished<T>(
        &self,
        run: RunId,
        page: &PageRequest,
        select: impl Fn(&UnpublishedAttempt) -> Option<T>,
    ) -> StateResult<Page<T>> {
        let start = page.start_bound::<TargetKey>()?;
        let tables = self.tables();
        let row = tables.runs.get(&run).into_iter();
        let found = row
            .flat_map(|row| row.unpublished.range((start.clone(), Bound::Unbounded)))
            .filter_map(|(key, attempt)| Some((key.clone(), select(attempt)?)))
            .take(page.fetch_limit())
            .collect();
        let page = Page::from_overfetch(found, page, |(key, _): &(TargetKey, T)| key.clone());
        Ok(page.map(|(_, attempt)| attempt))
    }
}
