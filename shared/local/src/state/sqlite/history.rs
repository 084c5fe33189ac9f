//! Removing old events and ticks from the record.

use chrono::{DateTime, Utc};
use precip_engine::state::StateResult;
use rusqlite::params;

use super::{SqliteStore, codec::to_micros};

/// The old part of the record that nothing refers to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OldRecords {
    /// Number of events of partitions.
    pub events: u64,
    /// Number of ticks of triggers.
    pub ticks: u64,
}

/// The events before `?1` that nothing refers to. Of each partition the log keeps what its status refers to, the
/// latest results of its checks, and the materialization before the present one, with which conditions compare. It
/// keeps everything of runs that have not ended.
const OLD_EVENTS: &str = "
    at < ?1
    AND NOT EXISTS (SELECT 1 FROM partitions p
        WHERE p.asset = e.asset AND p.partition = e.partition
          AND (p.made_event = e.id OR p.failed_event = e.id))
    AND NOT EXISTS (SELECT 1 FROM checks c
        WHERE c.asset = e.asset AND c.partition = e.partition AND c.event = e.id)
    AND NOT EXISTS (SELECT 1 FROM runs r
        WHERE r.id = e.run AND r.status NOT IN ('succeeded', 'failed', 'canceled'))
    AND (e.kind <> 3 OR EXISTS (SELECT 1 FROM events newer
        WHERE newer.asset = e.asset AND newer.partition = e.partition AND newer.kind = 3
          AND (newer.run, newer.attempt) > (e.run, e.attempt)
          AND NOT EXISTS (SELECT 1 FROM partitions p
              WHERE p.asset = e.asset AND p.partition = e.partition AND p.made_event = newer.id)))";

/// The ticks before `?1`, in seconds since 1970, except for the last one of each trigger.
const OLD_TICKS: &str = "
    unixepoch(k.record ->> '$.at') < ?1
    AND EXISTS (SELECT 1 FROM ticks newer
        WHERE newer.trigger_id = k.trigger_id AND newer.revision > k.revision)";

impl SqliteStore {
    /// Counts the events and ticks before a moment that nothing refers to.
    ///
    /// # Errors
    /// [`StateError`](precip_engine::state::StateError) when the record cannot be read.
    pub async fn count_old_records(&self, before: DateTime<Utc>) -> StateResult<OldRecords> {
        self.run_read(move |read| {
            let count = |sql: &str, moment: i64| -> StateResult<u64> {
                let count: Option<i64> = read.query_one(sql, [moment], |row| row.get(0))?;
                Ok(count.unwrap_or_default().unsigned_abs())
            };
            let events = format!("SELECT count(*) FROM events e WHERE {OLD_EVENTS}");
            let ticks = format!("SELECT count(*) FROM ticks k WHERE {OLD_TICKS}");
            Ok(OldRecords {
                events: count(&events, to_micros(before))?,
                ticks: count(&ticks, before.timestamp())?,
            })
        })
        .await
    }

    /// Removes the events and ticks before a moment that nothing refers to. Runs, materializations and the latest
    /// results of checks stay. The file keeps its size, and its free room is used again.
    ///
    /// # Errors
    /// [`StateError`](precip_engine::state::StateError) when the record cannot be written.
    pub async fn remove_old_records(&self, before: DateTime<Utc>) -> StateResult<OldRecords> {
        self.run_write(move |write| {
            let events = format!("DELETE FROM events AS e WHERE {OLD_EVENTS}");
            let ticks = format!("DELETE FROM ticks AS k WHERE {OLD_TICKS}");
            Ok(OldRecords {
                events: write.execute_change(&events, params![to_micros(before)])? as u64,
                ticks: write.execute_change(&ticks, params![before.timestamp()])? as u64,
            })
        })
        .await
    }
}
