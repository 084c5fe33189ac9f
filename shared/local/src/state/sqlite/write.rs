//! [`Write`]: one piece of writing inside a transaction.

use std::{collections::BTreeMap, ops::Deref};

use precip_core::key::AssetKey;
use precip_engine::state::{Event, EventKind, PartitionRef, Segment, StateError, StateErrorKind};
use rusqlite::{Connection, params};

use super::{
    codec::{PartitionColumn, RunColumn, micros},
    error::Blame,
    read::Read,
};

/// Which status set a segment belongs to; the number is what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    Materialized = 1,
    Failed = 2,
}

/// One piece of writing. It sees what it wrote itself, keeps the segments it touches in memory, and
/// stores them once, at the end.
pub(super) struct Write<'a> {
    read: Read<'a>,
    assets: BTreeMap<AssetKey, i64>,
    segments: BTreeMap<(i64, Status, i64), (Segment, bool)>,
    sequence: Option<i64>,
}

impl<'a> Deref for Write<'a> {
    type Target = Read<'a>;

    fn deref(&self) -> &Self::Target {
        &self.read
    }
}

impl<'a> Write<'a> {
    pub(super) fn new(connection: &'a Connection, blame: &'a Blame) -> Self {
        Self {
            read: Read::new(connection, blame),
            assets: BTreeMap::new(),
            segments: BTreeMap::new(),
            sequence: None,
        }
    }

    /// The row of an asset, new if need be.
    pub(super) fn asset_row(&mut self, asset: &AssetKey) -> Result<i64, StateError> {
        if let Some(id) = self.assets.get(asset) {
            return Ok(*id);
        }
        self.change(
            "INSERT INTO assets (key) VALUES (?1) ON CONFLICT DO NOTHING",
            [asset.as_str()],
        )?;
        let id = self.asset(asset)?.unwrap_or_default();
        self.assets.insert(asset.clone(), id);
        Ok(id)
    }

    /// Sets or clears the bit of an ordinal.
    pub(super) fn mark(
        &mut self,
        asset: i64,
        status: Status,
        ordinal: u64,
        value: bool,
    ) -> Result<(), StateError> {
        let index = column(Segment::index(ordinal))?;
        let place = (asset, status, index);
        if !self.segments.contains_key(&place) {
            let sql = "SELECT bits FROM segments WHERE asset = ?1 AND status = ?2 AND segment = ?3";
            let bits: Option<Vec<u8>> =
                self.one(sql, params![asset, status as i64, index], |row| row.get(0))?;
            let segment = bits
                .and_then(|bits| Segment::from_bytes(&bits))
                .unwrap_or_default();
            self.segments.insert(place, (segment, false));
        }
        if let Some((segment, changed)) = self.segments.get_mut(&place) {
            *changed |= segment.set(ordinal, value);
        }
        Ok(())
    }

    /// The next number in the order of changes.
    pub(super) fn next_sequence(&mut self) -> Result<i64, StateError> {
        let last = match self.sequence {
            Some(last) => last,
            None => self
                .one("SELECT last FROM sequence", [], |row| row.get(0))?
                .unwrap_or_default(),
        };
        self.sequence = Some(last + 1);
        Ok(last + 1)
    }

    /// Puts an event into the log; answers its row.
    pub(super) fn log(&mut self, event: &Event, json: &str) -> Result<i64, StateError> {
        let key = event.key();
        let asset = self.asset_row(&event.target().asset)?;
        let sql = "INSERT INTO events (asset, partition, at, run, attempt, kind, name, record)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                   ON CONFLICT DO UPDATE SET record = excluded.record RETURNING id";
        let row = params![
            asset,
            partition(event.target()),
            micros(key.at),
            RunColumn(key.run),
            key.attempt,
            kind(key.kind),
            key.check,
            json
        ];
        Ok(self.one(sql, row, |row| row.get(0))?.unwrap_or_default())
    }

    /// Stores what is kept in memory.
    pub(super) fn flush(&mut self) -> Result<(), StateError> {
        for ((asset, status, index), (segment, _)) in
            self.segments.iter().filter(|(_, (_, changed))| *changed)
        {
            let place = params![asset, *status as i64, index, segment.as_bytes()];
            self.change(
                "INSERT INTO segments (asset, status, segment, bits) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET bits = excluded.bits",
                place,
            )?;
        }
        if let Some(last) = self.sequence {
            self.change("UPDATE sequence SET last = ?1", [last])?;
        }
        self.segments.clear();
        self.sequence = None;
        Ok(())
    }
}

pub(super) fn partition(target: &PartitionRef) -> PartitionColumn {
    PartitionColumn(target.partition.clone())
}

/// A number as SQLite keeps it.
pub(super) fn column(number: u64) -> Result<i64, StateError> {
    i64::try_from(number).map_err(|source| {
        StateError::new(
            StateErrorKind::Conflict,
            format!("{number} is no ordinal: ordinals go up to {}", i64::MAX),
        )
        .because(source)
    })
}

/// An event's kind as it is stored; the numbers are in the order of the kinds.
pub(super) fn kind(kind: EventKind) -> i64 {
    match kind {
        EventKind::Started => 0,
        EventKind::Checked => 1,
        EventKind::Failed => 2,
        EventKind::Materialized => 3,
    }
}
