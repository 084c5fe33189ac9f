//! Reads of materializations, and the port's `MaterializationStore`.

use std::collections::HashMap;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use precip_core::key::AssetKey;
use precip_engine::state::{
    AttemptStart, CommitOutcome, Event, FailedAttempt, FailureOutcome, Latest, Materialization,
    MaterializationStore, OrdinalOf, Page, PageRequest, PageToken, PartitionRef, PartitionStatuses,
    ReadConsistency, Sequence, SkippedAttempt, StateResult, Updates, record_json,
};

use super::{
    call::{Query, REQUESTS_AT_ONCE},
    codec::{unpack_record, unpack_segment},
    item::{Attributes, Item},
    keys::{self, BUCKETS, Key},
    row::Row,
    store::DynamoStore,
};

impl Row {
    /// Returns the key of the row with the newest attempt, if that published nothing.
    fn unpublished_key(&self) -> Option<Key> {
        let ((run, _), skipped) = self.current_unpublished()?;
        let row = if skipped {
            keys::skipped_row
        } else {
            keys::failure_row
        };
        Some(row(run, &self.asset, self.partition.as_ref()))
    }

    fn to_latest(&self, unpublished: &HashMap<Key, Item>) -> StateResult<Option<Latest>> {
        let mut latest = Latest {
            materialization: self
                .materialization()?
                .map(|made| (made, Sequence(self.stamp))),
            ..Latest::default()
        };
        if let Some(row) = self.unpublished_key().and_then(|key| unpublished.get(&key)) {
            if self.is_skipped() {
                latest.skip = Some(unpack_record(row, "f", "a skip")?);
            } else {
                latest.failure = Some(unpack_record(row, "f", "a failure")?);
            }
        }
        Ok((!latest.is_empty()).then_some(latest))
    }
}

impl DynamoStore {
    /// Completes rows with their failures and skips. These are stored with their runs, to keep the latest
    /// row small; reading them is rare.
    async fn complete_rows(
        &self,
        rows: Vec<Option<Row>>,
        consistency: ReadConsistency,
    ) -> StateResult<Vec<Option<Latest>>> {
        let keys: Vec<Key> = rows
            .iter()
            .flatten()
            .filter_map(Row::unpublished_key)
            .collect();
        let failures = if keys.is_empty() {
            HashMap::new()
        } else {
            self.table.get_many(keys, consistency).await?
        };
        rows.into_iter()
            .map(|row| row.map_or(Ok(None), |row| row.to_latest(&failures)))
            .collect()
    }

    /// Reads the latest rows of an asset in one bucket, after a sort key.
    async fn bucket_rows(
        &self,
        asset: &AssetKey,
        bucket: u64,
        after: Option<String>,
        limit: Option<usize>,
    ) -> StateResult<Vec<Row>> {
        let query = Query {
            limit,
            ..Query::rows_of(keys::latest_pk(asset, bucket)).starting_after(after)
        };
        let rows = self.table.query_rows(query).await?;
        Ok(rows.iter().filter_map(Row::from_item).collect())
    }

    /// Reads every latest row of an asset.
    pub(super) async fn all_rows(&self, asset: &AssetKey) -> StateResult<Vec<Row>> {
        let buckets: Vec<Vec<Row>> = stream::iter(0..BUCKETS)
            .map(|bucket| self.bucket_rows(asset, bucket, None, None))
            .buffered(REQUESTS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(buckets.into_iter().flatten().collect())
    }
}

#[async_trait]
impl MaterializationStore for DynamoStore {
    async fn record_attempts(&self, attempts: Vec<AttemptStart>) -> StateResult<()> {
        self.record_started_attempts(attempts).await
    }

    async fn commit_materializations(
        &self,
        made: Vec<Materialization>,
    ) -> StateResult<Vec<CommitOutcome>> {
        for made in &made {
            record_json(made, || made.target.to_string())?;
            keys::latest_row_of(&made.target).check_length()?;
        }
        stream::iter(made)
            .map(|made| self.commit_one(made))
            .buffered(REQUESTS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn record_failures(
        &self,
        failures: Vec<FailedAttempt>,
    ) -> StateResult<Vec<FailureOutcome>> {
        stream::iter(failures)
            .map(|failure| self.record_unpublished(failure.into()))
            .buffered(REQUESTS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn record_skipped_attempts(
        &self,
        skipped: Vec<SkippedAttempt>,
    ) -> StateResult<Vec<FailureOutcome>> {
        stream::iter(skipped)
            .map(|skip| self.record_unpublished(skip.into()))
            .buffered(REQUESTS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn latest_materialization(
        &self,
        target: &PartitionRef,
        consistency: ReadConsistency,
    ) -> StateResult<Option<Latest>> {
        let key = keys::latest_row_of(target).check_length()?;
        let item = self.table.get_row(&key, consistency).await?;
        let row = item.as_ref().and_then(Row::from_item);
        let mut known = self.complete_rows(vec![row], consistency).await?;
        Ok(known.pop().flatten())
    }

    async fn latest_materializations(
        &self,
        targets: &[PartitionRef],
        consistency: ReadConsistency,
    ) -> StateResult<Vec<Option<Latest>>> {
        let keys = targets
            .iter()
            .map(|target| keys::latest_row_of(target).check_length())
            .collect::<StateResult<Vec<_>>>()?;
        let rows = self
            .table
            .get_many(keys.iter().cloned(), consistency)
            .await?;
        let rows = keys
            .iter()
            .map(|key| rows.get(key).and_then(Row::from_item));
        self.complete_rows(rows.collect(), consistency).await
    }

    async fn list_latest_materializations(
        &self,
        asset: &AssetKey,
        page: &PageRequest,
    ) -> StateResult<Page<(PartitionRef, Latest)>> {
        let (mut bucket, mut after) = match page.start_position::<(u64, Option<String>)>()? {
            Some((bucket, after)) => (bucket, after),
            None => (0, None),
        };
        let limit = page.limit.get();
        let mut found = Vec::new();
        while bucket < BUCKETS && found.len() < limit {
            let wanted = limit - found.len();
            let rows = self
                .bucket_rows(asset, bucket, after.take(), Some(wanted))
                .await?;
            // A full answer: there may be more rows in this bucket.
            let last = rows.last().filter(|_| rows.len() == wanted);
            match last.map(|row| row.key().sk) {
                Some(sk) => after = Some(sk),
                None => bucket += 1,
            }
            // Rows without an ordinal are of keys that the definition no longer has.
            let current: Vec<Row> = rows
                .into_iter()
                .filter(|row| row.ordinal.is_some())
                .collect();
            let targets: Vec<PartitionRef> = current.iter().map(Row::target).collect();
            let rows = current.into_iter().map(Some).collect();
            let latest = self.complete_rows(rows, ReadConsistency::Strong).await?;
            let pairs = targets.into_iter().zip(latest);
            found.extend(pairs.filter_map(|(target, latest)| Some((target, latest?))));
        }
        let next = (bucket < BUCKETS).then(|| PageToken::encode_position(&(bucket, after)));
        Ok(Page { items: found, next })
    }

    async fn partition_statuses(&self, asset: &AssetKey) -> StateResult<PartitionStatuses> {
        // A strong read: conditions are evaluated once per change, and must see that change.
        let rows = self
            .table
            .query_rows(Query::rows_of(keys::statuses_pk(asset)))
            .await?;
        let mut statuses = PartitionStatuses::default();
        let current = rows
            .iter()
            .find_map(|row| row.number::<u64>("g"))
            .unwrap_or_default();
        for row in &rows {
            let Some((generation, segment)) = keys::parse_statuses(&row.key().sk) else {
                continue;
            };
            if generation == current {
                unpack_segment(row, "m")?.add_to(segment, &mut statuses.materialized);
                unpack_segment(row, "f")?.add_to(segment, &mut statuses.failed);
                unpack_segment(row, "s")?.add_to(segment, &mut statuses.skipped);
            }
        }
        statuses.in_progress = self.in_progress(asset).await?;
        Ok(statuses)
    }

    async fn published_since(&self, asset: &AssetKey, after: Sequence) -> StateResult<Updates> {
        self.updates_after(asset, after).await
    }

    async fn partition_events(
        &self,
        target: &PartitionRef,
        page: &PageRequest,
    ) -> StateResult<Page<Event>> {
        self.list_events(target, None, page).await
    }

    async fn wipe_partitions(&self, targets: &[PartitionRef]) -> StateResult<()> {
        self.delete_latest_rows(targets).await
    }

    async fn partition_layout(&self, asset: &AssetKey) -> StateResult<Option<String>> {
        let key = keys::statuses_head_row(asset);
        let head = self.table.get_row(&key, ReadConsistency::Strong).await?;
        Ok(head.and_then(|head| head.text("layout").map(str::to_owned)))
    }

    async fn renumber_partitions(
        &self,
        asset: &AssetKey,
        layout: &str,
        ordinal: &OrdinalOf<'_>,
    ) -> StateResult<()> {
        self.renumber_asset(asset, layout, ordinal).await
    }
}
