//! Materializations in SQLite: what is read of them.

use async_trait::async_trait;
use precip_core::{
    key::AssetKey,
    partitions::{PartitionKey, PartitionSet},
};
use precip_engine::state::{
    AttemptStart, Event, EventKey, Failure, FailureRecorded, Finished, Latest, Materialization,
    MaterializationStore, OrdinalOf, Page, PageRequest, PartitionRef, PartitionStatuses,
    ReadConsistency, Segment, Sequence, StateError, StateResult, Updates, record_json,
};
use rusqlite::{Row, params};

use super::{
    SqliteStore,
    codec::{PartitionColumn, RunColumn, micros},
    read::Read,
    write::{Status, partition},
};

/// What is known of a partition, as it stands in its row and the log.
struct Known {
    sequence: Option<i64>,
    made: Option<String>,
    failed: Option<String>,
}

const KNOWN: &str = "SELECT p.made_sequence, made.record, failed.record, p.partition, p.ordinal
    FROM partitions p
    LEFT JOIN events made ON made.id = p.made_event
    LEFT JOIN events failed ON failed.id = p.failed_event";

impl Known {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            sequence: row.get(0)?,
            made: row.get(1)?,
            failed: row.get(2)?,
        })
    }

    fn latest(self, read: &Read<'_>) -> Result<Option<Latest>, StateError> {
        let mut latest = Latest {
            materialization: None,
            failure: None,
        };
        if let Some(json) = self.made
            && let Event::Materialized(made) = read.event(&json)?
        {
            let sequence = Sequence(self.sequence.unwrap_or_default().cast_unsigned());
            latest.materialization = Some((*made, sequence));
        }
        if let Some(json) = self.failed
            && let Event::Failed(failure) = read.event(&json)?
        {
            latest.failure = Some(failure);
        }
        let known = latest.materialization.is_some() || latest.failure.is_some();
        Ok(known.then_some(latest))
    }
}

impl Read<'_> {
    fn latest(&self, target: &PartitionRef) -> Result<Option<Latest>, StateError> {
        let Some(asset) = self.asset(&target.asset)? else {
            return Ok(None);
        };
        let sql = format!("{KNOWN} WHERE p.asset = ?1 AND p.partition = ?2");
        let known = self.one(&sql, params![asset, partition(target)], Known::from_row)?;
        known.map_or(Ok(None), |known| known.latest(self))
    }

    fn status(&self, asset: i64, status: Status) -> Result<PartitionSet, StateError> {
        let sql = "SELECT segment, bits FROM segments WHERE asset = ?1 AND status = ?2";
        let rows: Vec<(i64, Vec<u8>)> = self.many(sql, params![asset, status as i64], |row| {
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

    fn statuses(&self, asset: &AssetKey) -> Result<PartitionStatuses, StateError> {
        let Some(asset) = self.asset(asset)? else {
            return Ok(PartitionStatuses::default());
        };
        let sql = "SELECT DISTINCT p.ordinal FROM attempts a
                   JOIN partitions p ON p.asset = a.asset AND p.partition = a.partition
                   WHERE a.asset = ?1 AND p.ordinal IS NOT NULL";
        let begun: Vec<i64> = self.many(sql, [asset], |row| row.get(0))?;
        Ok(PartitionStatuses {
            materialized: self.status(asset, Status::Materialized)?,
            failed: self.status(asset, Status::Failed)?,
            in_progress: begun.into_iter().map(i64::cast_unsigned).collect(),
        })
    }

    fn updates(&self, asset: &AssetKey, after: Sequence) -> Result<Updates, StateError> {
        let mut updates = Updates {
            until: after,
            ..Updates::default()
        };
        let Some(asset) = self.asset(asset)? else {
            return Ok(updates);
        };
        let after = i64::try_from(after.0).unwrap_or(i64::MAX);
        let sql = "SELECT made_sequence, ordinal FROM partitions
                   WHERE asset = ?1 AND made_sequence > ?2 ORDER BY made_sequence";
        let rows: Vec<(i64, Option<i64>)> =
            self.many(sql, [asset, after], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (sequence, ordinal) in rows {
            updates.until = Sequence(sequence.cast_unsigned());
            updates.partitions.extend(ordinal.map(i64::cast_unsigned));
        }
        Ok(updates)
    }

    /// Events of a partition, newest first, after a place.
    pub(super) fn events(
        &self,
        target: &PartitionRef,
        check: Option<&str>,
        after: Option<EventKey>,
        limit: usize,
    ) -> Result<Vec<Event>, StateError> {
        let Some(asset) = self.asset(&target.asset)? else {
            return Ok(Vec::new());
        };
        let sql = "SELECT record FROM events
                   WHERE asset = ?1 AND partition = ?2
                     AND (?3 IS NULL OR (at, run, attempt, kind, name) < (?3, ?4, ?5, ?6, ?7))
                     AND (?8 IS NULL OR (kind = 1 AND name = ?8))
                   ORDER BY at DESC, run DESC, attempt DESC, kind DESC, name DESC LIMIT ?9";
        let after = after.as_ref();
        let values = params![
            asset,
            partition(target),
            after.map(|key| micros(key.at)),
            after.map(|key| RunColumn(key.run)),
            after.map(|key| key.attempt),
            after.map(|key| super::write::kind(key.kind)),
            after.map(|key| &key.check),
            check,
            i64::try_from(limit).unwrap_or(i64::MAX),
        ];
        let rows: Vec<String> = self.many(sql, values, |row| row.get(0))?;
        rows.iter().map(|json| self.event(json)).collect()
    }
}

#[async_trait]
impl MaterializationStore for SqliteStore {
    async fn start(&self, attempts: Vec<AttemptStart>) -> StateResult<()> {
        self.write(move |write| {
            attempts
                .into_iter()
                .try_for_each(|start| write.start(start))
        })
        .await
    }

    async fn finish(&self, made: Vec<Materialization>) -> StateResult<Vec<Finished>> {
        let mut items = Vec::with_capacity(made.len());
        for made in made {
            record_json(&made, || made.target.to_string())?;
            let event = Event::Materialized(Box::new(made));
            let json = serde_json::to_string(&event).unwrap_or_default();
            items.push((event, json));
        }
        self.write(move |write| write.finish_all(items)).await
    }

    async fn fail(&self, failures: Vec<Failure>) -> StateResult<Vec<FailureRecorded>> {
        self.write(move |write| {
            failures
                .into_iter()
                .map(|failure| write.fail(failure))
                .collect()
        })
        .await
    }

    async fn latest(
        &self,
        target: &PartitionRef,
        _: ReadConsistency,
    ) -> StateResult<Option<Latest>> {
        let target = target.clone();
        self.read(move |read| read.latest(&target)).await
    }

    async fn latest_many(
        &self,
        targets: &[PartitionRef],
        _: ReadConsistency,
    ) -> StateResult<Vec<Option<Latest>>> {
        let targets = targets.to_vec();
        self.read(move |read| targets.iter().map(|target| read.latest(target)).collect())
            .await
    }

    async fn latest_all(
        &self,
        asset: &AssetKey,
        page: &PageRequest,
    ) -> StateResult<Page<(PartitionRef, Latest)>> {
        let after = page.place::<Option<PartitionKey>>()?.map(PartitionColumn);
        let (asset, page) = (asset.clone(), page.clone());
        self.read(move |read| {
            let Some(id) = read.asset(&asset)? else {
                return Ok(Page::cut(Vec::new(), &page, |_| ()));
            };
            let sql = format!(
                "{KNOWN} WHERE p.asset = ?1 AND (?2 IS NULL OR p.partition > ?2)
                   AND p.ordinal IS NOT NULL
                   AND (p.made_event IS NOT NULL OR p.failed_event IS NOT NULL)
                 ORDER BY p.partition LIMIT ?3"
            );
            let limit = i64::try_from(page.look_for()).unwrap_or(i64::MAX);
            let rows = read.many(&sql, params![id, after, limit], |row| {
                let partition: PartitionColumn = row.get(3)?;
                let ordinal: i64 = row.get(4)?;
                Ok((partition.0, ordinal.cast_unsigned(), Known::from_row(row)?))
            })?;
            let mut found = Vec::with_capacity(rows.len());
            for (partition, ordinal, known) in rows {
                let asset = asset.clone();
                let target = PartitionRef {
                    asset,
                    partition,
                    ordinal,
                };
                found.extend(known.latest(read)?.map(|latest| (target, latest)));
            }
            Ok(Page::cut(found, &page, |(target, _)| {
                target.partition.clone()
            }))
        })
        .await
    }

    async fn statuses(&self, asset: &AssetKey) -> StateResult<PartitionStatuses> {
        let asset = asset.clone();
        self.read(move |read| read.statuses(&asset)).await
    }

    async fn updates(&self, asset: &AssetKey, after: Sequence) -> StateResult<Updates> {
        let asset = asset.clone();
        self.read(move |read| read.updates(&asset, after)).await
    }

    async fn events(&self, target: &PartitionRef, page: &PageRequest) -> StateResult<Page<Event>> {
        let after = page.place::<EventKey>()?;
        let (target, page) = (target.clone(), page.clone());
        self.read(move |read| {
            let found = read.events(&target, None, after, page.look_for())?;
            Ok(Page::cut(found, &page, Event::key))
        })
        .await
    }

    async fn wipe(&self, targets: &[PartitionRef]) -> StateResult<()> {
        let targets = targets.to_vec();
        self.write(move |write| targets.iter().try_for_each(|target| write.wipe(target)))
            .await
    }

    async fn layout(&self, asset: &AssetKey) -> StateResult<Option<String>> {
        let asset = asset.clone();
        self.read(move |read| {
            let sql = "SELECT layout FROM assets WHERE key = ?1";
            Ok(read.one(sql, [asset.as_str()], |row| row.get(0))?.flatten())
        })
        .await
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
