//! [`Write`]: one unit of writing inside a transaction.

use std::{collections::BTreeMap, ops::Deref};

use precip_core::key::AssetKey;
use precip_engine::state::{Event, EventKind, PartitionRef, Segment, StateError, StateErrorKind};
use rusqlite::{Connection, params};

use super::{
    codec::{PartitionColumn, RunColumn, to_micros},
    error::ErrorMapper,
    read::Read,
};

/// The status set of a segment. The number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    Materialized = 1,
    Failed = 2,
    Skipped = 3,
}

/// One unit of writing. It sees its own changes, keeps the segments that it changes in memory, and stores
/// them once, at the end.
pub(super) struct Write<'a> {
    read: Read<'a>,
    assets: BTreeMap<AssetKey, i64>,
    /// The segments by asset, status and index, each with whether it was changed.
    segments: BTreeMap<(i64, Status, i64), (Segment, bool)>,
    /// The last number in the order of changes, if it was read.
    sequence: Option<i64>,
}

impl<'a> Deref for Write<'a> {
    type Target = Read<'a>;

    fn deref(&self) -> &Self::Target {
        &self.read
    }
}

impl<'a> Write<'a> {
    pub(super) fn new(connection: &'a Connection, errors: &'a ErrorMapper) -> Self {
        Self {
            read: Read::new(connection, errors),
            assets: BTreeMap::new(),
            segments: BTreeMap::new(),
            sequence: None,
        }
    }

    /// Finds or creates the row of an asset.
    pub(super) fn asset_row(&mut self, asset: &AssetKey) -> Result<i64, StateError> {
        if let Some(id) = self.assets.get(asset) {
            return Ok(*id);
        }
        self.execute_change(
            "INSERT INTO assets (key) VALUES (?1) ON CONFLICT DO NOTHING",
            [asset.as_str()],
        )?;
        let id = self.find_asset(asset)?.unwrap_or_default();
        self.assets.insert(asset.clone(), id);
        Ok(id)
    }

    /// Sets or clears the bit of an ordinal.
    pub(super) fn mark_status(
        &mut self,
        asset: i64,
        status: Status,
        ordinal: u64,
        value: bool,
    ) -> Result<(), StateError> {
        let index = to_integer(Segment::index(ordinal))?;
        let key = (asset, status, index);
        if !self.segments.contains_key(&key) {
            let sql = "SELECT bits FROM segments WHERE asset = ?1 AND status = ?2 AND segment = ?3";
            let bits: Option<Vec<u8>> =
                self.query_one(sql, params![asset, status as i64, index], |row| row.get(0))?;
            let segment = bits
                .and_then(|bits| Segment::from_bytes(&bits))
                .unwrap_or_default();
            self.segments.insert(key, (segment, false));
        }
        if let Some((segment, changed)) = self.segments.get_mut(&key) {
            // Setting a bit to its present value changes nothing, and is not written.
            *changed |= segment.set_bit(ordinal, value);
        }
        Ok(())
    }

    /// Returns the next number in the order of changes.
    pub(super) fn next_sequence(&mut self) -> Result<i64, StateError> {
        let last = match self.sequence {
            Some(last) => last,
            None => self
                .query_one("SELECT last FROM sequence", [], |row| row.get(0))?
                .unwrap_or_default(),
        };
        self.sequence = Some(last + 1);
        Ok(last + 1)
    }

    /// Writes an event to the log; returns its row.
    pub(super) fn log_event(&mut self, event: &Event, json: &str) -> Result<i64, StateError> {
        let key = event.key();
        let asset = self.asset_row(&event.target().asset)?;
        let sql = "INSERT INTO events (asset, partition, at, run, attempt, kind, name, record)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                   ON CONFLICT DO UPDATE SET record = excluded.record RETURNING id";
        let row = params![
            asset,
            partition_column(event.target()),
            to_micros(key.at),
            RunColumn(key.run),
            key.attempt,
            kind_number(key.kind),
            key.check,
            json
        ];
        Ok(self
            .query_one(sql, row, |row| row.get(0))?
            .unwrap_or_default())
    }

    /// Stores the changes that are kept in memory.
    pub(super) fn flush_changes(&mut self) -> Result<(), StateError> {
        for ((asset, status, index), (segment, _)) in
            self.segments.iter().filter(|(_, (_, changed))| *changed)
        {
            let values = params![asset, *status as i64, index, segment.as_bytes()];
            self.execute_change(
                "INSERT INTO segments (asset, status, segment, bits) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET bits = excluded.bits",
                values,
            )?;
        }
        if let Some(last) = self.sequence {
            self.execute_change("UPDATE sequence SET last = ?1", [last])?;
        }
        self.segments.clear();
        self.sequence = None;
        Ok(())
    }
}

/// Returns the column of a target's partition.
pub(super) fn partition_column(target: &PartitionRef) -> PartitionColumn {
    PartitionColumn(target.partition.clone())
}

/// Converts a number to SQLite's signed integer.
pub(super) fn to_integer(number: u64) -> Result<i64, StateError> {
    i64::try_from(number).map_err(|source| {
        StateError::new(
            StateErrorKind::Conflict,
            format!("{number} is not an ordinal: ordinals go up to {}", i64::MAX),
        )
        .with_source(source)
    })
}

/// Returns the stored number of an event's kind. The numbers are in the order of the kinds.
pub(super) fn kind_number(kind: EventKind) -> i64 {
    match kind {
        EventKind::Started => 0,
        EventKind::Checked => 1,
        EventKind::Failed => 2,
        EventKind::Materialized => 3,
        EventKind::Skipped => 4,
    }
}
