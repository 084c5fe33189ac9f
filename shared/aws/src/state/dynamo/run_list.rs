//! The list of runs: by day (of the run's id), spread over a few keys, newest first.

use std::sync::PoisonError;

use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt, stream};
use precip_engine::{
    run_id::RunId,
    state::{Page, PageRequest, ReadConsistency, Run, RunFilter, StateResult},
};

use super::{
    call::{Guard, Op, Query, REQUESTS_AT_ONCE},
    item::{Attributes, item},
    keys,
    runs::RunRow,
    store::DynamoStore,
};

/// How many days are looked up at once; a day on which nothing ran is not in the list of days.
const DAYS_AT_ONCE: usize = 32;

/// An id may be made a little before or after the moment that the run is asked for at.
const SLACK: TimeDelta = TimeDelta::days(1);

impl DynamoStore {
    /// Puts the day of a run into the list of days, once a process. Before the run is created, and
    /// not with it: many that create runs at once would get in each other's way.
    pub(super) async fn note_day(&self, run: RunId) -> StateResult<()> {
        let day = keys::day(run);
        {
            let days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
            if days.contains(&day) {
                return Ok(());
            }
        }
        let row = item(&keys::run_day(&day), []);
        self.table.write(Op::Put(row, Guard::none())).await?;
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.insert(day);
        Ok(())
    }

    /// The newest runs of a day that are older than a run.
    async fn runs_of_day(
        &self,
        day: &str,
        before: Option<RunId>,
        limit: usize,
    ) -> StateResult<Vec<RunId>> {
        let shards: Vec<Vec<RunId>> = stream::iter(keys::run_list_pks(day))
            .map(|pk| async move {
                let after = before.map(|run| run.to_string());
                let query = Query::all(pk).newest_first().limit(limit).after(after);
                let rows = self.table.query(query).await?;
                let ids = rows.iter().filter_map(|row| row.key().sk.parse().ok());
                StateResult::Ok(ids.collect())
            })
            .buffered(REQUESTS_AT_ONCE)
            .try_collect()
            .await?;
        let mut runs: Vec<RunId> = shards.into_iter().flatten().collect();
        runs.sort_unstable_by(|a, b| b.cmp(a));
        runs.truncate(limit);
        Ok(runs)
    }

    async fn runs_by_id(&self, ids: &[RunId]) -> StateResult<Vec<Run>> {
        let keys = ids.iter().map(|run| keys::run(*run));
        let rows = self.table.get_many(keys, ReadConsistency::Strong).await?;
        ids.iter()
            .filter_map(|run| rows.get(&keys::run(*run)))
            .map(|row| RunRow::of(row).map(|row| row.run))
            .collect()
    }

    pub(super) async fn list_runs(
        &self,
        filter: &RunFilter,
        page: &PageRequest,
    ) -> StateResult<Page<Run>> {
        let mut before = page.place::<RunId>()?;
        let oldest = filter.since.map(|since| keys::day_of(since - SLACK));
        let mut found = Vec::new();
        // The day of the place itself, then the days before it.
        let mut next_day = before.map(keys::day);
        let mut behind = None;
        'days: loop {
            let days = match next_day.take() {
                Some(day) => vec![day],
                None => {
                    let query = Query::all(keys::DAYS).newest_first().limit(DAYS_AT_ONCE);
                    let rows = self.table.query(query.after(behind.clone())).await?;
                    rows.iter().map(|row| row.key().sk).collect()
                }
            };
            if days.is_empty() {
                break;
            }
            for day in days {
                behind = Some(day.clone());
                if oldest.as_ref().is_some_and(|oldest| day < *oldest) {
                    break 'days;
                }
                loop {
                    let wanted = page.look_for() - found.len();
                    let ids = self.runs_of_day(&day, before, wanted).await?;
                    let more = ids.len() == wanted;
                    before = ids.last().copied();
                    let runs = self.runs_by_id(&ids).await?;
                    found.extend(runs.into_iter().filter(|run| filter.matches(run)));
                    if found.len() >= page.look_for() {
                        break 'days;
                    }
                    if !more {
                        break;
                    }
                }
                before = None;
            }
        }
        Ok(Page::cut(found, page, |run| run.id))
    }
}
