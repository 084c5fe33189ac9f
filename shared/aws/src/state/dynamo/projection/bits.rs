//! Bitmap rows: several bits of several rows, set together and lost never.

use std::collections::BTreeMap;

use precip_engine::state::{ReadConsistency, Segment, StateResult};

use super::super::{
    call::{Guard, Op, Patience, REQUESTS_AT_ONCE, Table},
    codec::{pack_segment, unpack_segment},
    item::{Attributes, Item, item, number},
    keys::Key,
};
use futures::{StreamExt, TryStreamExt, stream};

/// A bit of one of the bitmaps of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bit {
    /// The attribute that holds the bitmap.
    pub(super) set: &'static str,
    pub(super) ordinal: u64,
    pub(super) value: bool,
}

/// A bitmap row, to be written if nobody wrote it since it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct BitRow {
    revision: u64,
    pub(super) sets: BTreeMap<&'static str, Segment>,
}

const SETS: [&str; 3] = ["m", "f", "b"];

impl BitRow {
    pub(super) fn of(row: Option<&Item>) -> StateResult<Self> {
        let Some(row) = row else {
            return Ok(Self::default());
        };
        let mut sets = BTreeMap::new();
        for set in SETS {
            let segment = unpack_segment(row, set)?;
            if !segment.is_empty() {
                sets.insert(set, segment);
            }
        }
        Ok(Self {
            revision: row.number("rev").unwrap_or_default(),
            sets,
        })
    }

    /// The row with other bitmaps, in the place of this one.
    pub(super) fn replace(&self, key: &Key, sets: &BTreeMap<&'static str, Segment>) -> Op {
        let mut row = item(key, [("rev", number(self.revision + 1))]);
        for (set, segment) in sets.iter().filter(|(_, segment)| !segment.is_empty()) {
            row.insert((*set).to_owned(), pack_segment(segment));
        }
        Op::Put(row, self.unchanged())
    }

    pub(super) fn unchanged(&self) -> Guard {
        match self.revision {
            0 => Guard::when("attribute_not_exists(rev)"),
            revision => Guard::when("rev = :rev").value(":rev", number(revision)),
        }
    }

    fn set(&mut self, bits: &[Bit]) -> bool {
        let mut changed = false;
        for bit in bits {
            let segment = self.sets.entry(bit.set).or_default();
            changed |= segment.set(bit.ordinal, bit.value);
        }
        changed
    }
}

impl Table {
    /// Sets bits, one write a row; rows that have them already are not written.
    pub(super) async fn set_bits(&self, mut open: BTreeMap<Key, Vec<Bit>>) -> StateResult<()> {
        let mut patience = Patience::new("set status bits");
        while !open.is_empty() {
            let keys = open.keys().cloned();
            let rows = self.get_many(keys, ReadConsistency::Strong).await?;
            let mut writes = Vec::new();
            for (key, bits) in &open {
                let before = BitRow::of(rows.get(key))?;
                let mut after = before.clone();
                if after.set(bits) {
                    writes.push((key.clone(), before.replace(key, &after.sets)));
                }
            }
            let refused: Vec<Option<Key>> = stream::iter(writes)
                .map(|(key, write)| async move {
                    let written = self.write(write).await?;
                    StateResult::Ok((!written.is_done()).then_some(key))
                })
                .buffer_unordered(REQUESTS_AT_ONCE)
                .try_collect()
                .await?;
            let refused: Vec<Key> = refused.into_iter().flatten().collect();
            open.retain(|key, _| refused.contains(key));
            if !open.is_empty() {
                patience.wait().await?;
            }
        }
        Ok(())
    }
}
