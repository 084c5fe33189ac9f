//! The list of runs, newest first: by the day of the run's id, spread over a few partition keys.

use std::sync::PoisonError;

use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt, stream};
use precip_engine::{
    run_id::RunId,
    state::{Page, PageRequest, ReadConsistency, Run, RunFilter, StateResult},
};

use super::{
    call::{Guard, Op, Query, REQUESTS_AT_ONCE},
    item::{Attributes, build_item},
    keys,
    runs::RunRow,
    store::DynamoStore,
};

/// Number of days read at a time. Only days with runs are in the list of days.
const DAYS_AT_ONCE: usize = 32;

/// The tolerance between the time in a run's id and the time at which the run was requested.
const SLACK: TimeDelta = TimeDelta::days(1);

impl DynamoStore {
    /// Adds the day of a run to the list of days, once per process. This happens before the run is
    /// created, not in its transaction, in which concurrent creations would conflict.
    pub(super) async fn note_day(&self, run: RunId) -> StateResult<()> {
        let day = keys::day_of_run(run);
        {
            // The lock must not be held across the write.
            let days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
            if days.contains(&day) {
                return Ok(());
            }
        }
        let row = build_item(&keys::run_day_row(&day), []);
        self.table
            .write_op(Op::Put(row, Guard::unconditional()))
            .await?;
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.insert(day);
        Ok(())
    }

    /// Reads the ids of the newest runs of a day that are older than a run.
    async fn runs_of_day(
        &self,
        day: &str,
        before: Option<RunId>,
        limit: usize,
    ) -> StateResult<Vec<RunId>> {
        let shards: Vec<Vec<RunId>> = stream::iter(keys::run_list_pks(day))
            .map(|pk| async move {
                let after = before.map(|run| run.to_string());
                let query = Query::rows_of(pk)
                    .newest_first()
                    .with_limit(limit)
                    .starting_after(after);
                let rows = self.table.query_rows(query).await?;
                let ids = rows.iter().filter_map(|row| row.key().sk.parse().ok());
                StateResult::Ok(ids.collect())
            })
            .buffered(REQUESTS_AT_ONCE)
            .try_collect()
            .await?;
        let mut runs: Vec<RunId> = shards.into_iter().flatten().collect();
        // Each shard gave its newest runs, so the newest of all are among them.
        runs.sort_unstable_by(|a, b| b.cmp(a));
        runs.truncate(limit);
        Ok(runs)
    }

    /// Reads the greatest id of all runs. Lists are read consistently, so a run that was created just
    /// before is among them.
    pub(super) async fn read_newest_run(&self) -> StateResult<Option<RunId>> {
        let mut last_day = None;
        loop {
            // A day is noted before its first run is created, so the newest day may have no run yet.
            let query = Query::rows_of(keys::DAYS).newest_first().with_limit(2);
            let rows = self
                .table
                .query_rows(query.starting_after(last_day.take()))
                .await?;
            for day in rows.into_iter().map(|row| row.key().sk) {
                if let Some(newest) = self.runs_of_day(&day, None, 1).await?.first() {
                    return Ok(Some(*newest));
                }
                last_day = Some(day);
            }
            if last_day.is_none() {
                return Ok(None);
            }
        }
    }

    async fn runs_by_id(&self, ids: &[RunId]) -> StateResult<Vec<Run>> {
        let keys = ids.iter().map(|run| keys::run_row(*run));
        let rows = self.table.get_many(keys, ReadConsistency::Strong).await?;
        ids.iter()
            .filter_map(|run| rows.get(&keys::run_row(*run)))
            .map(|row| RunRow::from_item(row).map(|row| row.run))
            .collect()
    }

    pub(super) async fn read_run_list(
        &self,
        filter: &RunFilter,
        page: &PageRequest,
    ) -> StateResult<Page<Run>> {
        let mut before = page.start_position::<RunId>()?;
        let oldest = filter.since.map(|since| keys::day_of(since - SLACK));
        let mut found = Vec::new();
        // First the day on which the last page ended, then the days before it.
        let mut next_day = before.map(keys::day_of_run);
        let mut last_day = None;
        'days: loop {
            let days = match next_day.take() {
                Some(day) => vec![day],
                None => {
                    // A page of days, newest first.
                    let query = Query::rows_of(keys::DAYS)
                        .newest_first()
                        .with_limit(DAYS_AT_ONCE);
                    let rows = self
                        .table
                        .query_rows(query.starting_after(last_day.clone()))
                        .await?;
                    rows.iter().map(|row| row.key().sk).collect()
                }
            };
            if days.is_empty() {
                break;
            }
            for day in days {
                last_day = Some(day.clone());
                if oldest.as_ref().is_some_and(|oldest| day < *oldest) {
                    break 'days;
                }
                loop {
                    let wanted = page.fetch_limit() - found.len();
                    // Runs that the filter drops are replaced by older ones of the day.
                    let ids = self.runs_of_day(&day, before, wanted).await?;
                    // A full answer: there may be more runs on this day.
                    let more = ids.len() == wanted;
                    before = ids.last().copied();
                    let runs = self.runs_by_id(&ids).await?;
                    found.extend(runs.into_iter().filter(|run| filter.matches_run(run)));
                    if found.len() >= page.fetch_limit() {
                        break 'days;
                    }
                    if !more {
                        break;
                    }
                }
                before = None;
            }
        }
        Ok(Page::from_overfetch(found, page, |run| run.id))
    }
}
