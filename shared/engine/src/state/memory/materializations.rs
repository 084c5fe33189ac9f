//! Materializations in memory.

use std::ops::Bound;

use async_trait::async_trait;
use precip_core::{key::AssetKey, partitions::PartitionKey};

use super::{
    MemoryStore,
    tables::{PartitionRow, Tables, place},
};
use crate::{
    run_id::RunId,
    state::{
        AttemptStart, Event, EventKey, Failure, FailureRecorded, Finished, Latest, Materialization,
        MaterializationStore, OrdinalOf, Page, PageRequest, PartitionRef, PartitionStatuses,
        ReadConsistency, Sequence, StateResult, Updates, record_json,
        rules::{self, Version},
    },
};

impl PartitionRow {
    fn published(&self) -> Option<Version> {
        self.materialization
            .as_ref()
            .map(|(made, _)| (made.run, made.attempt))
    }

    fn failed(&self) -> Option<Version> {
        self.failure
            .as_ref()
            .map(|failure| (failure.run, failure.attempt))
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

    fn latest(&self) -> Option<Latest> {
        (self.materialization.is_some() || self.failure.is_some()).then(|| Latest {
            materialization: self.materialization.clone(),
            failure: self.failure.clone(),
        })
    }
}

impl Tables {
    fn start(&mut self, start: AttemptStart) {
        let over = self
            .runs
            .get(&start.run)
            .is_some_and(|row| row.run.status.is_finished());
        let row = self.partition_mut(&start.target);
        let done = row
            .published()
            .is_some_and(|published| published >= (start.run, start.attempt));
        if !over && !done {
            let attempt = row.attempts.entry(start.run).or_default();
            *attempt = start.attempt.max(*attempt);
        }
        self.log(Event::Started(start));
    }

    fn finish(&mut self, made: Materialization) -> Finished {
        let next = Sequence(self.sequence + 1);
        let row = self.partition_mut(&made.target);
        row.end_attempt(made.run, made.attempt);
        let published = row.published();
        let outcome = rules::finish_outcome(published, &made);
        if outcome != Finished::Committed {
            return outcome;
        }
        if row
            .failed()
            .is_some_and(|failed| rules::clears_failure(failed, &made))
        {
            row.failure = None;
        }
        let sequence = match &row.materialization {
            Some((_, sequence)) if rules::is_repeat(published, &made) => *sequence,
            _ => next,
        };
        row.materialization = Some((made.clone(), sequence));
        self.sequence = self.sequence.max(sequence.0);
        if let Some(run) = self.runs.get_mut(&made.run) {
            run.failures.remove(&place(&made.target));
            run.succeeded += u64::from(published.is_none_or(|(run, _)| run != made.run));
        }
        for check in &made.checks {
            self.record_check(check.clone());
        }
        self.log(Event::Materialized(Box::new(made)));
        outcome
    }

    fn fail(&mut self, failure: Failure) -> FailureRecorded {
        let row = self.partition_mut(&failure.target);
        if !failure.will_retry {
            row.end_attempt(failure.run, failure.attempt);
        }
        let outcome = rules::fail_outcome(row.published(), &failure);
        if outcome != FailureRecorded::Recorded {
            return outcome;
        }
        if rules::marks_failed(row.published(), row.failed(), &failure) {
            row.failure = Some(failure.clone());
        }
        if let Some(run) = self.runs.get_mut(&failure.run)
            && !failure.will_retry
        {
            run.failures.insert(place(&failure.target), failure.clone());
        }
        self.log(Event::Failed(failure));
        outcome
    }
}

#[async_trait]
impl MaterializationStore for MemoryStore {
    async fn start(&self, attempts: Vec<AttemptStart>) -> StateResult<()> {
        let mut tables = self.tables();
        attempts.into_iter().for_each(|start| tables.start(start));
        Ok(())
    }

    async fn finish(&self, made: Vec<Materialization>) -> StateResult<Vec<Finished>> {
        for made in &made {
            record_json(made, || made.target.to_string())?;
        }
        let mut tables = self.tables();
        Ok(made.into_iter().map(|made| tables.finish(made)).collect())
    }

    async fn fail(&self, failures: Vec<Failure>) -> StateResult<Vec<FailureRecorded>> {
        let mut tables = self.tables();
        Ok(failures
            .into_iter()
            .map(|failure| tables.fail(failure))
            .collect())
    }

    async fn latest(
        &self,
        target: &PartitionRef,
        _: ReadConsistency,
    ) -> StateResult<Option<Latest>> {
        Ok(self
            .tables()
            .partition(target)
            .and_then(PartitionRow::latest))
    }

    async fn latest_many(
        &self,
        targets: &[PartitionRef],
        _: ReadConsistency,
    ) -> StateResult<Vec<Option<Latest>>> {
        let tables = self.tables();
        let latest = |target| tables.partition(target).and_then(PartitionRow::latest);
        Ok(targets.iter().map(latest).collect())
    }

    async fn latest_all(
        &self,
        asset: &AssetKey,
        page: &PageRequest,
    ) -> StateResult<Page<(PartitionRef, Latest)>> {
        let start = page.place::<Option<PartitionKey>>()?;
        let start = start.map_or(Bound::Unbounded, Bound::Excluded);
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
                Some((target, row.latest()?))
            })
            .take(page.look_for())
            .collect();
        Ok(Page::cut(
            found,
            page,
            |(target, _): &(PartitionRef, Latest)| target.partition.clone(),
        ))
    }

    async fn statuses(&self, asset: &AssetKey) -> StateResult<PartitionStatuses> {
        let tables = self.tables();
        Ok(PartitionStatuses {
            materialized: tables.ordinals(asset, |row| row.materialization.is_some()),
            failed: tables.ordinals(asset, |row| row.failure.is_some()),
            in_progress: tables.ordinals(asset, |row| !row.attempts.is_empty()),
        })
    }

    async fn updates(&self, asset: &AssetKey, after: Sequence) -> StateResult<Updates> {
        let tables = self.tables();
        let newer = |row: &PartitionRow| {
            let sequence = row.materialization.as_ref().map(|(_, sequence)| *sequence);
            sequence.filter(|sequence| *sequence > after)
        };
        let rows = tables.assets.get(asset).into_iter();
        Ok(Updates {
            partitions: tables.ordinals(asset, |row| newer(row).is_some()),
            until: rows
                .flat_map(|asset| asset.partitions.values())
                .filter_map(newer)
                .max()
                .unwrap_or(after),
        })
    }

    async fn events(&self, target: &PartitionRef, page: &PageRequest) -> StateResult<Page<Event>> {
        let end = page.place::<EventKey>()?;
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        let tables = self.tables();
        let events = tables.events.get(&place(target)).into_iter();
        let found = events
            .flat_map(|events| events.range((Bound::Unbounded, end.clone())).rev())
            .take(page.look_for())
            .map(|(_, event)| event.clone())
            .collect();
        Ok(Page::cut(found, page, Event::key))
    }

    async fn wipe(&self, targets: &[PartitionRef]) -> StateResult<()> {
        let mut tables = self.tables();
        for target in targets {
            let row = tables.partition_mut(target);
            row.materialization = None;
            row.failure = None;
        }
        Ok(())
    }

    async fn layout(&self, asset: &AssetKey) -> StateResult<Option<String>> {
        let tables = self.tables();
        Ok(tables
            .assets
            .get(asset)
            .and_then(|asset| asset.layout.clone()))
    }

    async fn renumber(
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
        for (partition, row) in &mut asset.partitions {
            row.ordinal = ordinal(partition.as_ref());
        }
        asset.layout = Some(layout.to_owned());
        Ok(())
    }
}
