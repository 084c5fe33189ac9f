//! The partitions that a run did not publish (skipped, failed), and the run's progress.

use std::collections::BTreeMap;

use precip_core::{key::AssetKey, partitions::PartitionSet};
use precip_engine::{
    run_id::RunId,
    state::{
        FailedAttempt, Page, PageRequest, PublishedByRun, ReadConsistency, RunProgress, SkipReason,
        SkippedPartitions, StateResult,
    },
};

use super::{
    call::{Backoff, Guard, Op, Query},
    codec::{pack_record, unpack_record, unpack_segment},
    item::{Attributes, Item, build_item, number_value},
    keys::{self, DONE, FAILURES, PROGRESS, Progress, SKIPS},
    row::Row,
    store::DynamoStore,
};

fn skipped_of(row: &Item) -> StateResult<SkippedPartitions> {
    unpack_record(row, "s", "a record of skipped partitions")
}

impl DynamoStore {
    pub(super) async fn merge_skips(
        &self,
        run: RunId,
        skipped: Vec<SkippedPartitions>,
    ) -> StateResult<()> {
        self.known_run(run).await?;
        // One row per asset and reason, whatever the number of records.
        let mut together: BTreeMap<(AssetKey, SkipReason), PartitionSet> = BTreeMap::new();
        for skip in skipped {
            *together.entry((skip.asset, skip.reason)).or_default() |= &skip.partitions;
        }
        for ((asset, reason), partitions) in together {
            let skip = SkippedPartitions {
                asset,
                partitions,
                reason,
            };
            self.add_skip(run, skip).await?;
        }
        Ok(())
    }

    async fn add_skip(&self, run: RunId, skip: SkippedPartitions) -> StateResult<()> {
        let key = keys::skip_row(run, &skip.asset, &skip.reason);
        let mut backoff = Backoff::new("record skipped partitions");
        loop {
            let known = self.table.get_row(&key, ReadConsistency::Strong).await?;
            // Sets are merged on condition that the row is unchanged.
            let mut all = skip.clone();
            let mut revision = 0_u64;
            let mut guard = Guard::with_condition("attribute_not_exists(pk)");
            if let Some(known) = known {
                let before = skipped_of(&known)?.partitions;
                all.partitions |= &before;
                if all.partitions == before {
                    return Ok(());
                }
                revision = known.number("rev").unwrap_or_default();
                guard =
                    Guard::with_condition("rev = :rev").with_value(":rev", number_value(revision));
            }
            let set = pack_record(&all, || {
                format!("the skipped partitions of {} in run {run}", skip.asset)
            })?;
            let row = build_item(&key, [("rev", number_value(revision + 1)), ("s", set)]);
            if self.table.write_op(Op::Put(row, guard)).await?.is_done() {
                return Ok(());
            }
            backoff.wait().await?;
        }
    }

    pub(super) async fn list_skips(&self, run: RunId) -> StateResult<Vec<SkippedPartitions>> {
        let query = Query::rows_of(keys::run_pk(run)).with_prefix(SKIPS);
        let rows = self.table.query_rows(query).await?;
        let mut skipped = rows
            .iter()
            .map(skipped_of)
            .collect::<StateResult<Vec<_>>>()?;
        skipped.sort_by(|a, b| (&a.asset, &a.reason).cmp(&(&b.asset, &b.reason)));
        Ok(skipped)
    }

    /// Lists the recorded failures of a run, without partitions that the run has published since. The
    /// projection deletes those later; until then the latest row decides.
    pub(super) async fn list_failures(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<FailedAttempt>> {
        let mut after = page.start_position::<String>()?;
        let limit = page.fetch_limit();
        let mut found: Vec<(String, FailedAttempt)> = Vec::new();
        loop {
            let wanted = limit - found.len();
            // Rows are read until a page is full: resolved ones are left out.
            let query = Query::rows_of(keys::run_pk(run))
                .with_prefix(FAILURES)
                .with_limit(wanted);
            let rows = self
                .table
                .query_rows(query.starting_after(after.take()))
                .await?;
            let last = rows.last().filter(|_| rows.len() == wanted);
            after = last.map(|row| row.key().sk);
            let failures: Vec<_> = rows
                .iter()
                .filter_map(|row| {
                    let (_, asset, partition) = keys::parse_failure(&row.key())?;
                    Some((row, keys::latest_row(&asset, partition.as_ref())))
                })
                .collect();
            let keys = failures.iter().map(|(_, latest)| latest.clone());
            let latest = self.table.get_many(keys, ReadConsistency::Strong).await?;
            for (row, key) in failures {
                let published = latest
                    .get(&key)
                    .and_then(Row::from_item)
                    .and_then(|row| row.published);
                if published.is_none_or(|(by, _)| by != run) {
                    found.push((row.key().sk, unpack_record(row, "f", "a failure")?));
                }
            }
            if found.len() >= limit || after.is_none() {
                break;
            }
        }
        Ok(Page::from_overfetch(found, page, |(sk, _)| sk.clone()).map(|(_, failure)| failure))
    }

    /// Returns the partitions that a run has published, as far as the projection has come. The
    /// projection keeps no list of the partitions that were only checked.
    pub(super) async fn read_published_by(&self, run: RunId) -> StateResult<PublishedByRun> {
        let query = Query::rows_of(keys::run_pk(run))
            .with_prefix(DONE)
            .eventually_consistent();
        let mut made = PublishedByRun::default();
        for row in self.table.query_rows(query).await? {
            if let Some((_, asset, segment)) = keys::parse_progress(&row.key().sk) {
                let set = made.assets.entry(asset).or_default();
                unpack_segment(&row, "b")?.add_to(segment, set);
            }
        }
        Ok(made)
    }

    pub(super) async fn read_run_progress(&self, run: RunId) -> StateResult<RunProgress> {
        let query = Query::rows_of(keys::run_pk(run))
            .with_prefix(PROGRESS)
            .eventually_consistent();
        let mut done: BTreeMap<AssetKey, PartitionSet> = BTreeMap::new();
        let mut lost: BTreeMap<AssetKey, PartitionSet> = BTreeMap::new();
        let mut skipped: BTreeMap<AssetKey, PartitionSet> = BTreeMap::new();
        for row in self.table.query_rows(query).await? {
            let sk = row.key().sk;
            if sk.starts_with(SKIPS) {
                // Several reasons may hold for one partition, so sets are merged before they are counted.
                let skip = skipped_of(&row)?;
                *skipped.entry(skip.asset).or_default() |= &skip.partitions;
            } else if let Some((kind, asset, segment)) = keys::parse_progress(&sk) {
                let sets = match kind {
                    Progress::Done => &mut done,
                    Progress::Lost => &mut lost,
                };
                let set = sets.entry(asset).or_default();
                unpack_segment(&row, "b")?.add_to(segment, set);
            }
        }
        // A partition that failed and was published afterwards counts as published.
        for (asset, lost) in &mut lost {
            if let Some(done) = done.get(asset) {
                *lost -= done;
            }
        }
        let count = |sets: &BTreeMap<_, PartitionSet>| sets.values().map(PartitionSet::len).sum();
        Ok(RunProgress {
            succeeded: count(&done),
            failed: count(&lost),
            skipped: count(&skipped),
        })
    }
}
