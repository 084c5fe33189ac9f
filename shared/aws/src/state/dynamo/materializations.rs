//! What is read of materializations, and the part of the port.

use std::collections::HashMap;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use precip_core::key::AssetKey;
use precip_engine::state::{
    AttemptStart, Event, Failure, FailureRecorded, Finished, Latest, Materialization,
    MaterializationStore, OrdinalOf, Page, PageRequest, PageToken, PartitionRef, PartitionStatuses,
    ReadConsistency, Sequence, StateResult, Updates, record_json,
};

use super::{
    call::{Query, REQUESTS_AT_ONCE},
    codec::{unpack, unpack_segment},
    item::{Attributes, Item},
    keys::{self, BUCKETS, Key},
    row::Row,
    store::DynamoStore,
};

impl Row {
    /// The row of the failure that shows.
    fn failure_key(&self) -> Option<Key> {
        let (run, _) = self.failure()?;
        Some(keys::failure(run, &self.asset, self.partition.as_ref()))
    }

    fn latest(&self, failures: &HashMap<Key, Item>) -> StateResult<Option<Latest>> {
        let failure = self.failure_key().and_then(|key| failures.get(&key));
        let failure = failure
            .map(|row| unpack::<Failure>(row, "f", "a failure"))
            .transpose()?;
        let made = self.materialization()?;
        let known = made.is_some() || failure.is_some();
        Ok(known.then(|| Latest {
            materialization: made.map(|made| (made, Sequence(self.stamp))),
            failure,
        }))
    }
}

impl DynamoStore {
    /// What is known of rows that were read. A failure is read from its run's record: rarely, and so
    /// that the row stays small.
    async fn known(
        &self,
        rows: Vec<Option<Row>>,
        consistency: ReadConsistency,
    ) -> StateResult<Vec<Option<Latest>>> {
        let keys: Vec<Key> = rows.iter().flatten().filter_map(Row::failure_key).collect();
        let failures = match keys.is_empty() {
            true => HashMap::new(),
            false => self.table.get_many(keys, consistency).await?,
        };
        rows.into_iter()
            .map(|row| row.map_or(Ok(None), |row| row.latest(&failures)))
            .collect()
    }

    /// The rows of the asset's partitions, in one bucket, after a sort key.
    async fn bucket(
        &self,
        asset: &AssetKey,
        bucket: u64,
        after: Option<String>,
        limit: Option<usize>,
    ) -> StateResult<Vec<Row>> {
        let query = Query {
            limit,
            ..Query::all(keys::latest_pk(asset, bucket)).after(after)
        };
        let rows = self.table.query(query).await?;
        Ok(rows.iter().filter_map(Row::of).collect())
    }

    /// Every row of an asset's partitions.
    pub(super) async fn rows(&self, asset: &AssetKey) -> StateResult<Vec<Row>> {
        let buckets: Vec<Vec<Row>> = stream::iter(0..BUCKETS)
            .map(|bucket| self.bucket(asset, bucket, None, None))
            .buffered(REQUESTS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(buckets.into_iter().flatten().collect())
    }
}

#[async_trait]
impl MaterializationStore for DynamoStore {
    async fn start(&self, attempts: Vec<AttemptStart>) -> StateResult<()> {
        self.start_all(attempts).await
    }

    async fn finish(&self, made: Vec<Materialization>) -> StateResult<Vec<Finished>> {
        for made in &made {
            record_json(made, || made.target.to_string())?;
            keys::latest_of(&made.target).checked()?;
        }
        stream::iter(made)
            .map(|made| self.finish_one(made))
            .buffered(REQUESTS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn fail(&self, failures: Vec<Failure>) -> StateResult<Vec<FailureRecorded>> {
        stream::iter(failures)
            .map(|failure| self.fail_one(failure))
            .buffered(REQUESTS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn latest(
        &self,
        target: &PartitionRef,
        consistency: ReadConsistency,
    ) -> StateResult<Option<Latest>> {
        let key = keys::latest_of(target).checked()?;
        let row = self.table.get(&key, consistency).await?;
        let row = row.as_ref().and_then(Row::of);
        let mut known = self.known(vec![row], consistency).await?;
        Ok(known.pop().flatten())
    }

    async fn latest_many(
        &self,
        targets: &[PartitionRef],
        consistency: ReadConsistency,
    ) -> StateResult<Vec<Option<Latest>>> {
        let keys = targets
            .iter()
            .map(|target| keys::latest_of(target).checked())
            .collect::<StateResult<Vec<_>>>()?;
        let rows = self
            .table
            .get_many(keys.iter().cloned(), consistency)
            .await?;
        let rows = keys.iter().map(|key| rows.get(key).and_then(Row::of));
        self.known(rows.collect(), consistency).await
    }

    async fn latest_all(
        &self,
        asset: &AssetKey,
        page: &PageRequest,
    ) -> StateResult<Page<(PartitionRef, Latest)>> {
        let (mut bucket, mut after) = match page.place::<(u64, Option<String>)>()? {
            Some((bucket, after)) => (bucket, after),
            None => (0, None),
        };
        let limit = page.limit.get();
        let mut found = Vec::new();
        while bucket < BUCKETS && found.len() < limit {
            let wanted = limit - found.len();
            let rows = self
                .bucket(asset, bucket, after.take(), Some(wanted))
                .await?;
            // As many as were asked for: there may be more in this bucket.
            let last = rows.last().filter(|_| rows.len() == wanted);
            match last.map(|row| row.key().sk) {
                Some(sk) => after = Some(sk),
                None => bucket += 1,
            }
            let rows: Vec<Row> = rows
                .into_iter()
                .filter(|row| row.ordinal.is_some())
                .collect();
            let targets: Vec<PartitionRef> = rows.iter().map(Row::target).collect();
            let rows = rows.into_iter().map(Some).collect();
            let known = self.known(rows, ReadConsistency::Strong).await?;
            let known = targets.into_iter().zip(known);
            found.extend(known.filter_map(|(target, known)| Some((target, known?))));
        }
        let next = (bucket < BUCKETS).then(|| PageToken::of(&(bucket, after)));
        Ok(Page { items: found, next })
    }

    async fn statuses(&self, asset: &AssetKey) -> StateResult<PartitionStatuses> {
        // Who evaluates conditions looks once for a change, and must not find what was before it.
        let rows = self
            .table
            .query(Query::all(keys::statuses_pk(asset)))
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
            }
        }
        statuses.in_progress = self.in_progress(asset).await?;
        Ok(statuses)
    }

    async fn updates(&self, asset: &AssetKey, after: Sequence) -> StateResult<Updates> {
        self.updates_after(asset, after).await
    }

    async fn events(&self, target: &PartitionRef, page: &PageRequest) -> StateResult<Page<Event>> {
        self.list_events(target, None, page).await
    }

    async fn wipe(&self, targets: &[PartitionRef]) -> StateResult<()> {
        self.wipe_all(targets).await
    }

    async fn layout(&self, asset: &AssetKey) -> StateResult<Option<String>> {
        let key = keys::statuses_head(asset);
        let head = self.table.get(&key, ReadConsistency::Strong).await?;
        Ok(head.and_then(|head| head.text("layout").map(str::to_owned)))
    }

    async fn renumber(
        &self,
        asset: &AssetKey,
        layout: &str,
        ordinal: &OrdinalOf<'_>,
    ) -> StateResult<()> {
        self.renumber_asset(asset, layout, ordinal).await
    }
}
