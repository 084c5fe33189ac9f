//! [`Row`]: the latest row of a partition.

use aws_sdk_dynamodb::types::AttributeValue;
use precip_core::{key::AssetKey, partitions::PartitionKey};
use precip_engine::{
    run_id::RunId,
    state::{Materialization, PartitionRef, StateError, rules::Version},
};
use serde_json::{Map, Value, json};

use super::{
    codec::unpack_made,
    error::unreadable,
    item::{Attributes, Item},
    keys::{self, Key},
};

/// What the latest row of a partition says.
///
/// | attribute | |
/// |---|---|
/// | `o` | the ordinal; missing while the definition does not have the key |
/// | `g` | the generation of the layout by which `o` was numbered anew; missing before the first |
/// | `run`, `attempt`, `q`, `m` | what is published: version, stamp, record |
/// | `frun`, `fattempt` | the newest failure; its record is the run's (`fail#`) |
///
/// A failure shows only while it is newer than what is published, so publishing need not take it away.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) asset: AssetKey,
    pub(super) partition: Option<PartitionKey>,
    pub(super) ordinal: Option<u64>,
    pub(super) generation: u64,
    pub(super) published: Option<Version>,
    pub(super) stamp: u64,
    pub(super) failed: Option<Version>,
    record: Option<AttributeValue>,
}

impl Row {
    /// Reads a row; `None` when the item is no latest row.
    pub(super) fn of(item: &Item) -> Option<Self> {
        let (asset, partition) = keys::parse_latest(&item.key())?;
        Some(Self::new(asset, partition, item))
    }

    fn new(asset: AssetKey, partition: Option<PartitionKey>, item: &Item) -> Self {
        let version = |run: &str, attempt: &str| {
            Some((item.parsed::<RunId>(run)?, item.number::<u32>(attempt)?))
        };
        Self {
            asset,
            partition,
            ordinal: item.number("o"),
            generation: item.number("g").unwrap_or_default(),
            published: version("run", "attempt"),
            stamp: item.number("q").unwrap_or_default(),
            failed: version("frun", "fattempt"),
            record: item.get("m").cloned(),
        }
    }

    /// Reads the row of a target that was refused: it comes without its key on some paths.
    pub(super) fn of_target(target: &PartitionRef, item: &Item) -> Self {
        Self::new(target.asset.clone(), target.partition.clone(), item)
    }

    pub(super) fn key(&self) -> Key {
        keys::latest(&self.asset, self.partition.as_ref())
    }

    /// The failure that shows.
    pub(super) fn failure(&self) -> Option<Version> {
        self.failed.filter(|(failed, _)| {
            self.published
                .is_none_or(|(published, _)| published < *failed)
        })
    }

    /// What the row is of; an ordinal of 0 while the definition does not have the key.
    pub(super) fn target(&self) -> PartitionRef {
        PartitionRef {
            asset: self.asset.clone(),
            partition: self.partition.clone(),
            ordinal: self.ordinal.unwrap_or_default(),
        }
    }

    /// What is published.
    ///
    /// # Errors
    /// `Corrupt` when the record cannot be read.
    pub(super) fn materialization(&self) -> Result<Option<Materialization>, StateError> {
        let Some((run, attempt)) = self.published else {
            return Ok(None);
        };
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
            .and_then(|record| unpack_made(record, &columns));
        let key = self.key();
        made.map(Some)
            .ok_or_else(|| unreadable("the materialization", &key.pk, &key.sk))
    }
}
