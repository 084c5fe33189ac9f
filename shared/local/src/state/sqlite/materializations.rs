//! Materializations in SQLite: reads, and the port's `MaterializationStore`.

use async_trait::async_trait;
use precip_core::{
    key::AssetKey,
    partitions::{PartitionKey, PartitionSet},
};
use precip_engine::state::{
    AttemptStart, CommitOutcome, Event, EventKey, FailedAttempt, FailureOutcome, Latest,
    Materialization, MaterializationStore, OrdinalOf, Page, PageRequest, PartitionRef,
    PartitionStatuses, ReadConsistency, Segment, Sequence, SkippedAttempt, StateError, StateResult,
    Updates, record_json,
};
use rusqlite::{Row, params};

use super::{
    SqliteStore,
    codec::{PartitionColumn, RunColumn, to_micros},
    read::Read,
    write::{Status, partition_column},
};

/// The stored form of a partition's latest state, from its row and the log.
struct StoredLatest {
    sequence: Option<i64>,
    /// The JSON of the event that published it.
    made: Option<String>,
    /// The JSON of the event of the newest attempt that published nothing.
    unpublished: Option<String>,
}

const SELECT_LATEST: &str =
    "SELECT p.made_sequence, made.record, failed.record, p.partition, p.ordinal
    FROM partitions p
    LEFT JOIN events made ON made.id = p.made_event
    LEFT JOIN events failed ON failed.id = p.failed_event";

impl StoredLatest {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            sequence: row.get(0)?,
            made: row.get(1)?,
            unpublished: row.get(2)?,
        })
    }

    fn into_latest(self, read: &Read<'_>) -> Result<Option<Latest>, StateError> {
        let mut latest = Latest::default();
        if let Some(json) = self.made
            && let Event::Materialized(made) = read.decode_event(&json)?
        {
            let sequence = Sequence(self.sequence.unwrap_or_default().cast_unsigned());
            latest.materialization = Some((*made, sequence));
        }
        if let Some(json) = self.unpublished {
            match read.decode_event(&json)? {
                Event::Failed(failure) => latest.failure = Some(failure),
                Event::Skipped(skip) => latest.skip = Some(skip),
                Event::Started(_) | Event::Materialized(_) | Event::Checked(_) => {}
            }
        }
        // A wiped or merely attempted partition has a row, and nothing to show.
        Ok((!latest.is_empty()).then_some(latest))
    }
}

impl Read<'_> {
    fn find_latest(&self, target: &PartitionRef) -> Result<Option<Latest>, StateError> {
        let Some(asset) = self.find_asset(&target.asset)? else {
            return Ok(None);
        };
        let sql = format!("{SELECT_LATEST} WHERE p.asset = ?1 AND p.partition = ?2");
        let known = self.query_one(
            &sql,
            params![asset, partition_column(target)],
            StoredLatest::from_row,
        )?;
        known.map_or(Ok(None), |known| known.into_latest(self))
    }

    fn status_set(&self, asset: i64, status: Status) -> Result<PartitionSet, StateError> {
        let sql = "SELECT segment, bits FROM segments WHERE asset = ?1 AND status = ?2";
        let rows: Vec<(i64, Vec<u8>)> =
            self.query_many(sql, params![asset, status as i64], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let mut set = PartitionSet::empty();
        for (index, bits) in rows {
            if let Some(segment) = Segment::from_bytes(&bits) {
                segment.add_to(index.cast_unsigned(), &mut set);
            }
        }
        Ok(set)
    }

    fn partition_statuses(&self, asset: &AssetKey) -> Result<PartitionStatuses, StateError> {
        let Some(asset) = self.find_asset(asset)? else {
            return Ok(PartitionStatuses::default());
        };
        // Attempts are deleted when they end and when their run does, so each row is in progress.
        let sql = "SELECT DISTINCT p.ordinal FROM attempts a
                   JOIN partitions p ON p.asset = a.asset AND p.partition = a.partition
                   WHERE a.asset = ?1 AND p.ordinal IS NOT NULL";
        let begun: Vec<i64> = self.query_many(sql, [asset], |row| row.get(0))?;
        Ok(PartitionStatuses {
            materialized: self.status_set(asset, Status::Materialized)?,
            failed: self.status_set(asset, Status::Failed)?,
            skipped: self.status_set(asset, Status::Skipped)?,
            in_progress: begun.into_iter().map(i64::cast_unsigned).collect(),
        })
    }

    fn updates_after(&self, asset: &AssetKey, after: Sequence) -> Result<Updates, StateError> {
        let mut updates = Updates {
            until: after,
            ..Updates::default()
        };
        let Some(asset) = self.find_asset(asset)? else {
            return Ok(updates);
        };
        // A partition that is published again moves to its new sequence, so it is listed once.
        let after = i64::try_from(after.0).unwrap_or(i64::MAX);
        let sql = "SELECT made_sequence, ordinal FROM partitions
                   WHERE asset = ?1 AND made_sequence > ?2 ORDER BY made_sequence";
        let rows: Vec<(i64, Option<i64>)> =
            self.query_many(sql, [asset, after], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (sequence, ordinal) in rows {
            updates.until = Sequence(sequence.cast_unsigned());
            updates.partitions.extend(ordinal.map(i64::cast_unsigned));
        }
        Ok(updates)
    }

    /// Reads events of a partition, newest first, after a given one; only those of one check if it is
    /// named.
    pub(super) fn list_events(
        &self,
        target: &PartitionRef,
        check: Option<&str>,
        after: Option<EventKey>,
        limit: usize,
    ) -> Result<Vec<Event>, StateError> {
        let Some(asset) = self.find_asset(&target.asset)? else {
            return Ok(Vec::new());
        };
        let sql = "SELECT record FROM events
                   WHERE asset = ?1 AND partition = ?2
                     AND (?3 IS NULL OR (at, run, attempt, kind, name) < (?3, ?4, ?5, ?6, ?7))
                     AND (?8 IS NULL OR (kind = 1 AND name = ?8))
                   ORDER BY at DESC, run DESC, attempt DESC, kind DESC, name DESC LIMIT ?9";
        let after = after.as_ref();
        // Kind 1 is a check: see `write::kind_number`.
        let values = params![
            asset,
            partition_column(target),
            after.map(|key| to_micros(key.at)),
            after.map(|key| RunColumn(key.run)),
            after.map(|key| key.attempt),
            after.map(|key| super::write::kind_number(key.kind)),
            after.map(|key| &key.check),
            check,
            i64::try_from(limit).unwrap_or(i64::MAX),
        ];
        let rows: Vec<String> = self.query_many(sql, values, |row| row.get(0))?;
        rows.iter().map(|json| self.decode_event(json)).collect()
    }
}

#[async_trait]
impl MaterializationStore for SqliteStore {
    async fn record_attempts(&self, attempts: Vec<AttemptStart>) -> StateResult<()> {
        self.run_write(move |write| {
            attempts
                .into_iter()
                .try_for_each(|start| write.record_attempt(start))
        })
        .await
    }

    async fn commit_materializations(
        &self,
        made: Vec<Materialization>,
    ) -> StateResult<Vec<CommitOutcome>> {
        // JSON is written here, outside of the writing thread, which all writes share.
        let mut items = Vec::with_capacity(made.len());
        for made in made {
            record_json(&made, || made.target.to_string())?;
            let event = Event::Materialized(Box::new(made));
            let json = serde_json::to_string(&event).unwrap_or_default();
            items.push((event, json));
        }
        self.run_write(move |write| write.publish_all(items)).await
    }

    async fn record_failures(
        &self,
        failures: Vec<FailedAttempt>,
    ) -> StateResult<Vec<FailureOutcome>> {
        self.run_write(move |write| {
            failures
                .into_iter()
                .map(|failure| write.record_unpublished(&failure.into()))
                .collect()
        })
        .await
    }

    async fn record_skipped_attempts(
        &self,
        skipped: Vec<SkippedAttempt>,
    ) -> StateResult<Vec<FailureOutcome>> {
        self.run_write(move |write| {
            skipped
                .into_iter()
                .map(|skip| write.record_unpublished(&skip.into()))
                .collect()
        })
        .await
    }

    async fn latest_materialization(
        &self,
        target: &PartitionRef,
        _: ReadConsistency,
    ) -> StateResult<Option<Latest>> {
        let target = target.clone();
        self.run_read(move |read| read.find_latest(&target)).await
    }

    async fn latest_materializations(
        &self,
        targets: &[PartitionRef],
        _: ReadConsistency,
    ) -> StateResult<Vec<Option<Latest>>> {
        let targets = targets.to_vec();
        self.run_read(move |read| {
            targets
                .iter()
                .map(|target| read.find_latest(target))
                .collect()
        })
        .await
    }

    async fn list_latest_materializations(
        &self,
        asset: &AssetKey,
        page: &PageRequest,
    ) -> StateResult<Page<(PartitionRef, Latest)>> {
        let after = page
            .start_position::<Option<PartitionKey>>()?
            .map(PartitionColumn);
        let (asset, page) = (asset.clone(), page.clone());
        self.run_read(move |read| {
            let Some(id) = read.find_asset(&asset)? else {
                return Ok(Page::from_overfetch(Vec::new(), &page, |_| ()));
            };
            let sql = format!(
                "{SELECT_LATEST} WHERE p.asset = ?1 AND (?2 IS NULL OR p.partition > ?2)
                   AND p.ordinal IS NOT NULL
                   AND (p.made_event IS NOT NULL OR p.failed_event IS NOT NULL)
                 ORDER BY p.partition LIMIT ?3"
            );
            let limit = i64::try_from(page.fetch_limit()).unwrap_or(i64::MAX);
            let rows = read.query_many(&sql, params![id, after, limit], |row| {
                let partition: PartitionColumn = row.get(3)?;
                let ordinal: i64 = row.get(4)?;
                Ok((
                    partition.0,
                    ordinal.cast_unsigned(),
                    StoredLatest::from_row(row)?,
                ))
            })?;
            let mut found = Vec::with_capacity(rows.len());
            for (partition, ordinal, known) in rows {
                let asset = asset.clone();
                let target = PartitionRef {
                    asset,
                    partition,
                    ordinal,
                };
                found.extend(known.into_latest(read)?.map(|latest| (target, latest)));
            }
            Ok(Page::from_overfetch(found, &page, |(target, _)| {
                target.partition.clone()
            }))
        })
        .await
    }

    async fn partition_statuses(&self, asset: &AssetKey) -> StateResult<PartitionStatuses> {
        let asset = asset.clone();
        self.run_read(move |read| read.partition_statuses(&asset))
            .await
    }

    async fn published_since(&self, asset: &AssetKey, after: Sequence) -> StateResult<Updates> {
        let asset = asset.clone();
        self.run_read(move |read| read.updates_after(&asset, after))
            .await
    }

    async fn partition_events(
        &self,
        target: &PartitionRef,
        page: &PageRequest,
    ) -> StateResult<Page<Event>> {
        let after = page.start_position::<EventKey>()?;
        let (target, page) = (target.clone(), page.clone());
        self.run_read(move |read| {
            let found = read.list_events(&target, None, after, page.fetch_limit())?;
            Ok(Page::from_overfetch(found, &page, Event::key))
        })
        .await
    }

    async fn wipe_partitions(&self, targets: &[PartitionRef]) -> StateResult<()> {
        let targets = targets.to_vec();
        self.run_write(move |write| {
            targets
                .iter()
                .try_for_each(|target| write.wipe_partition(target))
        })
        .await
    }

    async fn partition_layout(&self, asset: &AssetKey) -> StateResult<Option<String>> {
        let asset = asset.clone();
        self.run_read(move |read| {
            let sql = "SELECT layout FROM assets WHERE key = ?1";
            Ok(read
                .query_one(sql, [asset.as_str()], |row| row.get(0))?
                .flatten())
        })
        .await
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
