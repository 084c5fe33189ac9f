//! [`Row`]: the latest row of a partition.

use aws_sdk_dynamodb::types::AttributeValue;
use precip_core::{key::AssetKey, partitions::PartitionKey};
use precip_engine::{
    run_id::RunId,
    state::{Materialization, PartitionRef, StateError, rules::Version},
};
use serde_json::{Map, Value, json};

use super::{
    codec::unpack_materialization,
    error::unreadable_row,
    item::{Attributes, Item},
    keys::{self, Key},
};

/// The content of a partition's latest row.
///
/// | attribute | |
/// |---|---|
/// | `o` | the ordinal; missing while the definition does not have the key |
/// | `g` | the generation of the layout that `o` is numbered by; missing before the first renumbering |
/// | `run`, `attempt`, `q`, `m` | the published materialization: version, stamp, record |
/// | `frun`, `fattempt`, `fskip` | the newest attempt that published nothing; its record is stored with the run: of one that failed under `fail#`, of one that had nothing to make (`fskip` = 1) under `skip#` |
///
/// Such an attempt shows only while it is newer than the published version, so publishing need not
/// clear it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) asset: AssetKey,
    pub(super) partition: Option<PartitionKey>,
    pub(super) ordinal: Option<u64>,
    pub(super) generation: u64,
    pub(super) published: Option<Version>,
    pub(super) stamp: u64,
    /// The newest attempt that published nothing.
    pub(super) unpublished: Option<Version>,
    /// `true` if that attempt had nothing to make, `false` if it failed.
    skipped: bool,
    record: Option<AttributeValue>,
}

impl Row {
    /// Decodes a row; `None` if the item is not a latest row.
    pub(super) fn from_item(item: &Item) -> Option<Self> {
        let (asset, partition) = keys::parse_latest(&item.key())?;
        Some(Self::new(asset, partition, item))
    }

    fn new(asset: AssetKey, partition: Option<PartitionKey>, item: &Item) -> Self {
        let version = |run: &str, attempt: &str| {
            Some((item.parse_text::<RunId>(run)?, item.number::<u32>(attempt)?))
        };
        Self {
            asset,
            partition,
            ordinal: item.number("o"),
            generation: item.number("g").unwrap_or_default(),
            published: version("run", "attempt"),
            stamp: item.number("q").unwrap_or_default(),
            unpublished: version("frun", "fattempt"),
            skipped: item.number::<u8>("fskip") == Some(1),
            record: item.get("m").cloned(),
        }
    }

    /// Decodes the row that a refused write returned: on some paths it comes without its key.
    pub(super) fn from_refused_item(target: &PartitionRef, item: &Item) -> Self {
        Self::new(target.asset.clone(), target.partition.clone(), item)
    }

    pub(super) fn key(&self) -> Key {
        keys::latest_row(&self.asset, self.partition.as_ref())
    }

    /// Returns the newest attempt if it published nothing, and whether it had nothing to make.
    pub(super) fn current_unpublished(&self) -> Option<(Version, bool)> {
        let version = self
            .unpublished
            .filter(|(run, _)| self.published.is_none_or(|(published, _)| published < *run));
        version.map(|version| (version, self.skipped))
    }

    /// Returns `true` if the newest attempt failed.
    pub(super) fn is_failed(&self) -> bool {
        self.current_unpublished()
            .is_some_and(|(_, skipped)| !skipped)
    }

    /// Returns `true` if the newest attempt had nothing to make.
    pub(super) fn is_skipped(&self) -> bool {
        self.current_unpublished()
            .is_some_and(|(_, skipped)| skipped)
    }

    /// Returns the partition of the row, with ordinal 0 while the definition does not have the key.
    pub(super) fn target(&self) -> PartitionRef {
        PartitionRef {
            asset: self.asset.clone(),
            partition: self.partition.clone(),
            ordinal: self.ordinal.unwrap_or_default(),
        }
    }

    /// Returns the published materialization.
    ///
    /// # Errors
    /// `Corrupt` when the record cannot be read.
    pub(super) fn materialization(&self) -> Result<Option<Materialization>, StateError> {
        let Some((run, attempt)) = self.published else {
            return Ok(None);
        };
        // The record omits these fields: see `pack_materialization`.
        let columns: Map<String, Value> = [
            ("target".to_owned(), json!(self.target())),
            ("run".to_owned(), json!(run)),
            ("attempt".to_owned(), json!(attempt)),
        ]
        .into_iter()
        .collect();
        let made = self
            .record
            .as_ref()
            .and_then(|record| unpack_materialization(record, &columns));
        let key = self.key();
        made.map(Some)
            .ok_or_else(|| unreadable_row("the materialization", &key.pk, &key.sk))
    }
}
