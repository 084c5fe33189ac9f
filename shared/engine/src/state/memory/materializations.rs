//! Materializations in memory.

use std::ops::Bound;

use async_trait::async_trait;
use precip_core::{key::AssetKey, partitions::PartitionKey};

use super::{
    MemoryStore,
    tables::{PartitionRow, Tables, target_key},
};
use crate::{
    run_id::RunId,
    state::{
        AttemptStart, CommitOutcome, Event, EventKey, FailedAttempt, FailureOutcome, Latest,
        Materialization, MaterializationStore, OrdinalOf, Page, PageRequest, PartitionRef,
        PartitionStatuses, ReadConsistency, Sequence, SkippedAttempt, StateResult,
        UnpublishedAttempt, Updates, record_json,
        rules::{self, Version},
    },
};

impl PartitionRow {
    fn published_version(&self) -> Option<Version> {
        self.materialization
            .as_ref()
            .map(|(made, _)| (made.run, made.attempt))
    }

    fn unpublished_version(&self) -> Option<Version> {
        self.unpublished.as_ref().map(UnpublishedAttempt::version)
    }

    fn is_failed(&self) -> bool {
        matches!(self.unpublished, Some(UnpublishedAttempt::Failed(_)))
    }

    fn is_skipped(&self) -> bool {
        matches!(self.unpublished, Some(UnpublishedAttempt::Skipped(_)))
    }

    fn end_attempt(&mut self, run: RunId, attempt: u32) {
        if self
            .attempts
            .get(&run)
            .is_some_and(|begun| *begun <= attempt)
        {
            self.attempts.remove(&run);
        }
    }

    fn to_latest(&self) -> Option<Latest> {
        let latest = Latest {
            materialization: self.materialization.clone(),
            ..Latest::default()
        };
        let latest = latest.with_unpublished(self.unpublished.clone());
        (!latest.is_empty()).then_some(latest)
    }
}

impl Tables {
    fn record_attempt(&mut self, start: AttemptStart) {
        // A late start must not bring an ended run or a published partition back into progress.
        let over = self
            .runs
            .get(&start.run)
            .is_some_and(|row| row.run.status.is_finished());
        let row = self.partition_row_mut(&start.target);
        let done = row
            .published_version()
            .is_some_and(|published| published >= (start.run, start.attempt));
        if !over && !done {
            let attempt = row.attempts.entry(start.run).or_default();
            *attempt = start.attempt.max(*attempt);
        }
        self.log_event(Event::Started(start));
    }

    fn commit_materialization(&mut self, made: Materialization) -> CommitOutcome {
        let next = Sequence(self.sequence + 1);
        let row = self.partition_row_mut(&made.target);
        // A refused attempt has ended, too.
        row.end_attempt(made.run, made.attempt);
        let published = row.published_version();
        let outcome = rules::commit_outcome(published, &made);
        if outcome != CommitOutcome::Committed {
            return outcome;
        }
        if row
            .unpublished_version()
            .is_some_and(|version| rules::clears_unpublished(version, &made))
        {
            row.unpublished = None;
        }
        // A repeated commit keeps its sequence number, so downstream sees no update.
        let sequence = match &row.materialization {
            Some((_, sequence)) if rules::is_repeat(published, &made) => *sequence,
            _ => next,
        };
        row.materialization = Some((made.clone(), sequence));
        self.sequence = self.sequence.max(sequence.0);
        // A run counts a partition once, however often its attempts publish it.
        if let Some(run) = self.runs.get_mut(&made.run) {
            run.unpublished.remove(&target_key(&made.target));
            run.succeeded += u64::from(published.is_none_or(|(run, _)| run != made.run));
        }
        for check in &made.checks {
            self.record_check(check.clone());
        }
        self.log_event(Event::Materialized(Box::new(made)));
        outcome
    }

    fn record_unpublished(&mut self, attempt: UnpublishedAttempt) -> FailureOutcome {
        let version = attempt.version();
        let row = self.partition_row_mut(attempt.target());
        // An attempt that is retried leaves the partition in progress until the next one starts.
        if !attempt.will_retry() {
            row.end_attempt(version.0, version.1);
        }
        let outcome = rules::failure_outcome(row.published_version(), version);
        if outcome != FailureOutcome::Recorded {
            return outcome;
        }
        let (published, unpublished) = (row.published_version(), row.unpublished_version());
        if rules::marks_unpublished(published, unpublished, &attempt) {
            row.unpublished = Some(attempt.clone());
        }
        // The run lists what it gave up on, even where a newer run has published the partition.
        if let Some(run) = self.runs.get_mut(&version.0)
            && !attempt.will_retry()
        {
            let key = target_key(attempt.target());
            let known = run.unpublished.get(&key).map(UnpublishedAttempt::version);
            if known.is_none_or(|known| known <= version) {
                run.unpublished.insert(key, attempt.clone());
            }
        }
        self.log_event(attempt.to_event());
        outcome
    }
}

#[async_trait]
impl MaterializationStore for MemoryStore {
    async fn record_attempts(&self, attempts: Vec<AttemptStart>) -> StateResult<()> {
        let mut tables = self.tables();
        attempts
            .into_iter()
            .for_each(|start| tables.record_attempt(start));
        Ok(())
    }

    async fn commit_materializations(
        &self,
        made: Vec<Materialization>,
    ) -> StateResult<Vec<CommitOutcome>> {
        for made in &made {
            record_json(made, || made.target.to_string())?;
        }
        let mut tables = self.tables();
        Ok(made
            .into_iter()
            .map(|made| tables.commit_materialization(made))
            .collect())
    }

    async fn record_failures(
        &self,
        failures: Vec<FailedAttempt>,
    ) -> StateResult<Vec<FailureOutcome>> {
        let mut tables = self.tables();
        Ok(failures
            .into_iter()
            .map(|failure| tables.record_unpublished(failure.into()))
            .collect())
    }

    async fn record_skipped_attempts(
        &self,
        skipped: Vec<SkippedAttempt>,
    ) -> StateResult<Vec<FailureOutcome>> {
        let mut tables = self.tables();
        Ok(skipped
            .into_iter()
            .map(|skip| tables.record_unpublished(skip.into()))
            .collect())
    }

    async fn latest_materialization(
        &self,
        target: &PartitionRef,
        _: ReadConsistency,
    ) -> StateResult<Option<Latest>> {
        Ok(self
            .tables()
            .partition_row(target)
            .and_then(PartitionRow::to_latest))
    }

    async fn latest_materializations(
        &self,
        targets: &[PartitionRef],
        _: ReadConsistency,
    ) -> StateResult<Vec<Option<Latest>>> {
        let tables = self.tables();
        let latest = |target| {
            tables
                .partition_row(target)
                .and_then(PartitionRow::to_latest)
        };
        Ok(targets.iter().map(latest).collect())
    }

    async fn list_latest_materializations(
        &self,
        asset: &AssetKey,
        page: &PageRequest,
    ) -> StateResult<Page<(PartitionRef, Latest)>> {
        let start = page.start_bound::<Option<PartitionKey>>()?;
        let tables = self.tables();
        let rows = tables.assets.get(asset).into_iter();
        let found = rows
            .flat_map(|asset| asset.partitions.range((start.clone(), Bound::Unbounded)))
            .filter_map(|(partition, row)| {
                let target = PartitionRef {
                    asset: asset.clone(),
                    partition: partition.clone(),
                    ordinal: row.ordinal?,
                };
                Some((target, row.to_latest()?))
            })
            .take(page.fetch_limit())
            .collect();
        Ok(Page::from_overfetch(
            found,
            page,
            |(target, _): &(PartitionRef, Latest)| target.partition.clone(),
        ))
    }

    async fn partition_statuses(&self, asset: &AssetKey) -> StateResult<PartitionStatuses> {
        let tables = self.tables();
        Ok(PartitionStatuses {
            materialized: tables.ordinals_where(asset, |row| row.materialization.is_some()),
            failed: tables.ordinals_where(asset, PartitionRow::is_failed),
            skipped: tables.ordinals_where(asset, PartitionRow::is_skipped),
            in_progress: tables.ordinals_where(asset, |row| !row.attempts.is_empty()),
        })
    }

    async fn published_since(&self, asset: &AssetKey, after: Sequence) -> StateResult<Updates> {
        let tables = self.tables();
        let newer = |row: &PartitionRow| {
            let sequence = row.materialization.as_ref().map(|(_, sequence)| *sequence);
            sequence.filter(|sequence| *sequence > after)
        };
        let rows = tables.assets.get(asset).into_iter();
        Ok(Updates {
            partitions: tables.ordinals_where(asset, |row| newer(row).is_some()),
            until: rows
                .flat_map(|asset| asset.partitions.values())
                .filter_map(newer)
                .max()
                .unwrap_or(after),
        })
    }

    async fn partition_events(
        &self,
        target: &PartitionRef,
        page: &PageRequest,
    ) -> StateResult<Page<Event>> {
        let end = page.start_bound::<EventKey>()?;
        let tables = self.tables();
        let events = tables.events.get(&target_key(target)).into_iter();
        let found = events
            .flat_map(|events| events.range((Bound::Unbounded, end.clone())).rev())
            .take(page.fetch_limit())
            .map(|(_, event)| event.clone())
            .collect();
        Ok(Page::from_overfetch(found, page, Event::key))
    }

    async fn wipe_partitions(&self, targets: &[PartitionRef]) -> StateResult<()> {
        let mut tables = self.tables();
        for target in targets {
            let row = tables.partition_row_mut(target);
            // Attempts under way and evaluations of checks stay.
            row.materialization = None;
            row.unpublished = None;
        }
        Ok(())
    }

    async fn partition_layout(&self, asset: &AssetKey) -> StateResult<Option<String>> {
        let tables = self.tables();
        Ok(tables
            .assets
            .get(asset)
            .and_then(|asset| asset.layout.clone()))
    }

    async fn renumber_partitions(
        &self,
        asset: &AssetKey,
        layout: &str,
        ordinal: &OrdinalOf<'_>,
    ) -> StateResult<()> {
        let mut tables = self.tables();
        let asset = tables.assets.entry(asset.clone()).or_default();
        if asset.layout.as_deref() == Some(layout) {
            return Ok(());
        }
        // A row without an ordinal keeps its record and leaves the status sets.
        for (partition, row) in &mut asset.partitions {
            row.ordinal = ordinal(partition.as_ref());
        }
        asset.layout = Some(layout.to_owned());
        Ok(())
    }
}
