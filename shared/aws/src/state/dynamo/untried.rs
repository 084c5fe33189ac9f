//! The partitions that a run did not publish (failed, skipped, not tried), and the run's progress.

use std::collections::BTreeMap;

use precip_core::{
    key::AssetKey,
    partitions::{PartitionKey, PartitionSet},
};
use precip_engine::{
    run_id::RunId,
    state::{
        FailedAttempt, Page, PageRequest, PublishedByRun, ReadConsistency, RunProgress,
        SkippedAttempt, StateResult, UntriedPartitions, UntriedReason, count_untried,
    },
};
use serde::de::DeserializeOwned;

use super::{
    call::{Guard, Op, Query},
    codec::{pack_record, unpack_record, unpack_segment},
    item::{Attributes, Item, build_item, number_value},
    keys::{self, DONE, FAILURES, Key, PROGRESS, Progress, SKIPPED, UNTRIED},
    row::Row,
    store::DynamoStore,
};

fn untried_of(row: &Item) -> StateResult<UntriedPartitions> {
    unpack_record(row, "s", "a record of untried partitions")
}

/// Reads the run, the asset and the partition from the key of a row of one kind.
type ParseKey = fn(&Key) -> Option<(RunId, AssetKey, Option<PartitionKey>)>;

impl DynamoStore {
    pub(super) async fn merge_untried(
        &self,
        run: RunId,
        untried: Vec<UntriedPartitions>,
    ) -> StateResult<()> {
        self.known_run(run).await?;
        // One row per asset and reason, whatever the number of records.
        let mut together: BTreeMap<(AssetKey, UntriedReason), PartitionSet> = BTreeMap::new();
        for other in untried {
            *together.entry((other.asset, other.reason)).or_default() |= &other.partitions;
        }
        for ((asset, reason), partitions) in together {
            let untried = UntriedPartitions {
                asset,
                partitions,
                reason,
            };
            self.add_untried(run, untried).await?;
        }
        Ok(())
    }

    async fn add_untried(&self, run: RunId, untried: UntriedPartitions) -> StateResult<()> {
        let key = keys::untried_row(run, &untried.asset, &untried.reason);
        let mut backoff = self.table.backoff("record untried partitions");
        loop {
            let known = self.table.get_row(&key, ReadConsistency::Strong).await?;
            // Sets are merged on condition that the row is unchanged.
            let mut all = untried.clone();
            let mut revision = 0_u64;
            let mut guard = Guard::with_condition("attribute_not_exists(pk)");
            if let Some(known) = known {
                let before = untried_of(&known)?.partitions;
                all.partitions |= &before;
                if all.partitions == before {
                    return Ok(());
                }
                revision = known.number("rev").unwrap_or_default();
                guard =
                    Guard::with_condition("rev = :rev").with_value(":rev", number_value(revision));
            }
            let set = pack_record(&all, || {
                format!("the untried partitions of {} in run {run}", untried.asset)
            })?;
            let row = build_item(&key, [("rev", number_value(revision + 1)), ("s", set)]);
            if self.table.write_op(Op::Put(row, guard)).await?.is_done() {
                return Ok(());
            }
            backoff.wait().await?;
        }
    }

    pub(super) async fn list_untried(&self, run: RunId) -> StateResult<Vec<UntriedPartitions>> {
        let query = Query::rows_of(keys::run_pk(run)).with_prefix(UNTRIED);
        let rows = self.table.query_rows(query).await?;
        let mut untried = rows
            .iter()
            .map(untried_of)
            .collect::<StateResult<Vec<_>>>()?;
        untried.sort_by(|a, b| (&a.asset, &a.reason).cmp(&(&b.asset, &b.reason)));
        Ok(untried)
    }

    /// Lists the recorded failures of a run.
    pub(super) async fn list_failures(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<FailedAttempt>> {
        self.list_unpublished(run, FAILURES, keys::parse_failure, page)
            .await
    }

    /// Lists the recorded attempts of a run that had nothing to make.
    pub(super) async fn list_skipped_attempts(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<SkippedAttempt>> {
        self.list_unpublished(run, SKIPPED, keys::parse_skipped, page)
            .await
    }

    /// Lists the recorded attempts of a run that published nothing, without partitions that the run
    /// has published since. The projection deletes those later; until then the latest row decides.
    async fn list_unpublished<T: DeserializeOwned>(
        &self,
        run: RunId,
        prefix: &str,
        parse: ParseKey,
        page: &PageRequest,
    ) -> StateResult<Page<T>> {
        let mut after = page.start_position::<String>()?;
        let limit = page.fetch_limit();
        let mut found: Vec<(String, T)> = Vec::new();
        loop {
            let wanted = limit - found.len();
            // Rows are read until a page is full: resolved ones are left out.
            let query = Query::rows_of(keys::run_pk(run))
                .with_prefix(prefix)
                .with_limit(wanted);
            let rows = self
                .table
                .query_rows(query.starting_after(after.take()))
                .await?;
            let last = rows.last().filter(|_| rows.len() == wanted);
            after = last.map(|row| row.key().sk);
            let attempts: Vec<_> = rows
                .iter()
                .filter_map(|row| {
                    let (_, asset, partition) = parse(&row.key())?;
                    Some((row, keys::latest_row(&asset, partition.as_ref())))
                })
                .collect();
            let keys = attempts.iter().map(|(_, latest)| latest.clone());
            let latest = self.table.get_many(keys, ReadConsistency::Strong).await?;
            for (row, key) in attempts {
                let published = latest
                    .get(&key)
                    .and_then(Row::from_item)
                    .and_then(|row| row.published);
                if published.is_none_or(|(by, _)| by != run) {
                    found.push((row.key().sk, unpack_record(row, "f", "an attempt")?));
                }
            }
            if found.len() >= limit || after.is_none() {
                break;
            }
        }
        Ok(Page::from_overfetch(found, page, |(sk, _)| sk.clone()).map(|(_, attempt)| attempt))
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
        let mut lost = done.clone();
        let mut skipped = done.clone();
        let mut untried = Vec::new();
        for row in self.table.query_rows(query).await? {
            let sk = row.key().sk;
            if sk.starts_with(UNTRIED) {
                untried.push(untried_of(&row)?);
            } else if let Some((kind, asset, segment)) = keys::parse_progress(&sk) {
                let sets = match kind {
                    Progress::Done => &mut done,
                    Progress::Lost => &mut lost,
                    Progress::Skipped => &mut skipped,
                };
                let set = sets.entry(asset).or_default();
                unpack_segment(&row, "b")?.add_to(segment, set);
            }
        }
        // A partition that failed or was skipped and was published afterwards counts as published.
        for (asset, set) in lost.iter_mut().chain(&mut skipped) {
            if let Some(done) = done.get(asset) {
                *set -= done;
            }
        }
        let count = |sets: &BTreeMap<_, PartitionSet>| sets.values().map(PartitionSet::len).sum();
        let (untried, held_back) = count_untried(&untried);
        let skips: u64 = count(&skipped);
        Ok(RunProgress {
            succeeded: count(&done),
            failed: count(&lost),
            skipped: skips + untried,
            held_back,
        })
    }
}
